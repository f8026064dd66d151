"""The document that ``harness load --json`` prints, and that its text is made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.load.spec import FloatArray, LoadMeasurement

SCHEMA = 1
PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}


def percentiles(samples: FloatArray | None) -> dict[str, float] | None:
    """``p50 p90 p99 p999 max mean``, each an actual sample (but the mean); ``None`` where there are none."""
    if samples is None or not len(samples):
        return None
    values = np.quantile(samples, list(PERCENTILES.values()), method="inverted_cdf")
    table = {name: float(value) for name, value in zip(PERCENTILES, values, strict=True)}
    return table | {"max": float(samples.max()), "mean": float(samples.mean())}


def document(measurement: LoadMeasurement, reasons: tuple[str, ...], facts: Mapping[str, Any]) -> dict[str, Any]:
    """The ``--json`` document (``schema`` 1). Times in the unit their name says; ``null`` where there is no figure.

    Attributes of the document beside those of ``LoadMeasurement``:
        requests: requests whose time had come; ``answered + failed + dropped + unfinished``.
        throughput_rps: right replies per second of ``duration_s``, of those that were whole by its end.
        validity: why not to trust the figures; empty when sound.
    """
    m = measurement
    return {
        "schema": SCHEMA,
        **facts,
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
