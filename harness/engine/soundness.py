"""Is a load's result sound? Gates that look at the generator, at the laws that any queue obeys and at the waits that
requests ask for, never at how good the figures are. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from harness.engine.spec import EventsSpec, LoadSpec, WireLoad, WireRequest
from harness.model.load import FloatArray, LoadResult, every
from harness.model.reason import Reason
from harness.model.units import EARLY_S, MS, US

GENERATOR_SHARE = 0.75
LATENESS_US = 1000.0
LITTLE_CLOSED = 0.02
LITTLE_OPEN = 0.05
WAIT_SHARE = 0.05
FEW_REPLIES = 100
EARLY_SHARE = 0.01
MACHINE_LIMITS = ("no-ports", "no-files")
"""Kinds of error, and codes of reasons, for which a load says nothing of the server."""


def reasons(result: LoadResult, order: WireLoad | None = None) -> tuple[Reason, ...]:
    """Why one process's result is not sound; empty when it is.

    Args:
        order: what it had to send; ``None`` for a journey.
    """
    checks = (
        machine_limit(result.errors),
        _unanswered(result),
        _miscounted(result),
        _generator(result),
        starved(result.generator_wait),
        _little(result),
        None if order is None else _early(result, order),
    )
    return tuple(reason for reason in checks if reason is not None)


def machine_limit(errors: Mapping[str, int]) -> Reason | None:
    """Whether this machine had no port or no file left for a connection."""
    return next((Reason(kind, {"count": errors[kind]}) for kind in MACHINE_LIMITS if errors.get(kind)), None)


def early(service_time_us: FloatArray, requests: Sequence[WireRequest]) -> Reason | None:
    """Whether replies came before the wait that their requests ask for was over: then the server did not wait.

    In a mix, as many may be early as there are requests with a shorter wait. By Little's law this bounds the throughput
    of a closed loop too: at most its connections ÷ the wait.
    """
    weights = sum(request.weight for request in requests)
    for least_s in sorted({request.least_s for request in requests} - {0.0}):
        shorter = sum(request.weight for request in requests if request.least_s < least_s)
        count = int(np.count_nonzero(service_time_us < (least_s - EARLY_S) * US))
        allowed = (shorter / weights + EARLY_SHARE) * len(service_time_us) + (weights if shorter else 0)
        if count > allowed:
            p1_us = float(np.percentile(service_time_us, 1))
            return Reason(
                "early", {"count": count, "replies": len(service_time_us), "wait_ms": least_s * MS, "p1_us": p1_us}
            )
    return None


def _early(result: LoadResult, order: WireLoad) -> Reason | None:
    if isinstance(order, LoadSpec):
        if not any(request.least_s for request in order.requests):
            return None
        times = every(result.service_time_us)
        if result.loop != "open" or result.trace is None:
            return early(times, order.requests)
        parts = (early(times[result.trace.request == index], [one]) for index, one in enumerate(order.requests))
        return next((reason for reason in parts if reason is not None), None)
    gaps = result.series.get("gap_us")
    if not isinstance(order, EventsSpec) or gaps is None:
        return None
    # An event that was late on its way comes just before the next one: no gap says anything, their mean does.
    mean_s = gaps.total / gaps.count / US
    if mean_s >= order.gap_s - EARLY_S:
        return None
    return Reason("early-events", {"gap_us": mean_s * US, "wait_ms": order.gap_s * MS})


def _unanswered(result: LoadResult) -> Reason | None:
    # A stream that was opened just before the end had no time for an event.
    unfinished = 0 if result.interrupted or result.loop == "stream" else result.unfinished
    if result.answered and not result.failed + result.dropped + unfinished:
        return None
    lost = {"failed": result.failed, "dropped": result.dropped, "unfinished": unfinished}
    return Reason("replies", {"planned": result.planned, "answered": result.answered, **lost})


def _miscounted(result: LoadResult) -> Reason | None:
    ended = result.answered + result.failed + result.dropped + result.unfinished
    times = 0 if result.service_time_us is None else result.service_time_us.count
    if ended != result.planned:
        return Reason("request-counts", {"expected": result.planned, "counted": ended})
    if times != result.answered:
        return Reason("time-counts", {"expected": result.answered, "counted": times})
    return None


def _generator(result: LoadResult) -> Reason | None:
    if result.lateness_us is not None:
        p99 = result.lateness_us.quantiles([0.99])[0]
        return Reason("generator-late", {"p99_us": p99}) if p99 > LATENESS_US else None
    if result.loop != "open" and result.generator_cpu > GENERATOR_SHARE:
        return Reason("generator-bound", {"cpu": result.generator_cpu})
    return None


def starved(wait: float) -> Reason | None:
    """Whether the generator waited for a CPU for too long: its own CPU time does not show what others used."""
    return Reason("generator-starved", {"wait": wait}) if wait > WAIT_SHARE else None


def _little(result: LoadResult) -> Reason | None:
    service, response, trace = result.service_time_us, result.response_time_us, result.trace
    if result.answered < FEW_REPLIES or result.answered < 0.99 * result.planned:
        return None
    if result.loop == "open" and response is not None:
        measured, expected = response.total * 1e-6 / max(result.elapsed_s, 1e-9), result.in_flight_mean or 0.0
        allowed = LITTLE_OPEN
    elif result.loop == "closed" and service is not None:
        handshakes = result.series.get("tls_handshake_us")
        busy = handshakes.total / US if handshakes else 0.0
        if trace is None:
            # A long load, of which the last replies are a small part.
            busy += service.total / US
        else:
            busy += float((np.minimum(trace.sent_s + service.values / US, result.duration_s) - trace.sent_s).sum())
        measured, expected = busy / result.duration_s, float(result.connections)
        allowed = LITTLE_CLOSED
    else:
        return None
    if not expected or abs(measured - expected) <= allowed * expected:
        return None
    return Reason("littles-law", {"in_flight": measured, "expected": expected})
