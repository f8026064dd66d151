"""The document that ``harness load --json`` prints, and that its text is made from."""

from __future__ import annotations

from typing import Literal, NotRequired

import numpy as np
from typing_extensions import TypedDict

from harness.load.spec import FloatArray, LoadMeasurement

SCHEMA = 1
PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}


class Percentiles(TypedDict):
    """Microseconds; each an actual sample, but for the mean."""

    p50: float
    p90: float
    p99: float
    p999: float
    max: float
    mean: float


class LoadFacts(TypedDict):
    """What was asked for."""

    url: str
    loop: Literal["open", "closed", "stream"]
    connections: int
    rate_rps: float | None
    seed: int
    processes: int


class WorkerRow(TypedDict):
    """One of several workers that shared a load; counts are ``null`` where it was lost.

    Attributes:
        clock_offset_s: its clock minus the master's; ``clock_uncertain_s``: how far off that may be.
        lost: why it was given up; empty where it was not. ``noticed_s``: from its last sign of life to that.
        validity: why not to trust its share.
    """

    host: str
    planned: int | None
    answered: int | None
    throughput_rps: float | None
    generator_cpu: float | None
    generator_wait: float | None
    connections: int | None
    clock_offset_s: float
    clock_uncertain_s: float | None
    lost: str
    noticed_s: float
    validity: list[str]


class LoadDocument(LoadFacts):
    """What ``harness load --json`` prints. Times are in the unit that their name says, ``null`` where there is none.

    Attributes:
        loop: ``open`` (an arrival rate), ``closed`` (a concurrency), or ``stream`` (WebSocket, server-sent events).
        requests: requests whose time had come; ``answered + failed + dropped + unfinished``.
        answered: right replies.
        dropped: requests of an open loop that were never sent, because too many were under way.
        waited: requests of an open loop that waited for a free connection.
        errors: kind of error → count. ``examples``: an example of each.
        status: status code → count.
        throughput_rps: right replies per second of ``duration_s``, of those that were whole by its end.
        service_time_us: from the moment a request was sent to its last byte.
        response_time_us: from the moment that was planned for it to its last byte; open loop.
        lateness_us: from the planned moment to the send, the generator's own fault; open loop.
        series: other times of streams, such as between two messages.
        windows: right replies per ``window_s``, one stretch after another; ``failed_windows``: failures.
        generator_cpu: share of a CPU that the generator used; ``generator_wait``: share of the time it waited for one.
        validity: why not to trust the figures; empty when sound.
        workers: only where several shared the load, as are the others from here on. Percentiles are then those of all
            latencies together, within 0.05% of a value; counts, mean and max are exact.
        lost_share: part of the load that lost workers were to send.
        report_bytes: what all reports were together; ``merge_s``: the time that merging them took.
    """

    schema: int
    requests: int
    answered: int
    failed: int
    dropped: int
    unfinished: int
    waited: int
    errors: dict[str, int]
    examples: dict[str, str]
    status: dict[str, int]
    duration_s: float
    elapsed_s: float
    throughput_rps: float | None
    service_time_us: Percentiles | None
    response_time_us: Percentiles | None
    lateness_us: Percentiles | None
    series: dict[str, Percentiles | None]
    window_s: float
    windows: list[int]
    failed_windows: list[int]
    generator_cpu: float
    generator_wait: float
    connects: int
    reconnects: int
    retries: int
    surplus: int
    interrupted: bool
    validity: list[str]
    workers: NotRequired[list[WorkerRow]]
    lost_share: NotRequired[float]
    report_bytes: NotRequired[int]
    merge_s: NotRequired[float]


def percentiles(samples: FloatArray | None) -> Percentiles | None:
    """``p50 p90 p99 p999 max mean``, each an actual sample (but the mean); ``None`` where there are none."""
    if samples is None or not len(samples):
        return None
    values = np.quantile(samples, list(PERCENTILES.values()), method="inverted_cdf")
    p50, p90, p99, p999 = (float(value) for value in values)
    return {
        "p50": p50,
        "p90": p90,
        "p99": p99,
        "p999": p999,
        "max": float(samples.max()),
        "mean": float(samples.mean()),
    }


def document(measurement: LoadMeasurement, reasons: tuple[str, ...], facts: LoadFacts) -> LoadDocument:
    """The ``--json`` document; ``reasons`` become its ``validity``."""
    m = measurement
    return {
        "schema": SCHEMA,
        "url": facts["url"],
        "loop": facts["loop"],
        "connections": facts["connections"],
        "rate_rps": facts["rate_rps"],
        "seed": facts["seed"],
        "processes": facts["processes"],
        "requests": m.planned,
        "answered": m.answered,
        "failed": m.failed,
        "dropped": m.dropped,
        "unfinished": m.unfinished,
        "waited": m.waited,
        "errors": dict(m.errors),
        "examples": dict(m.examples),
        "status": {str(code): count for code, count in m.status.items()},
        "duration_s": m.duration_s,
        "elapsed_s": m.elapsed_s,
        "throughput_rps": m.in_time / m.duration_s if m.duration_s > 0 else None,
        "service_time_us": percentiles(m.service_time_us),
        "response_time_us": percentiles(m.response_time_us),
        "lateness_us": percentiles(m.lateness_us),
        "series": {name: percentiles(samples) for name, samples in sorted(m.series.items())},
        "window_s": m.window_s,
        "windows": list(m.windows),
        "failed_windows": list(m.failed_windows),
        "generator_cpu": m.generator_cpu,
        "generator_wait": m.generator_wait,
        "connects": m.connects,
        "reconnects": m.reconnects,
        "retries": m.retries,
        "surplus": m.surplus,
        "interrupted": m.interrupted,
        "validity": list(reasons),
    }
