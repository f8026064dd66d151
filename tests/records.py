"""Records of windows in few words, for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.model import LACKS, Side, SideResult, Slices, WindowRecord
from harness.record import Run
from harness.stats.quantiles import class_percentiles


def code_of(run: Run) -> int:
    """What ``harness run`` has to end with: on a busy machine, windows may be left without a sound attempt."""
    done = {record.id for record in run.windows() if _has_numbers(record)}
    planned = {window.id for window in run.manifest.plan.windows} | {record.id for record in run.windows()}
    return 4 if planned - done else 0


def _has_numbers(record: WindowRecord) -> bool:
    """Whether it gave CPU cost at least, which others on the CPU (up to half of it) do not void."""
    if record.failures:
        return {each.reason.code for each in record.failures} <= LACKS
    if record.slices is None:
        return not record.gates
    if any((*record.slices.wrong, *record.slices.failed)):
        return False
    shares = [
        each.reason.fields.get("share", each.reason.fields.get("wait", 1.0))
        if each.reason.code in {"steal", "throttled", "foreign-cpu", "generator-starved"}
        else 1.0
        for each in record.gates
    ]
    return all(isinstance(share, float) and share <= 0.5 for share in shares)


def side_of(side: Side, errors: Mapping[str, int] | None = None) -> SideResult:
    """The side as a record names it."""
    scenario, _, concurrency = side.point.partition("@")
    return SideResult(
        side.target, side.point, scenario, {}, int(concurrency) if concurrency.isdecimal() else 0, errors=errors or {}
    )


def turns(
    id: str,
    block: int,
    sides: Sequence[Side],
    slices: Slices,
    *,
    attempt: int = 0,
    started_at: str = "2026-01-01T00:00:00",
    duration_s: float = 1.0,
    errors: Mapping[int, Mapping[str, int]] | None = None,
    **more,
) -> WindowRecord:
    """A window whose sides took turns; ``errors``: index of the side → kind → count."""
    results = tuple(side_of(side, (errors or {}).get(index)) for index, side in enumerate(sides))
    return WindowRecord(id, block, attempt, "", "wire", started_at, duration_s, results, slices, **more)


def alone(
    id: str,
    block: int,
    study: str,
    target: str,
    point: str,
    *,
    scenario: str = "",
    params: Mapping[str, object] | None = None,
    concurrency: int = 1,
    planned: int = 0,
    answered: int = 0,
    errors: Mapping[str, int] | None = None,
    latencies: Mapping[str, Sequence[float]] | None = None,
    figures: Mapping[str, float] | None = None,
    attempt: int = 0,
    engine: str = "wire",
    **more,
) -> WindowRecord:
    """A window of a study, which one target had for itself."""
    latency_us = {name: class_percentiles(values) for name, values in (latencies or {}).items()}
    result = SideResult(
        target, point, scenario or study, params or {}, concurrency, planned, answered, errors or {}, latency_us,
        figures or {},
    )  # fmt: skip
    return WindowRecord(id, block, attempt, study, engine, "2026-01-01T00:00:00", 2.0, (result,), **more)
