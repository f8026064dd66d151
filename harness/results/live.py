"""What a run that is still going should spend its remaining time on."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model import Gap, Manifest, WindowRecord
from harness.results.crossover import crossovers, gaps, is_narrow
from harness.results.frames import tidy
from harness.results.judge import judge_run
from harness.stats.looks import last_look
from harness.stats.verdict import widest_first


def undecided(manifest: Manifest, records: Sequence[WindowRecord]) -> tuple[str, ...]:
    """Ids of the contrasts that the last look left undecided, widest interval first; later blocks are ignored.

    Those not yet measured come before all others; those whose sides failed in every block are left out.
    """
    look = last_look(len(manifest.plan.alternating))
    judged = judge_run(manifest, tidy(record for record in records if record.block < look))
    still = {result.id for result in judged.results if result.verdict == "undecided"}
    return tuple(key for key in widest_first(judged.decisions) if key in still)


def sign_changes(manifest: Manifest, records: Sequence[WindowRecord]) -> tuple[Gap, ...]:
    """The gaps between measured waits in which a contrast changes its sign, and which are still wide; widest first."""
    return gaps(manifest, crossovers(manifest, judge_run(manifest, tidy(records)).results))


def open_at_crossovers(manifest: Manifest, records: Sequence[WindowRecord], most_blocks: int) -> tuple[str, ...]:
    """Ids of undecided contrasts inside the interval of a crossover that is not narrow, widest intervals first."""
    judged = judge_run(manifest, tidy(records))
    inside = {
        key
        for crossover in crossovers(manifest, judged.results)
        if not is_narrow(crossover) and crossover.low_ms is not None and crossover.high_ms is not None
        for key, wait in zip(crossover.contrasts, crossover.waits_ms, strict=True)
        if wait in crossover.open_ms and crossover.low_ms < wait < crossover.high_ms
    }
    few = {key for key, decision in judged.decisions.items() if decision.blocks < most_blocks}
    return tuple(key for key in widest_first(judged.decisions) if key in inside & few)
