"""Where the time that is left goes: one more block, of just the windows that hold undecided contrasts. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model import Block, Plan, Side, Window
from harness.plan.timing import expected_seconds


def next_block(plan: Plan, index: int, undecided: Sequence[str], left_s: float) -> Block | None:
    """The next block, within ``left_s`` seconds, or ``None`` where nothing is undecided or the time is too short.

    Args:
        index: of the new block.
        undecided: contrast ids, the one that gets time first in front.
    """
    contrasts = {contrast.id: contrast for contrast in plan.contrasts}
    chosen_sides: list[Side] = []
    chosen = None
    for key in undecided:
        contrast = contrasts[key]
        sides = list(dict.fromkeys([*chosen_sides, contrast.a, contrast.b]))
        block = _block(plan, index, sides)
        if expected_seconds(block) <= left_s:
            chosen_sides, chosen = sides, block
    return chosen if chosen and chosen.windows else None


def _block(plan: Plan, index: int, sides: Sequence[Side]) -> Block:
    """The plan's windows, cut down to the sides, with their share of the time."""
    windows = []
    for key, window in _widest(plan).items():
        kept = tuple(side for side in window.sides if side in sides)
        if len(kept) > 1:
            seconds = window.seconds * len(kept) / len(window.sides)
            windows.append(Window.in_turns(key, index, kept, seconds, window.min_rounds))
    return Block.of(index, windows)


def _widest(plan: Plan) -> dict[str, Window]:
    """Of the windows that differ only in their block, the one with the most sides; some are added while a run goes."""
    widest: dict[str, Window] = {}
    for window in (window for block in plan.alternating for window in block.windows):
        if window.key not in widest or len(window.sides) > len(widest[window.key].sides):
            widest[window.key] = window
    return widest
