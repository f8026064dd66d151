"""A plan in words, before it is measured."""

from __future__ import annotations

import sys
from itertools import groupby
from operator import attrgetter

from rich.console import Console

from harness.commands.progress import time_of
from harness.commands.studies import show_trials
from harness.model import Plan
from harness.plan.timing import held_seconds
from harness.units import format_duration


def show_plan(plan: Plan) -> None:
    """The plan on stdout."""
    out = Console(file=sys.stdout, highlight=False)
    for name, windows in groupby(sorted(plan.windows, key=attrgetter("point")), attrgetter("point")):
        listed = list(windows)
        out.print(
            f"{name}: {len({w.target for w in listed})} targets in {len({w.block for w in listed})} blocks, "
            f"{listed[0].seconds:g} s each, about {format_duration(sum(w.budget_s for w in listed))}.",
            markup=False, soft_wrap=True,
        )  # fmt: skip
    if plan.trials:
        show_trials(plan, out)
    if not plan.blocks:
        return
    first = plan.blocks[0]
    out.print(
        f"{len(plan.blocks)} blocks with fresh servers, each with {len(first.slots)} slots; "
        f"{len(first.targets)} targets, {len(plan.points)} points, {len(plan.contrasts)} contrasts; "
        f"{time_of(plan)}, of a budget of {format_duration(plan.budget_s)}.",
        markup=False, soft_wrap=True,
    )  # fmt: skip
    holding = [block for block in plan.blocks if block.held]
    if holding:
        out.print(
            f"  {'memory of waiting requests':<28} {len(first.held)} targets in {len(holding)} of the blocks"
            f"{held_seconds(len(first.held)):>17.1f} s a block",
            markup=False, soft_wrap=True,
        )  # fmt: skip
    for slot in sorted(first.slots, key=lambda slot: slot.id):
        sides = f"{len(slot.sides)} sides in turns of {slot.slice_s * 1e3:.0f} ms"
        out.print(
            f"  {slot.id.partition('-')[2]:<28} {sides:<34} {slot.budget_s:5.1f} s a block",
            markup=False,
            soft_wrap=True,
        )
    for failure in plan.left_out:
        name = f"{failure.target} at {failure.point}" if failure.target else failure.point
        out.print(f"  left out: {name}: {failure.message}", markup=False, soft_wrap=True)


def left_out(plan: Plan) -> str:
    """How much the plan leaves out, and why the first of it."""
    first = plan.left_out[0]
    name = f"{first.target} at {first.point}" if first.target else first.point
    return f"{len(plan.left_out)} left out that would take too long; {name}: {first.message}"
