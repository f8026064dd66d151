"""What a run that is still going should spend its remaining time on."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analyse.crossover import crossovers, gaps, is_narrow
from harness.analyse.frames import tidy
from harness.analyse.judge import judge_run, results
from harness.analyse.verdict import allocate
from harness.model import Gap, Manifest, SlotRecord


def undecided(manifest: Manifest, slots: Sequence[SlotRecord]) -> tuple[str, ...]:
    """Ids of the contrasts that the blocks so far leave undecided, widest interval first.

    Those not yet measured come before all others; those whose sides failed in every block are left out.
    """
    frames = tidy(slots)
    judged = judge_run(manifest, frames)
    still = {result.id for result in results(manifest, frames, judged) if result.verdict == "undecided"}
    return tuple(key for key in allocate(judged.decisions) if key in still)


def sign_changes(manifest: Manifest, slots: Sequence[SlotRecord]) -> tuple[Gap, ...]:
    """The gaps between measured waits in which a contrast changes its sign, and which are still wide; widest first."""
    frames = tidy(slots)
    return gaps(manifest, crossovers(manifest, results(manifest, frames, judge_run(manifest, frames))))


def open_at_crossovers(manifest: Manifest, slots: Sequence[SlotRecord], most_blocks: int) -> tuple[str, ...]:
    """Ids of undecided contrasts inside the interval of a crossover that is not narrow, widest intervals first."""
    frames = tidy(slots)
    judged = judge_run(manifest, frames)
    inside = {
        key
        for found in crossovers(manifest, results(manifest, frames, judged))
        if not is_narrow(found) and found.low_ms is not None and found.high_ms is not None
        for key, wait in zip(found.contrasts, found.waits_ms, strict=True)
        if wait in found.open_ms and found.low_ms < wait < found.high_ms
    }
    few = {key for key, decision in judged.decisions.items() if decision.blocks < most_blocks}
    return tuple(key for key in allocate(judged.decisions) if key in inside & few)
