"""What more workers and more threads bring: the same load on a target with each number of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from pydantic import Field

from harness.model import ParamValue, Reason, Target, WindowRecord
from harness.model.load import Samples
from harness.model.units import MS
from harness.stats.estimate import Estimate
from harness.stats.scaling import MIN_POINTS, Scalability, fit_scalability
from harness.studies.groups import Group, Spread, StudyRow, groups, throughput, uneven
from harness.studies.study import Brief, Requests, Study, StudySettings, Values, WindowSpec, WindowSpecs

LOAD = "load"
BUSY_LOAD = 0.9
"""Of the connections: where so many wait in the server at once, more workers would find no request to wait with."""

By = Literal["workers", "threads"]
Limit = Literal["", "cpus", "load"]
EITHER: tuple[tuple[By, By], ...] = (("workers", "threads"), ("threads", "workers"))
"""A number that varies, and the one that stays."""


class Scaling(StudySettings):
    """Closed loop. ``warmup_s``: under load before each window, on servers that are fresh for every number."""

    blocks: int = Field(5, ge=1, le=50)
    warmup_s: float = Field(0.5, gt=0, le=600)


@dataclass(frozen=True, slots=True)
class ScalingRow(StudyRow):
    """A target with so many workers and threads, under one kind of request.

    Attributes:
        base: name of the target that it is a variant of, or its own.
        endpoint: what was requested. ``ms``: how long that waits; 0 where it computes.
        cpus: that its server could use. ``generator_cpu``: share of a CPU that the generator used meanwhile.
        memory_bytes: of the process tree, what processes share counted once.
        latency: service times with all connections busy, queueing in the server included.
        shares: part of the requests that each worker served, by its CPU clock, most first; means over blocks.
        by: whether ``times`` counts workers or threads; ``times``: how many times as many as the fewest measured.
        speedup: throughput over that with the fewest, in the same block; ``None`` where workers shared unevenly.
        efficiency: ``speedup`` per ``times``.
        limit: what more of them cannot go beyond: there are no more ``cpus``, or no more requests in the ``load``.
    """

    base: str
    workers: int
    threads: int
    endpoint: str
    ms: float
    cpus: int
    throughput_rps: Estimate | None = None
    cpu_us: Estimate | None = None
    generator_cpu: float | None = None
    memory_bytes: float | None = None
    latency: Spread | None = None
    shares: tuple[float, ...] = ()
    by: By | None = None
    times: float = 1.0
    speedup: Estimate | None = None
    efficiency: Estimate | None = None
    limit: Limit = ""


@dataclass(frozen=True, slots=True)
class ScalingFit(StudyRow):
    """Amdahl's law and the Universal Scalability Law through one target's numbers of workers or threads.

    Attributes:
        each: threads of each worker where ``by`` is ``workers``, workers where it is ``threads``.
        sizes: the numbers that were measured, in order, without those beyond a ``limit``.
        measured: (number, replies per second).
    """

    endpoint: str
    by: By
    each: int
    sizes: tuple[int, ...]
    measured: tuple[tuple[float, float], ...] = ()
    amdahl: Scalability | None = None
    universal: Scalability | None = None


def variants(target: Target, values: Values) -> Iterator[Target]:
    """The target itself, then with each number of workers, and with each number of threads."""
    yield target
    numbers = [(int(workers), target.threads) for workers in values.get("workers", ())]
    numbers += [(target.workers, int(threads)) for threads in values.get("threads", ())]
    for workers, threads in dict.fromkeys(numbers):
        if (workers, threads) != (target.workers, target.threads):
            yield replace(
                target,
                name=f"{target.name}-{workers}x{threads}",
                base=target.name,
                workers=workers,
                threads=threads,
                per_cpu=False,
                reference=False,
                variant=True,
            )


def windows(brief: Brief[Scaling]) -> WindowSpecs:
    """Each request in a closed loop, after a warm-up."""
    settings, target = brief.settings, brief.target
    known: dict[str, ParamValue] = {}
    if target is not None:
        known = {"base": target.base or target.name, "workers": target.workers, "threads": target.threads}
    for request in brief.requests:
        name = "-".join([request.endpoint, *map(str, request.params.values())])
        for step, seconds in (("warm-up", settings.warmup_s), (LOAD, settings.window_s)):
            load = Requests((request,), brief.concurrency[0], seconds, lead_in_s=0.0)
            setting = {**known, "step": step, **request.params}
            # No times are read from a warm-up, so what disturbs only these is no reason to repeat it.
            warm = step != LOAD
            yield WindowSpec(f"{name}-{step}", STUDY.name, setting, load, (request.endpoint,), memory=warm)


def scaling_rows(records: Sequence[WindowRecord], samples: Samples) -> tuple[ScalingRow, ...]:
    return tuple(row for _, row in _rows(records, samples))


def scaling_fits(records: Sequence[WindowRecord], samples: Samples) -> tuple[ScalingFit, ...]:
    """For each target, kind of request, and number that five or more values of the other were measured with."""
    series: dict[tuple[str, str, str, By, int], dict[int, Group]] = {}
    for group, row in _rows(records, samples):
        if row.throughput_rps and not row.limit and not uneven(row.shares):
            numbers = _numbers(group)
            for by, other in EITHER:
                place = (row.base, row.scenario, group.point, by, numbers[other])
                series.setdefault(place, {})[numbers[by]] = group
    whole = {key: members for key, members in series.items() if len(members) >= MIN_POINTS}
    return tuple(_fit(key[0], key[3], key[4], members) for key, members in whole.items())


def _rows(records: Iterable[WindowRecord], samples: Samples) -> list[tuple[Group, ScalingRow]]:
    loaded = groups([record for record in records if record.only.params.get("step") == LOAD], samples)
    return [(group, _row(group, *_fewest(group, loaded))) for group in loaded]


def _numbers(group: Group) -> dict[By, int]:
    return {by: int(group.setting.get(by, 1)) for by, _ in EITHER}


def _fewest(group: Group, all_: Sequence[Group]) -> tuple[By | None, Group]:
    """What it is compared with: the fewest workers with as many threads, or else the fewest threads."""
    for by, other in EITHER:
        alike = [each for each in all_ if _place(each, other) == _place(group, other)]
        fewest = min(alike, key=lambda each: _numbers(each)[by])
        if _numbers(fewest)[by] < _numbers(group)[by]:
            return by, fewest
    return None, group


def _place(group: Group, fixed: By) -> tuple[ParamValue | None, str, str, int]:
    """What groups have in common that differ only in the other number."""
    return group.setting.get("base"), group.scenario, group.point, _numbers(group)[fixed]


def _row(group: Group, by: By | None, fewest: Group) -> ScalingRow:
    numbers, shares = _numbers(group), _shares(group.records)
    times = numbers[by] / _numbers(fewest)[by] if by else 1.0
    speedup = group.over(fewest, throughput) if by else None
    if reason := uneven(shares) or uneven(_shares(fewest.records)):
        group, speedup = replace(group, reason=group.reason or reason), None
    figures = [record.only.figures for record in group.records]
    rate, ms = group.over_blocks(throughput), float(group.setting.get("ms", 0))
    cpus = int(max([0.0, *(each.get("cpus", 0.0) for each in figures)]))
    limit: Limit = ""
    if rate and ms and rate.value * ms / MS > BUSY_LOAD * group.records[0].only.concurrency:
        limit = "load"
    elif not ms and cpus and numbers[by or "workers"] > cpus:
        limit = "cpus"
    memory = [record.rss_bytes[group.target] for record in group.records if group.target in record.rss_bytes]
    return ScalingRow(
        *group.head,
        base=str(group.setting.get("base", group.target)),
        workers=numbers["workers"],
        threads=numbers["threads"],
        endpoint=group.first_class,
        ms=ms,
        cpus=cpus,
        throughput_rps=rate,
        cpu_us=group.over_blocks(lambda record: record.only.cpu_us),
        generator_cpu=float(np.mean([each["generator_cpu"] for each in figures])) if figures else None,
        memory_bytes=float(np.mean(memory)) if memory else None,
        latency=group.spread(group.first_class),
        shares=shares,
        by=by,
        times=times,
        speedup=speedup,
        efficiency=_divided(speedup, times),
        limit=limit,
    )


def _divided(estimate: Estimate | None, by: float) -> Estimate | None:
    if estimate is None:
        return None
    low, high = (None if end is None else end / by for end in (estimate.ci_low, estimate.ci_high))
    return replace(estimate, value=estimate.value / by, ci_low=low, ci_high=high)


def _shares(records: Sequence[WindowRecord]) -> tuple[float, ...]:
    """Means over blocks, most first."""
    blocks = [record.only.worker_shares for record in records if record.only.worker_shares]
    return tuple(map(float, np.mean(blocks, axis=0))) if blocks else ()


def _fit(base: str, by: By, each: int, members: Mapping[int, Group]) -> ScalingFit:
    sizes = tuple(sorted(members))
    rates = [{record.block: throughput(record) for record in members[size].records} for size in sizes]
    blocks = [block for block in rates[0] if all(rate.get(block) for rate in rates)]
    table = np.array([[rate[block] for rate in rates] for block in blocks], dtype=np.float64)
    amdahl, universal = (fit_scalability(sizes, table, coherency=coherency) for coherency in (False, True))
    first = members[sizes[0]]
    few = None if amdahl else Reason("verdict-blocks", {"blocks": len(blocks), "least": 2})
    return ScalingFit(
        base,
        first.scenario,
        "ok" if amdahl else "not-measurable",
        few,
        len(blocks),
        endpoint=first.first_class,
        by=by,
        each=each,
        sizes=sizes,
        measured=tuple(zip(map(float, sizes), map(float, table.mean(axis=0)), strict=True)) if blocks else (),
        amdahl=amdahl,
        universal=universal,
    )


STUDY = Study(
    "scaling",
    windows,
    Scaling,
    {"workers": False, "threads": False},
    requests=(1, 9),
    concurrency=True,
    variants=variants,
    wide=True,
)
