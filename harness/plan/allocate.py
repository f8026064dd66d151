"""Where the time that is left goes: one more block, of just the slots that hold undecided contrasts. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.model import Block, Plan, Side, Slot
from harness.plan.timing import block_seconds


def next_block(plan: Plan, index: int, undecided: Sequence[str], left_s: float) -> Block | None:
    """The next block, within ``left_s`` seconds, or ``None`` where nothing is undecided or the time is too short.

    Args:
        index: of the new block.
        undecided: contrast ids, the one that gets time first in front.
    """
    contrasts = {contrast.id: contrast for contrast in plan.contrasts}
    wanted: list[Side] = []
    chosen: list[Slot] = []
    for key in undecided:
        contrast = contrasts[key]
        sides = list(dict.fromkeys([*wanted, contrast.a, contrast.b]))
        slots = _slots(plan, index, sides)
        if _seconds(slots) <= left_s:
            wanted, chosen = sides, slots
    if not chosen:
        return None
    targets = tuple(dict.fromkeys(side.target for slot in chosen for side in slot.sides))
    return Block(index, targets, tuple(chosen))


def _slots(plan: Plan, index: int, sides: Sequence[Side]) -> list[Slot]:
    """The plan's slots, cut down to the sides, with their share of the time."""
    found = []
    for slot in _widest(plan):
        kept = tuple(side for side in slot.sides if side in sides)
        if len(kept) > 1:
            share = len(kept) / len(slot.sides)
            name = f"b{index:02d}-{slot.id.partition('-')[2]}"
            found.append(replace(slot, id=name, block=index, sides=kept, budget_s=slot.budget_s * share))
    return found


def _widest(plan: Plan) -> list[Slot]:
    """Of the slots that differ only in their block, the one with the most sides; slots are added while a run goes."""
    found: dict[str, Slot] = {}
    for slot in (slot for block in plan.blocks for slot in block.slots):
        name = slot.id.partition("-")[2]
        if name not in found or len(slot.sides) > len(found[name].sides):
            found[name] = slot
    return list(found.values())


def _seconds(slots: Sequence[Slot]) -> float:
    targets = {side.target for slot in slots for side in slot.sides}
    return block_seconds(len(targets)) + sum(slot.budget_s for slot in slots)
