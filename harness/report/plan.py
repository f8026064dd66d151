"""A plan in words, before it is measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter, itemgetter

from harness.model import Block, Failure, Plan
from harness.model.units import format_duration, number_of
from harness.plan.counting import INSTRUCTIONS
from harness.plan.sampling import INSTRUMENTS, PROFILE
from harness.plan.timing import expected_seconds
from harness.report.language.catalogue import ENGLISH


def plan_lines(plan: Plan) -> Iterator[str]:
    """Load on one target alone, studies, then the windows of the first block and what is left out."""
    windows = [window for block in plan.studies for window in block.windows]
    if counting := [window for window in windows if window.study == INSTRUCTIONS]:
        names = {side.target for window in counting for side in window.sides}
        points = {window.sides[0].point for window in counting}
        starts = number_of(max(window.block for window in counting) + 1, "start")
        text = f"{number_of(len(names), 'target')} at {number_of(len(points), 'point')}, {starts}"
        yield _part(INSTRUCTIONS, text, sum(each.budget_s for each in counting), _questions("ladder", "validate"))
    if sampled := [window for window in windows if window.study == PROFILE]:
        text = f"{number_of(len(sampled), 'target')} at {sampled[0].sides[0].point}, {sampled[0].seconds:g} s each"
        yield _part(PROFILE, text, sum(each.budget_s for each in sampled), ENGLISH.text("sections.profile"))
    loads = [(window.sides[0].point, window) for window in windows if window.study not in INSTRUMENTS]
    for point, group in groupby(sorted(loads, key=itemgetter(0)), itemgetter(0)):
        windows = [window for _, window in group]
        targets = number_of(len({each.sides[0].target for each in windows}), "target")
        among, took = number_of(len({each.block for each in windows}), "block"), sum(each.budget_s for each in windows)
        yield f"{point}: {targets} in {among}, {windows[0].seconds:g} s each, about {format_duration(took)}."
    for name in dict.fromkeys(trial.scenario for trial in plan.trials if trial.scenario):
        mine = [block for block in plan.blocks if any(trial.scenario == name for trial in block.trials)]
        trials = [trial for block in mine for trial in block.trials]
        values = "; ".join(f"{key}={','.join(map(str, each))}" for key, each in trials[0].values.items())
        targets, among = number_of(len({trial.target for trial in trials}), "target"), number_of(len(mine), "block")
        yield _part(name, f"{targets}, one at a time, in {among}{values and f', {values}'}", expected_seconds(*mine))
    if plan.alternating:
        yield from _blocks(plan)
    elif not plan.blocks:
        yield "Nothing is left to measure."
    yield from (f"  left out: {_place(failure)}: {ENGLISH.reason(failure.reason)}" for failure in plan.left_out)


def plan_in_words(plan: Plan) -> str:
    """What a run measures: ``8 targets × 6 points in 5 blocks and instruction counts of 8 targets``."""
    parts = []
    if plan.alternating:
        points = number_of(len(plan.compared_points), "point")
        parts.append(f"{_targets(plan.alternating)} × {points} in {number_of(len(plan.alternating), 'block')}")
    if studied := [block for block in plan.studies if block.study not in INSTRUMENTS]:
        parts.append(f"{', '.join(sorted({block.study for block in studied}))} on {_targets(studied)}, one at a time")
    for study, text in ((PROFILE, "profiles"), (INSTRUCTIONS, "instruction counts")):
        if blocks := [block for block in plan.studies if block.study == study]:
            parts.append(f"{text} of {_targets(blocks)}")
    return " and ".join(parts)


def _targets(blocks: Sequence[Block]) -> str:
    return number_of(len({name for block in blocks for name in block.targets}), "target")


def time_of(plan: Plan) -> str:
    """What the run will take, in words: what is planned, and what may be added to it."""
    more = f", then up to {format_duration(plan.reserve_s)} to narrow down crossovers" if plan.reserve_s else ""
    return f"about {format_duration(plan.estimate_s)}{more}"


def left_out(plan: Plan) -> str:
    """How much the plan leaves out, and why the first of it."""
    first = plan.left_out[0]
    return f"{len(plan.left_out)} left out that would take too long; {_place(first)}: {ENGLISH.reason(first.reason)}"


def _blocks(plan: Plan) -> Iterator[str]:
    first, slices = plan.alternating[0], {point.id: point.slice_s for point in plan.points}
    yield (
        f"{number_of(len(plan.alternating), 'block')} with fresh servers, each with "
        f"{number_of(len(first.windows), 'window')}; {number_of(len(first.targets), 'target')}, "
        f"{number_of(len(plan.compared_points), 'point')}, {number_of(len(plan.contrasts), 'contrast')}; "
        f"{time_of(plan)}, of a budget of {format_duration(plan.budget_s)}."
    )
    # Trials without a scenario of their own go with the blocks.
    waiting = [block for block in plan.studies if any(not trial.scenario for trial in block.trials)]
    if waiting:
        text = f"{number_of(len(waiting[0].targets), 'target')} in {len(waiting)} of the blocks"
        yield _part("memory of waiting requests", text, expected_seconds(*waiting), ENGLISH.text("sections.upkeep"))
    for window in sorted(first.windows, key=attrgetter("id")):
        turns = sorted({round(slices[side.point] * 1e3) for side in window.sides})
        length = f"{' or '.join(map(str, turns))} ms, {window.budget_s:.1f} s a block"
        text = f"{number_of(len(window.sides), 'side')} in turns of {length}"
        questions = {contrast.question for contrast in plan.contrasts if {contrast.a, contrast.b} <= set(window.sides)}
        yield _part(window.key, text, window.budget_s * len(plan.alternating), _questions(*questions))
    starts_s = expected_seconds(*plan.alternating) - sum(block.load_s for block in plan.alternating)
    yield _part("servers", f"{len(first.targets)} started afresh in every block", starts_s)


def _part(name: str, text: str, seconds: float, buys: str = "") -> str:
    """One part of a plan: what it costs, and what it answers."""
    return f"  {name:<26} {text:<54} {format_duration(seconds):>7}  {buys}".rstrip()


def _questions(*questions: str) -> str:
    return " ".join(
        ENGLISH.text(f"questions.{each}") for each in ("pick", "move", "validate", "ladder") if each in questions
    )


def _place(failure: Failure) -> str:
    return f"{failure.target} at {failure.point}" if failure.target else failure.point
