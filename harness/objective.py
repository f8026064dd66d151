"""Did a window meet its objective, and at which rate does a target break it? Shared by measuring and reading."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.bisection import LIMIT, Bisection, Tried
from harness.model import WindowRecord

STUDIES = frozenset({"neighbours", "fan-out", "latency", "capacity", "overload", "connections"})
"""What the windows of studies say that they belong to."""

SEARCH = ("double", "search")
"""Steps of the search; ``confirm`` is the other."""


def held(record: WindowRecord) -> bool:
    """Every request got its right reply, and no more of them were late than a p99 allows."""
    if record.failures or record.errors or not record.answered or record.answered < record.planned:
        return False
    return record.figures["late_share"] <= LIMIT


def tried(records: Iterable[WindowRecord], steps: Sequence[str] = SEARCH) -> list[Tried]:
    """What the windows of these steps came to, where they are fit to judge by, in their order."""
    return [
        Tried(float(record.setting["rate"]), record.figures["late_share"], record.figures["counted_s"])
        for record in records
        if record.setting.get("step") in steps
        and "late_share" in record.figures
        and not any(gate.fatal for gate in record.gates)
    ]


def edge(records: Iterable[WindowRecord]) -> Bisection:
    """Where the objective breaks, from every window of the search."""
    bisection = Bisection()
    for each in tried(records):
        bisection.learn(each)
    return bisection
