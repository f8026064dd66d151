"""What the records of a study have in common: one target at one setting over blocks, as a row of the results. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from harness.model import LACKS, ParamValue, Reason, WindowRecord
from harness.model.load import FloatArray, Samples
from harness.stats.estimate import Estimate
from harness.stats.interval import estimate
from harness.stats.quantiles import BEYOND, percentiles

UNEVEN = 1.25
"""Times an equal share: a worker that serves more than this does so not only by chance."""

SHARES = (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.9975, 0.999, 0.9995, 0.9999)

RowStatus = Literal["ok", "cannot", "failed", "not-measurable"]
Figure = Callable[[WindowRecord], float | None]


@dataclass(frozen=True, slots=True)
class Spread:
    """A class of requests: percentiles in microseconds over every sample of all blocks, and how the p99 varied.

    Attributes:
        p99_low_us, p99_high_us: the lowest and the highest block's.
    """

    count: int
    p50_us: float
    p99_us: float
    p99_low_us: float
    p99_high_us: float


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One target at one setting; ``reason`` says why there is no number, where ``status`` is not ``ok``."""

    target: str
    scenario: str
    status: RowStatus
    reason: Reason | None
    blocks: int


@dataclass(frozen=True, slots=True)
class Group:
    """The windows of one target at one setting; ``records``: those from which numbers may be drawn, a block each."""

    target: str
    scenario: str
    point: str
    setting: Mapping[str, ParamValue]
    records: tuple[WindowRecord, ...]
    status: RowStatus
    reason: Reason | None
    samples: Samples

    @property
    def head(self) -> tuple[str, str, RowStatus, Reason | None, int]:
        """What every row begins with."""
        return self.target, self.scenario, self.status, self.reason, len({record.block for record in self.records})

    @property
    def first_class(self) -> str:
        """Name of the first class of requests; empty where none got a reply."""
        return next((name for record in self.records for name in record.only.latency_us), "")

    def spread(self, name: str) -> Spread | None:
        """Of a class of requests; ``None`` where none of them got a right reply."""
        parts = list(self._latencies(name))
        pooled = percentiles(parts)
        if not pooled:
            return None
        each = [percentiles([part])["p99"] for part in parts if part.size]
        count = sum(part.size for part in parts)
        return Spread(count, pooled["p50"], pooled["p99"], min(each), max(each))

    def curve(self, name: str) -> tuple[tuple[float, float], ...]:
        """(share, microseconds) up to where ``BEYOND`` samples lie beyond."""
        together = np.sort(np.concatenate([np.empty(0), *self._latencies(name)]))
        return tuple(
            (share, float(together[int(np.ceil(share * together.size)) - 1]))
            for share in SHARES
            if together.size * (1 - share) >= BEYOND and together.size * share >= 1
        )

    def over_blocks(self, value: Figure) -> Estimate | None:
        """Mean and interval of a positive figure."""
        values = [each for record in self.records if (each := value(record)) is not None and each > 0]
        return estimate(values)

    def over(self, other: Group, value: Figure) -> Estimate | None:
        """Mean and interval of a figure over that of another group in the same block."""
        before = {record.block: value(record) for record in other.records}

        def ratio(record: WindowRecord) -> float | None:
            base, now = before.get(record.block), value(record)
            return now / base if base and now else None

        return self.over_blocks(ratio)

    def _latencies(self, name: str) -> Iterator[FloatArray]:
        for record in self.records:
            names = list(record.only.latency_us)
            yield self.samples(record).get(names.index(name), np.empty(0)) if name in names else np.empty(0)


def groups(
    records: Iterable[WindowRecord],
    samples: Samples,
    key: Callable[[WindowRecord], str] = lambda record: record.only.point,
) -> list[Group]:
    """By (target, scenario, ``key``), in the order of their first records."""
    gathered: dict[tuple[str, str, str], list[WindowRecord]] = {}
    for record in records:
        gathered.setdefault((record.only.target, record.only.scenario, key(record)), []).append(record)
    results = []
    for place, members in gathered.items():
        usable = tuple(record for record in members if record.sound)
        setting = (usable or members)[0].only.params
        results.append(Group(*place, setting, usable, *_status(members), samples))
    return results


Row = TypeVar("Row", bound=StudyRow)


def rows_of(
    row: Callable[[Group], Row], key: Callable[[WindowRecord], str] = lambda record: record.only.point
) -> Callable[[Sequence[WindowRecord], Samples], tuple[Row, ...]]:
    """A row for each group."""
    return lambda records, samples: tuple(map(row, groups(records, samples, key)))


def _status(members: Sequence[WindowRecord]) -> tuple[RowStatus, Reason | None]:
    if any(record.sound for record in members):
        return "ok", None
    for record in members:
        for failure in record.failures:
            return "cannot" if failure.reason.code in LACKS else "failed", failure.reason
    return "not-measurable", members[0].faults[0]


def throughput(record: WindowRecord) -> float | None:
    return record.only.figures.get("throughput_rps")


def uneven(shares: Sequence[float]) -> Reason | None:
    """Whether one worker served clearly more than its part, of the shares of all, most first."""
    if len(shares) < 2 or shares[0] <= UNEVEN / len(shares):
        return None
    return Reason("uneven-workers", {"most": float(shares[0]), "least": float(shares[-1])})
