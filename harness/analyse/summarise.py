"""A run's records to its summary: whole, interrupted, or with nothing valid in it."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analyse.badge import badge
from harness.analyse.cells import Samples, cells
from harness.analyse.claims.judge import with_claims
from harness.analyse.crossover import crossovers
from harness.analyse.frames import tidy
from harness.analyse.health import health
from harness.analyse.journeys import journeys
from harness.analyse.judge import judge_run, results
from harness.analyse.ladder import ladders
from harness.analyse.predict import check_models
from harness.analyse.shared import shared_contrasts, shared_loads
from harness.analyse.studies import study_results
from harness.analyse.summary import JourneyResult, SharedLoad, Summary
from harness.analyse.upkeep import upkeep
from harness.analyse.windows import WindowSamples
from harness.model import Abilities, Manifest, SlotRecord, WindowRecord

NOT_ASKED = Abilities(())


def summarise(
    manifest: Manifest,
    slots: Sequence[SlotRecord],
    samples: Samples,
    windows: Sequence[WindowRecord] = (),
    window_samples: WindowSamples = lambda record: {},
    *,
    abilities: Abilities = NOT_ASKED,
) -> Summary:
    """Everything that the report, the terminal and ``summary.md`` show.

    Args:
        slots: all attempts of all slots, in the order in which they were recorded.
        samples: a record's raw service times in µs, by index of its side; sides without samples are left out.
        windows: all windows of load on one target alone, and ``window_samples`` of each, by index of the class of
            request.
    """
    frames = tidy(slots)
    judged = judge_run(manifest, frames)
    contrasts = results(manifest, frames, judged)
    table = cells(manifest, slots, frames, samples, margin=judged.metric_margins["throughput"])
    machine = health(manifest, slots, frames, windows)
    blocks = int(frames.slices["block"].nunique())
    controls = [contrast for contrast in contrasts if contrast.id in judged.controls]
    seen = journeys(manifest, windows, window_samples)
    shared = shared_loads(manifest, windows, window_samples)
    alone: list[JourneyResult | SharedLoad] = [*seen, *shared]
    verdict, reasons = badge(manifest, table, controls, blocks, machine, frames.excluded, alone, windows)
    found = Summary(
        run=manifest.run,
        name=manifest.name,
        created_at=manifest.created_at,
        badge=verdict,
        reasons=reasons,
        margin=max(judged.metric_margins.values()),
        blocks=blocks or len({record.block for record in windows}),
        seed=manifest.seed,
        duration_s=manifest.duration_s,
        cells=table,
        contrasts=contrasts,
        upkeep=upkeep(manifest.targets, slots, windows),
        health=machine,
        journeys=seen,
        shared_loads=shared,
        shared_contrasts=shared_contrasts(manifest, windows),
        features=abilities.features,
        effort=abilities.effort,
        crossovers=crossovers(manifest, contrasts),
        models=check_models(manifest, table, judged.metric_margins["throughput"]),
        ladders=ladders(manifest, frames, judged, contrasts),
        studies=study_results(manifest, windows, window_samples),
    )
    return with_claims(manifest, found)
