"""How long slices, turns and blocks take: what the plan counts with, from waits, connections and capacity. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from harness.model import Block, Plan, Point, Reason, Target

SLICE_S = 0.05
WAIT_SLICE_S = 0.15
MANY_SLICE_S = 0.25
RAMP_S = 0.01
FEWEST_REPLIES = 20
CYCLES_PER_SLICE = 4
"""Where nothing waits, how often a slow server's slice goes round all connections. Not more often: noise of the machine
lasts for some tenths of a second, and only turns shorter than that share it. Not less often: while the last replies of
a slice come, fewer connections are busy. Turns of one Django server with eight threads at 32 connections, against
turns of 200 ms: 25 ms cost 4.4% more (± 1.6), 50 ms 2.2% (± 1.9), 100 ms 0.7% (± 1.8).
"""
EXPECTED_CPU_S = 0.0007
REPLIES_PER_SLICE = 64
FEWEST_WAITS = 4
MOST_WAITS = 20
MANY = 64
"""Connections above which a slice is over before a busy server has gone once round all of them."""
LONGEST_SLICE_S = 1.0
WAITING_S = 1.8
START_S = 0.7
_DRAIN_S = 0.012
_TURN_S = 0.010
_BLOCK_S = 1.0


def slice_length(point: Point) -> float:
    """50 ms; with waits 150 ms, or so many waits that the slice holds some 64 replies: 20 at most, 4 at least.

    The first sends of a slice are spread over one wait, so replies do not come in bursts, and a window of a few waits
    counts them as exactly as one of 20. Requests that wait live long enough for CPython to collect garbage of every age
    several times a second, some 40 ms each: a slice has to hold its share of that.

    One connection alone is never without its request from the first send to the last reply: two waits are enough.
    """
    if not point.wait_s:
        return MANY_SLICE_S if point.concurrency > MANY else SLICE_S
    if point.concurrency == 1:
        return max(WAIT_SLICE_S, 2 * point.wait_s)
    waits = min(MOST_WAITS, max(FEWEST_WAITS, math.ceil(REPLIES_PER_SLICE / point.concurrency)))
    shortest = MANY_SLICE_S if point.concurrency > MANY else WAIT_SLICE_S
    return max(shortest, RAMP_S + point.wait_s + waits * point.wait_s)


def lead_in(point: Point) -> float:
    """The ramp of a slice with waits: replies that were under way for less than one wait cannot have ended yet.

    None with many connections: there replies come in waves as long as the slice, and no window inside it counts them
    fairly. All replies over slice and drain do, over the time in which the server was not idle. None with one.
    """
    return RAMP_S + point.wait_s if point.wait_s and 1 < point.concurrency <= MANY else 0.0


def stagger(point: Point) -> float:
    """Over what time the first sends of a slice are spread: one wait, so that replies do not come in bursts."""
    return point.wait_s if point.concurrency > 1 else 0.0


def least_replies(point: Point) -> int:
    """How many replies a slice holds at least, so that a slow server gets longer ones.

    0 where all from the first send to the last reply is counted: with many connections, and with one that waits.
    """
    if point.concurrency > MANY or (point.wait_s and point.concurrency == 1):
        return 0
    return FEWEST_REPLIES if point.wait_s else max(FEWEST_REPLIES, CYCLES_PER_SLICE * point.concurrency)


def crowd_wait(point: Point) -> float:
    """The wait, where there are so many connections that all replies over slice and drain are counted."""
    return point.wait_s if point.concurrency > MANY else 0.0


def turn_seconds(target: Target, point: Point) -> float:
    """Expected time of a recorded turn: the slice, and the drain of what is still in hand at its end."""
    # A wait spreads over all connections; a busy server takes them one after the other.
    gap_s = point.wait_s / target.parallel(point.concurrency) if point.wait_s else EXPECTED_CPU_S
    grown = min(LONGEST_SLICE_S, least_replies(point) * gap_s)
    return max(point.slice_s, grown) + _drain_seconds(target, point)


def warmup_seconds(target: Target, point: Point) -> float:
    """Expected time of a warm-up turn, which opens connections and shows the rate, and need not hold many waits."""
    return SLICE_S + point.wait_s + _drain_seconds(target, point)


def block_seconds(targets: int) -> float:
    """Expected time to start, verify and end the servers of a block, two at a time."""
    return _BLOCK_S + START_S * targets / 2


def expected_seconds(*blocks: Block) -> float:
    """Expected time of blocks; windows on one target alone have the start of its server in their own."""
    return sum(
        block.load_s + (block_seconds(len(block.targets)) if block.trials or not block.study else 0.0)
        for block in blocks
    )


def with_blocks(plan: Plan, blocks: Sequence[Block], seconds: float) -> Plan:
    """The plan with more blocks after its own, and with the time that these take."""
    estimate_s, budget_s = plan.estimate_s + seconds, plan.budget_s + seconds
    return replace(plan, blocks=(*plan.blocks, *blocks), estimate_s=estimate_s, budget_s=budget_s)


def too_long(target: Target, point: Point, longest_s: float) -> Reason | None:
    """Why a turn of the target at the point cannot be afforded; ``None`` where it can."""
    turn = turn_seconds(target, point)
    if turn <= longest_s:
        return None
    waiting = target.parallel(point.concurrency)
    fields = {"turn_s": turn, "connections": point.concurrency, "waiting": waiting, "longest_s": longest_s}
    return Reason("long-turn", fields)


def _drain_seconds(target: Target, point: Point) -> float:
    waiting = point.wait_s * point.concurrency / target.parallel(point.concurrency)
    # CPU that the requests in hand need, as far as there are more of them than usual.
    crowd = EXPECTED_CPU_S * max(0, point.concurrency - MANY)
    return max(waiting, crowd) + _DRAIN_S + _TURN_S
