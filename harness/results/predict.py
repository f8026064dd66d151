"""The throughput that a target's capacity allows, next to what was measured."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model import Manifest, Target
from harness.model.units import US
from harness.results.summary import Cell, ModelCheck


def model_rps(target: Target, wait_s: float, concurrency: int, cpu_us: float, cpus: int = 0) -> float:
    """Requests per second: the smaller of the CPU limit and capacity ÷ (wait + service).

    A worker runs Python on one CPU at a time, so the CPU limit is min(workers, cpus) ÷ service. The capacity is how
    many of ``concurrency`` requests the target holds at once.

    Args:
        wait_s: seconds that a request waits without using CPU.
        cpu_us: CPU microseconds per request.
        cpus: CPUs that the server may use; 0 for one for each worker.

    Raises:
        ValueError: a time is negative, or both are zero.
    """
    service_s = cpu_us / US
    if wait_s < 0 or service_s < 0 or wait_s + service_s <= 0:
        raise ValueError(f"wait {wait_s} s and service {service_s} s: neither below zero, and one above it")
    by_capacity = target.parallel(concurrency) / (wait_s + service_s)
    return min(min(target.workers, cpus or target.workers) / service_s, by_capacity) if service_s > 0 else by_capacity


def check_models(manifest: Manifest, cells: Sequence[Cell], margin: float) -> tuple[ModelCheck, ...]:
    """Every cell with both figures, where the scenario is one whose wait is exactly the one requested.

    Measurement leaves the model where its whole interval lies beyond the model's by more than ``margin``.
    """
    exact = {scenario.name for scenario in manifest.scenarios if scenario.bisect}
    points = {point.id: point for point in manifest.plan.points if point.scenario in exact}
    targets = {target.name: target for target in manifest.targets}
    checks = []
    for cell in cells:
        point, rps, cost = points.get(cell.point), cell.throughput_rps, cell.cpu_us
        if point is None or rps is None or cost is None or cost.value <= 0:
            continue
        model, low, high = (
            model_rps(targets[cell.target], point.wait_s, point.concurrency, max(cpu_us, 1e-3), manifest.server_cpus)
            for cpu_us in (cost.value, cost.ci_high or cost.value, cost.ci_low or cost.value)
        )
        below = rps.ci_high is not None and rps.ci_high < low / (1 + margin)
        above = rps.ci_low is not None and rps.ci_low > high * (1 + margin)
        checks.append(ModelCheck(cell.target, cell.point, model, low, high, rps.value / model, below or above))
    return tuple(checks)
