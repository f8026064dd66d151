"""Is a load's measurement sound? Gates that look at the generator and at the laws that any queue obeys, never at
how good the figures are. Pure.
"""

from __future__ import annotations

import numpy as np

from harness.load.spec import LoadMeasurement

GENERATOR_SHARE = 0.75
LATENESS_US = 1000.0
LITTLE_CLOSED = 0.02
LITTLE_OPEN = 0.05
WAIT_SHARE = 0.05
FEW_REPLIES = 100


def reasons(measurement: LoadMeasurement, connections: int) -> tuple[str, ...]:
    """Why the measurement is not sound; empty when it is.

    Args:
        connections: concurrency of a closed loop.
    """
    return tuple(reason for _, reason in faults(measurement, connections))


def faults(measurement: LoadMeasurement, connections: int) -> tuple[tuple[str, str], ...]:
    """The same, each under the name of its gate; ``replies`` are requests without a right reply."""
    late = measurement.lateness_us is not None
    found = (
        ("replies", _unanswered(measurement)),
        ("books", _unaccounted(measurement)),
        ("generator-late", _lateness(measurement)) if late else ("generator-bound", _generator(measurement)),
        ("generator-starved", _waited(measurement)),
        ("littles-law", _little(measurement, connections)),
    )
    return tuple((gate, reason) for gate, reason in found if reason)


def _percent_off(measured: float, expected: float) -> float:
    """Relative difference in percent; 0 where nothing was expected."""
    return abs(measured - expected) / expected * 100 if expected > 0 else 0.0


def _unanswered(measurement: LoadMeasurement) -> str:
    if not measurement.answered:
        return "no right reply"
    lost = {
        "failed": measurement.failed,
        "dropped at the cap of requests in flight": measurement.dropped,
        "unfinished": 0 if measurement.interrupted else measurement.unfinished,
    }
    parts = [f"{count} {what}" for what, count in lost.items() if count]
    return f"of {measurement.planned} requests, {', '.join(parts)}" if parts else ""


def _unaccounted(measurement: LoadMeasurement) -> str:
    ended = measurement.answered + measurement.failed + measurement.dropped + measurement.unfinished
    samples = len(measurement.service_time_us)
    if ended != measurement.planned:
        return f"{measurement.planned} requests, but {ended} outcomes"
    if samples != measurement.answered:
        return f"{measurement.answered} right replies, but {samples} service times"
    return ""


def _generator(measurement: LoadMeasurement) -> str:
    if measurement.generator_cpu > GENERATOR_SHARE:
        return f"generator-bound: {measurement.generator_cpu:.0%} of its CPU; the server may be faster than this"
    return ""


def _waited(measurement: LoadMeasurement) -> str:
    if measurement.generator_wait > WAIT_SHARE:
        return (
            f"the generator waited for its CPU {measurement.generator_wait:.0%} of the time: other processes run there"
        )
    return ""


def _lateness(measurement: LoadMeasurement) -> str:
    lateness = measurement.lateness_us
    if lateness is None or not len(lateness):
        return ""
    p99 = float(np.percentile(lateness, 99))
    return f"lateness p99 above 1 ms: {p99 / 1000:.1f} ms; the generator was late" if p99 > LATENESS_US else ""


def _little(measurement: LoadMeasurement, connections: int) -> str:
    if measurement.answered < FEW_REPLIES or measurement.answered < 0.99 * measurement.planned or measurement.series:
        return ""
    if measurement.response_time_us is None:
        begun = measurement.sent_s
        ended = np.minimum(begun + measurement.service_time_us * 1e-6, measurement.duration_s)
        found, wanted, allowed = (
            float((ended - begun).sum()) / measurement.duration_s,
            float(connections),
            LITTLE_CLOSED,
        )
    else:
        found = float(measurement.response_time_us.sum()) * 1e-6 / max(measurement.elapsed_s, 1e-9)
        wanted, allowed = measurement.in_flight_mean or 0.0, LITTLE_OPEN
    off = _percent_off(found, wanted)
    if off <= 100 * allowed:
        return ""
    return f"Little's law off by {off:.0f}%: {found:.2f} in flight by the samples, {wanted:.2f} by the count"
