"""The throughput that a target's capacity allows, for the model line beside what was measured."""

from __future__ import annotations


def predicted_throughput(
    wait_s: float,
    service_s: float,
    workers: int,
    threads: int,
    concurrency: int,
    sync: bool,
    *,
    cpus: int = 1,
) -> float:
    """Requests per second: the smaller of the CPU limit and capacity ÷ (wait + service).

    A worker runs Python on one CPU at a time, so the CPU limit is min(workers, cpus) ÷ service. A sync target holds
    min(workers × threads, concurrency) requests at once, an async one as many as are sent.

    Args:
        wait_s: seconds that a request waits without using CPU.
        service_s: CPU seconds per request.
        cpus: CPUs that the server may use.

    Raises:
        ValueError: a time is negative, both are zero, or a count is below one.
    """
    if wait_s < 0 or service_s < 0 or wait_s + service_s <= 0:
        raise ValueError(f"wait {wait_s} s and service {service_s} s: neither below zero, and one above it")
    if min(workers, threads, concurrency, cpus) < 1:
        raise ValueError("workers, threads, concurrency and cpus are each at least 1")
    capacity = min(workers * threads, concurrency) if sync else concurrency
    by_capacity = capacity / (wait_s + service_s)
    return min(min(workers, cpus) / service_s, by_capacity) if service_s > 0 else by_capacity
