"""The throughput that a target's capacity allows, beside what was measured."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analyse.summary import Cell, Estimate, ModelCheck
from harness.model import Manifest, Point, Target


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


def server_cpus(manifest: Manifest) -> int:
    """How many CPUs the servers were confined to; 0 where they were not pinned."""
    listed = manifest.environment.get("server CPU", "").split(",")
    return sum(part.strip().isdigit() for part in listed)


def model_rps(target: Target, wait_s: float, concurrency: int, cpu_us: float, cpus: int) -> float:
    """The model of a target with a CPU cost; ``cpus`` of 0 means one for each worker."""
    return predicted_throughput(
        wait_s,
        cpu_us / 1e6,
        target.workers,
        target.threads,
        concurrency,
        target.interface == "wsgi",
        cpus=cpus or target.workers,
    )


def check_models(manifest: Manifest, cells: Sequence[Cell], margin: float) -> tuple[ModelCheck, ...]:
    """Every cell with both figures, where the scenario is one whose wait is exactly what was asked for.

    Measurement leaves the model where its whole interval lies beyond the model's by more than ``margin``.
    """
    exact = {scenario.name for scenario in manifest.scenarios if scenario.bisect}
    points = {point.id: point for point in manifest.plan.points if point.scenario in exact}
    targets = {target.name: target for target in manifest.targets}
    cpus = server_cpus(manifest)
    found = []
    for cell in cells:
        point, rps, cost = points.get(cell.point), cell.throughput_rps, cell.cpu_us
        if point is not None and rps is not None and cost is not None and cost.value > 0:
            found.append(_check(targets[cell.target], point, rps, cost, cpus, margin))
    return tuple(found)


def _check(target: Target, point: Point, rps: Estimate, cost: Estimate, cpus: int, margin: float) -> ModelCheck:
    def at(cpu_us: float) -> float:
        return model_rps(target, point.wait_s, point.concurrency, max(cpu_us, 1e-3), cpus)

    dearest, cheapest = cost.ci_high or cost.value, cost.ci_low or cost.value
    low, high = at(dearest), at(cheapest)
    measured_low, measured_high = rps.ci_low, rps.ci_high
    known = measured_low is not None and measured_high is not None
    leaves = known and (measured_high < low / (1 + margin) or measured_low > high * (1 + margin))  # type: ignore[operator]
    model = at(cost.value)
    return ModelCheck(target.name, point.id, model, low, high, rps.value / model, leaves)
