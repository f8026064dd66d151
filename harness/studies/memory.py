"""Does memory grow with the requests, and what is left of it when the load is over?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from pydantic import Field

from harness.model import Reason, WindowRecord
from harness.stats.estimate import Estimate
from harness.stats.interval import mean_estimate
from harness.studies.groups import Group, StudyRow, rows_of
from harness.studies.study import Brief, Idle, Load, Requests, Study, StudySettings, WindowSpec, WindowSpecs

LEAK_BYTES = 100.0
"""Bytes per request above which growth is called a leak: less than almost any object that could stay for each."""

MOST_WARM_UPS = 10
OVERHEAD_S = 0.25

Leak = Literal["found", "none", "undecided"]


class Memory(StudySettings):
    """Closed loop: so many requests as a target answers.

    Attributes:
        connections: with one request each under way.
        warmup_requests: replies before the memory is first read: what a process has free after its start hides a leak
            until it is used up. In windows of ``warmup_s``, no more than ten.
        windows: after each of them it is read again.
        rest_s: from the last of them to the last reading.
    """

    window_s: float = Field(1.0, gt=0, le=600)
    connections: int = Field(16, ge=1, le=10_000)
    warmup_requests: int = Field(5000, ge=0)
    warmup_s: float = Field(2.0, gt=0, le=600)
    windows: int = Field(8, ge=2, le=100)
    rest_s: float = Field(10.0, gt=0, le=600)


@dataclass(frozen=True, slots=True)
class MemoryRow(StudyRow):
    """Memory of the process tree, without the pages of files such as libraries; what processes share counts once.

    Attributes:
        requests: replies after the warm-up, mean over blocks.
        growth_bytes: per 1,000 requests after the warm-up, by least squares within each block.
        leak: ``found`` where the whole interval lies above 100 bytes per request, and memory grew by more than that in
            both halves of the load of every block, which it does not where it settles; ``none`` where the interval lies
            below.
        warm_bytes, loaded_bytes, rested_bytes: memory after the warm-up, after the load, and ``rest_s`` seconds later;
            means over blocks.
        curve: (requests after the warm-up, bytes), means over blocks.
    """

    requests: float | None = None
    growth_bytes: Estimate | None = None
    leak: Leak = "undecided"
    warm_bytes: float | None = None
    loaded_bytes: float | None = None
    rested_bytes: float | None = None
    rest_s: float = 0.0
    curve: tuple[tuple[float, float], ...] = ()


def windows(brief: Brief[Memory]) -> WindowSpecs:
    """Warm-ups until there were requests enough, the load in parts of equal length, and a window without any."""
    settings, request = brief.settings, brief.requests[0]

    def window(key: str, step: str, load: Load) -> WindowSpec:
        setting = {"step": step, "windows": settings.windows, **request.params}
        return WindowSpec(key, "memory", setting, load, (request.endpoint,), memory=True)

    def load(seconds: float) -> Requests:
        return Requests((request,), settings.connections, seconds)

    answered = 0
    for number in range(MOST_WARM_UPS):
        record = yield window(f"warm-up-{number}", "warm-up", load(settings.warmup_s))
        answered += record.only.answered
        if record.failures or answered >= settings.warmup_requests:
            break
    for number in range(settings.windows):
        yield window(f"load-{number}", "load", load(settings.window_s))
    yield window("rest", "rest", Idle(settings.rest_s))


def _expected_s(settings: Memory) -> float:
    """With as many warm-ups as a target of 1,000 requests per second needs."""
    warm_ups = min(MOST_WARM_UPS, math.ceil(settings.warmup_requests / 1000 / settings.warmup_s) or 1)
    windows = settings.windows + warm_ups + 1
    load_s = warm_ups * settings.warmup_s + settings.windows * settings.window_s
    return load_s + settings.rest_s + windows * OVERHEAD_S


def _row(group: Group) -> MemoryRow:
    steps = _whole_blocks(group)
    if not steps:
        if group.status == "ok":
            group = replace(group, status="not-measurable", reason=Reason("incomplete-blocks"), records=())
        return MemoryRow(*group.head)
    answered = np.array([[record.only.answered for record in block[1:-1]] for block in steps])
    requests = np.pad(np.cumsum(answered, axis=1), ((0, 0), (1, 0)))
    memory = np.array([[record.only.figures["memory_bytes"] for record in block] for block in steps])
    # Rounded, as the fit of equal readings is not exactly flat.
    slopes = [round(1000 * float(np.polyfit(x, y, 1)[0]), 3) for x, y in zip(requests, memory[:, :-1], strict=True)]
    growth = mean_estimate(slopes)
    ends = [0, requests.shape[1] // 2, requests.shape[1] - 1]
    halves = 1000 * np.diff(memory[:, ends]) / np.diff(requests[:, ends])
    warm, loaded, rested = (float(memory[:, step].mean()) for step in (0, -2, -1))
    return MemoryRow(
        *group.head[:-1],
        len(steps),
        requests=float(requests[:, -1].mean()),
        growth_bytes=growth,
        leak=_leak(growth, float(halves.min())),
        warm_bytes=warm,
        loaded_bytes=loaded,
        rested_bytes=rested,
        rest_s=float(steps[0][-1].only.figures["window_s"]),
        curve=tuple(zip(requests.mean(axis=0).tolist(), memory[:, :-1].mean(axis=0).tolist(), strict=True)),
    )


def _whole_blocks(group: Group) -> list[list[WindowRecord]]:
    """Of each block that has all of its windows: the last warm-up, the load in parts, the rest."""
    blocks = []
    for number in dict.fromkeys(record.block for record in group.records):
        steps: dict[str, list[WindowRecord]] = {"warm-up": [], "load": [], "rest": []}
        for record in group.records:
            if record.block == number and "memory_bytes" in record.only.figures:
                steps[str(record.only.params["step"])].append(record)
        block = [*steps["warm-up"][-1:], *steps["load"], *steps["rest"]]
        if len(block) == int(group.setting["windows"]) + 2 and all(record.only.answered for record in block[:-1]):
            blocks.append(block)
    return blocks


def _leak(growth: Estimate, slowest_half: float) -> Leak:
    limit = 1000 * LEAK_BYTES
    if growth.ci_low is None or growth.ci_high is None:
        return "undecided"
    if growth.ci_high < limit:
        return "none"
    return "found" if growth.ci_low > limit and slowest_half > limit else "undecided"


rows = rows_of(_row, key=lambda record: "")
STUDY = Study("memory", windows, Memory, expected_s=_expected_s)
