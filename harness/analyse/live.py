"""What a run that is still going should spend its remaining time on."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analyse.frames import tidy
from harness.analyse.judge import judge_run, results
from harness.analyse.verdict import allocate
from harness.model import Manifest, SlotRecord


def undecided(manifest: Manifest, slots: Sequence[SlotRecord]) -> tuple[str, ...]:
    """Ids of the contrasts that the blocks so far leave undecided, widest interval first.

    Those not yet measured come before all others; those whose sides failed in every block are left out.
    """
    frames = tidy(slots)
    judged = judge_run(manifest, frames)
    still = {result.id for result in results(manifest, frames, judged) if result.verdict == "undecided"}
    return tuple(key for key in allocate(judged.decisions) if key in still)
