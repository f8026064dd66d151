"""Which instructions are counted in a run: targets side by side, one connection each, where nothing waits. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from harness.model import Block, Plan, Point, Side, Target, Window
from harness.plan.timing import with_blocks

INSTRUCTIONS = "instructions"
AT_ONCE = 4
"""Servers of a block: between two requests one waits for its client, and leaves its CPU to another."""
START_S, POINT_S = 2.8, 0.65
"""On two CPUs, per server under valgrind: until it is up, and counted at a point."""
REQUESTS = 40
FEWEST_POINTS = 4
MOST_STARTS = 3


def counting_block(
    index: int, number: int, sides: Sequence[Sequence[Side]], requests: int, *, connections: int = 0
) -> Block:
    """One start: a window for each of ``sides``, which are counted at the same time; ``number`` makes ids unique."""
    windows: list[Window] = []
    targets = {side.target for each in sides for side in each}
    for each in sides:
        seconds = POINT_S * len(each)
        starting = 0.0 if windows else START_S * len(targets)
        key = f"{number:02d}-{each[0].point}"
        windows.append(
            Window(
                f"i{index:02d}-{key}",
                index,
                tuple(each),
                seconds,
                seconds + starting,
                INSTRUCTIONS,
                min_rounds=requests,
                key=key,
                connections=connections,
            )
        )
    return Block.of(index, windows, INSTRUCTIONS)


def with_counts(plan: Plan, targets: Sequence[Target], busy: Sequence[Point], budget_s: float) -> Plan:
    """The plan with starts in which a few targets are counted at a time, at one connection, after its first block: on a
    busy machine the load of later blocks gives way, since counts tell more there.

    Args:
        targets: without twins. ``busy``: points at which nothing waits; of several concurrencies one is counted.
        budget_s: what counting may take. Where it is too short, points are left out, those last from which most steps
            of ladders and validation lead to others, and then targets, those last that are their framework's reference.
    """
    measured = plan.alternating_sides
    settings = {(point.scenario, *point.params.items()): point for point in reversed(busy)}
    steps = Counter(side.point for each in plan.contrasts if each.a.point != each.b.point for side in (each.a, each.b))
    points = sorted((point for point in busy if point in settings.values()), key=lambda point: -steps[point.id])
    counted = sorted(
        (each for each in targets if any(Side(each.name, point.id) in measured for point in points)),
        key=lambda target: not target.reference,
    )

    def once() -> list[Block]:
        blocks = []
        for at in range(0, len(counted), AT_ONCE):
            every = [[Side(target.name, point.id) for target in counted[at : at + AT_ONCE]] for point in points]
            sides = [met for each in every if (met := [side for side in each if side in measured])]
            blocks.append(counting_block(0, at // AT_ONCE, sides, REQUESTS, connections=1))
        return blocks

    while points and counted and _seconds(once()) > budget_s:
        (points if len(points) > FEWEST_POINTS or len(counted) <= 2 else counted).pop()
    start = once()
    if not points or not start:
        return plan
    times = max(1, min(MOST_STARTS, int(budget_s / _seconds(start))))
    blocks = [
        replace(
            block,
            index=time,
            windows=tuple(replace(each, block=time, id=f"i{time:02d}-{each.key}") for each in block.windows),
        )
        for time in range(times)
        for block in start
    ]
    first, *later = plan.blocks
    return replace(with_blocks(plan, blocks, _seconds(blocks)), blocks=(first, *blocks, *later))


def _seconds(blocks: Sequence[Block]) -> float:
    return sum(block.load_s for block in blocks)
