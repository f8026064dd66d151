"""Where the time that is left goes: one more block, how long, and of which windows. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model import Block, Plan, Side, Window
from harness.plan.timing import expected_seconds
from harness.stats.looks import EARLY_LOOKS, LOOKS


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


def next_load(done: int, first_s: float, last_s: float, starting_s: float, left_s: float) -> float:
    """Seconds of load in the next block of a comparison; 0 where the time that is left is too short for another.

    Until the early looks are over, as long as the first block, so that a large difference is known soon. Then as many
    blocks as fit at twice that length, or, if this is more, as the second look needs. No block is more than twice as
    long as the one before, since a difference that is clear by then need not wait for one that is small.

    Blocks of different variance do not invalidate Student's interval: of normal values with any variances it covers
    the mean at least as often as it says, from 92% on (Bakirov and Székely 2006).

    Args:
        done: blocks so far; ``first_s``, ``last_s``: the load of the first and of the last one.
        starting_s: what a block takes besides its load.
    """
    at_first, at_twice = (int(left_s / (length_s + starting_s)) for length_s in (first_s, 2 * first_s))
    if at_first < 1:
        return 0.0
    if done < EARLY_LOOKS[-1]:
        return first_s
    blocks = max(1, min(max(at_twice, min(at_first, LOOKS[1] - done)), LOOKS[-1] - done))
    return min(2 * last_s, left_s / blocks - starting_s)


def _block(plan: Plan, index: int, sides: Sequence[Side]) -> Block:
    """The plan's windows, cut down to the sides, with their share of the time."""
    windows = []
    for key, window in _widest(plan).items():
        remaining = tuple(side for side in window.sides if side in sides)
        if len(remaining) > 1:
            seconds = window.seconds * len(remaining) / len(window.sides)
            windows.append(Window.in_turns(key, index, remaining, seconds, window.min_rounds))
    return Block.of(index, windows)


def _widest(plan: Plan) -> dict[str, Window]:
    """Of the windows that differ only in their block, the one with the most sides; some are added while a run goes."""
    widest: dict[str, Window] = {}
    for window in (window for block in plan.alternating for window in block.windows):
        if window.key not in widest or len(window.sides) > len(widest[window.key].sides):
            widest[window.key] = window
    return widest
