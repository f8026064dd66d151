"""The order in which the requests of a mix are sent: weighted, seeded, the same for every target."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import cycle
from math import gcd

from harness.load.checks import ReplyCheck
from harness.load.spec import WireRequest

SEQUENCE = 1024


def sequence(weights: Sequence[int], seed: int) -> list[int]:
    """Indexes into ``weights``: shuffled decks that each hold every request exactly in proportion to its weight.

    Raises:
        ValueError: no weight is above zero, or one is below.
    """
    if not any(weights) or min(weights) < 0:
        raise ValueError(f"weights must be 0 or more and not all 0: {list(weights)}")
    if len(weights) == 1:
        return [0]
    divisor = gcd(*weights)
    deck = [index for index, weight in enumerate(weights) for _ in range(weight // divisor)]
    rng, order = random.Random(seed), list[int]()
    while len(order) < SEQUENCE:
        order += rng.sample(deck, len(deck))
    return order


def endless(
    requests: Sequence[WireRequest], checks: Sequence[ReplyCheck], seed: int, share: int = 0, shares: int = 1
) -> Iterator[ReplyCheck]:
    """The checks of ``requests`` in the order of ``sequence``, over and over; every ``shares``-th from ``share`` on."""
    order = sequence([request.weight for request in requests], seed)
    return cycle([checks[order[(share + step * shares) % len(order)]] for step in range(len(order))])
