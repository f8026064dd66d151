"""A run's records to its summary: whole, interrupted, or with nothing valid in it."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model import Abilities, Manifest, WindowRecord, counted
from harness.model.load import Samples
from harness.plan.sampling import INSTRUMENTS
from harness.results.alone import journeys, shared_contrasts, shared_loads
from harness.results.badge import with_badge
from harness.results.cells import cells
from harness.results.claims.judge import with_claims
from harness.results.crossover import crossovers
from harness.results.frames import tidy
from harness.results.health import health
from harness.results.instructions import counts_of, with_instructions
from harness.results.judge import control_ids, judge_run, results
from harness.results.ladder import ladders
from harness.results.predict import check_models
from harness.results.profile import profile_results
from harness.results.summary import Summary
from harness.results.upkeep import upkeep
from harness.studies.registry import study_results

NOT_ASKED = Abilities(())


def summarise(
    manifest: Manifest, records: Sequence[WindowRecord], samples: Samples, *, abilities: Abilities = NOT_ASKED
) -> Summary:
    """Everything that the report, the terminal and ``summary.md`` show.

    Args:
        records: all attempts at all windows, in the order in which they were recorded.
        samples: a record's raw latencies; sides and classes of request without samples are left out.
    """
    turns = [record for record in records if not record.study]
    windows = counted(record for record in records if record.study not in ("", *INSTRUMENTS))
    frames = tidy(turns)
    judged = judge_run(manifest, frames)
    contrasts = results(manifest, frames, judged)
    table = cells(manifest, turns, frames, samples, contrasts, margin=judged.metric_margins["throughput"])
    blocks = int(frames.slices["block"].nunique())
    found = Summary(
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
        contrasts=contrasts,
        upkeep=upkeep(manifest.targets, records),
        health=health(manifest, records, frames),
        journeys=journeys(manifest, windows, samples),
        shared_loads=shared_loads(manifest, windows, samples),
        shared_contrasts=shared_contrasts(manifest, windows),
        features=abilities.features,
        effort=abilities.effort,
        statements=abilities.statements,
        untouched=abilities.untouched,
        crossovers=crossovers(manifest, contrasts),
        models=check_models(manifest, table, judged.metric_margins["throughput"]),
        ladders=ladders(manifest, frames, judged, contrasts, table),
        studies=study_results(windows, samples),
        profiles=profile_results(manifest.targets, table, records),
    )
    found = with_instructions(found, counts_of(counted(records)), manifest.plan.contrasts)
    found = with_badge(manifest, found, control_ids(manifest), frames, windows)
    return with_claims(manifest, found)
