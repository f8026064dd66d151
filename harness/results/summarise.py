"""A run's records to its summary: whole, interrupted, or with nothing valid in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from harness.model import LACKS, Abilities, Manifest, Target, WindowRecord, final_attempts, lost_sides, side_faults
from harness.model.load import Samples
from harness.plan.sampling import INSTRUMENTS
from harness.results.badge import with_badge
from harness.results.cells import cells
from harness.results.claims.judge import with_claims
from harness.results.crossover import crossovers
from harness.results.frames import Frames, tidy
from harness.results.instructions import counts_of, with_instructions
from harness.results.judge import judge_run
from harness.results.ladder import ladders
from harness.results.loads import journeys, shared_contrasts, shared_loads
from harness.results.predict import check_models
from harness.results.profile import profile_results
from harness.results.summary import Health, Summary, Upkeep
from harness.stats.interval import estimate
from harness.studies.registry import study_results
from harness.studies.waiting import WAITING, rows

NOT_PROBED = Abilities(())


def summarise(
    manifest: Manifest, records: Sequence[WindowRecord], samples: Samples, *, abilities: Abilities = NOT_PROBED
) -> Summary:
    """Everything that the report, the terminal and ``summary.md`` show.

    Args:
        records: all attempts at all windows, in the order in which they were recorded.
        samples: a record's raw latencies; sides and classes of request without samples are left out.
    """
    turns = [record for record in records if not record.study]
    windows = final_attempts(record for record in records if record.study not in ("", *INSTRUMENTS))
    frames = tidy(turns)
    judged = judge_run(manifest, frames)
    table = cells(manifest, turns, frames, samples, judged)
    blocks = int(frames.slices["block"].nunique())
    waiting_windows = [record for record in records if record.study == WAITING and not record.failures]
    summary = Summary(
        run=manifest.run,
        name=manifest.name,
        created_at=manifest.created_at,
        badge="sound",
        reasons=(),
        margin=max(judged.metric_margins.values()),
        blocks=blocks or len({record.block for record in windows}),
        seed=manifest.seed,
        duration_s=manifest.duration_s,
        cells=table,
        contrasts=judged.results,
        upkeep=tuple(_upkeep(target, turns, waiting_windows) for target in manifest.targets if not target.twin_of),
        health=_health(manifest, records, frames),
        journeys=journeys(manifest, windows, samples),
        shared_loads=shared_loads(manifest, windows, samples),
        shared_contrasts=shared_contrasts(manifest, windows),
        features=abilities.features,
        effort=abilities.effort,
        statements=abilities.statements,
        untouched=abilities.untouched,
        crossovers=crossovers(manifest, judged.results),
        models=check_models(manifest, table, judged.metric_margins["throughput"]),
        ladders=ladders(manifest, frames, judged, table),
        studies=study_results(windows, samples),
        profiles=profile_results(manifest.targets, table, records),
    )
    summary = with_instructions(summary, counts_of(final_attempts(records)), manifest.plan.contrasts)
    return with_claims(manifest, with_badge(manifest, summary, frames, windows))


def _upkeep(target: Target, turns: Sequence[WindowRecord], waiting_windows: Sequence[WindowRecord]) -> Upkeep:
    """In a block, the largest memory at the end of any window."""
    startup: dict[int, float] = {}
    memory: dict[int, int] = {}
    for record in turns:
        if target.name in record.startup_s:
            startup[record.block] = record.startup_s[target.name]
        if target.name in record.rss_bytes:
            memory[record.block] = max(memory.get(record.block, 0), record.rss_bytes[target.name])
    whole = estimate(list(memory.values()))
    waiting = [window for window in waiting_windows if window.only.target == target.name]
    idle = {window.block: window.only.figures["idle_bytes"] for window in waiting}
    return Upkeep(
        target.name,
        estimate(list(startup.values())),
        whole,
        None if whole is None else whole.value / target.workers,
        float(median(idle.values())) if idle else None,
        rows(waiting),
    )


def _health(manifest: Manifest, records: Sequence[WindowRecord], frames: Frames) -> Health:
    """Counts over windows whose sides took turns, the largest shares over all attempts at any window, and every gate
    and failure once, but for what a target declares not to be able to do.

    A window has failed if at least one side of its counted attempt gave no number.
    """
    attempts = Counter(record.id for record in records if not record.study)
    failures = [*manifest.skipped, *(failure for record in records for failure in record.failures)]
    gates = [
        gate if not record.study else replace(gate, point=gate.point or record.sides[0].point)
        for record in records
        for gate in record.gates
    ]
    faulty = [faults for record in frames.records if (faults := side_faults(record))]
    failed = sum(bool(lost_sides(faults)) for faults in faulty)
    return Health(
        windows=len(frames.records),
        failed_windows=failed,
        untimed_windows=len(faulty) - failed,
        retried_windows=sum(count > 1 for count in attempts.values()),
        generator_cpu_max=max([0.0, *map(_generator_share, records)]),
        foreign_cpu_max=_most("foreign", records),
        steal_max=_most("steal", records),
        gates=tuple(dict.fromkeys(gates)),
        failures=tuple(dict.fromkeys(failure for failure in failures if failure.reason.code not in LACKS)),
    )


def _most(share: str, records: Sequence[WindowRecord]) -> float:
    return max([0.0, *(record.machine.get(share, 0.0) for record in records)])


def _generator_share(record: WindowRecord) -> float:
    """The largest over the sides that took turns, each over all of its slices; an open loop polls, and has none."""
    slices = record.slices
    if slices is None:
        figures = record.sides[0].figures
        return 0.0 if "in_flight_mean" in figures else figures.get("generator_cpu", 0.0)
    sums = [slices.sums(side, "generator_cpu", "length", "drain") for side in set(slices.side)]
    return max((cpu / (length + drain) for cpu, length, drain in sums if length + drain > 0), default=0.0)
