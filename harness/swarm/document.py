"""The document that ``harness load --workers --json`` prints: that of one engine, with what each worker did."""

from __future__ import annotations

import math

from harness.load.document import SCHEMA, LoadDocument, LoadFacts, Percentiles, WorkerRow
from harness.swarm.distribution import Distribution
from harness.swarm.reports import SwarmMeasurement, no_report


def swarm_document(measurement: SwarmMeasurement, facts: LoadFacts) -> LoadDocument:
    """All that ``load.document.document`` says, of all workers together, and a row for each."""
    m = measurement
    report = m.report or no_report()
    return {
        "schema": SCHEMA,
        **facts,
        "requests": report.planned,
        "answered": report.answered,
        "failed": report.failed,
        "dropped": report.dropped,
        "unfinished": report.unfinished,
        "waited": report.waited,
        "errors": dict(report.errors),
        "examples": dict(report.examples),
        "status": {str(code): count for code, count in sorted(report.status.items())},
        "duration_s": report.duration_s,
        "elapsed_s": report.elapsed_s,
        "throughput_rps": report.in_time / report.duration_s if report.duration_s > 0 else None,
        "service_time_us": percentile_table(report.service),
        "response_time_us": percentile_table(report.response),
        "lateness_us": percentile_table(report.lateness),
        "series": {},
        "window_s": report.window_s,
        "windows": list(report.windows),
        "failed_windows": list(report.failed_windows),
        "generator_cpu": report.generator_cpu,
        "generator_wait": report.generator_wait,
        "connects": report.connects,
        "reconnects": report.reconnects,
        "retries": report.retries,
        "surplus": report.surplus,
        "interrupted": m.interrupted,
        "validity": list(m.reasons),
        "workers": [_worker(m, index) for index in range(len(m.members))],
        "lost_share": m.lost_share,
        "report_bytes": m.report_bytes,
        "merge_s": m.merge_s,
    }


def percentile_table(found: Distribution | None) -> Percentiles | None:
    """Percentiles within the histogram's precision; maximum and mean exact."""
    if found is None:
        return None
    p50, p90, p99, p999 = found.quantiles((0.5, 0.9, 0.99, 0.999))
    return {"p50": p50, "p90": p90, "p99": p99, "p999": p999, "max": found.most, "mean": found.total / found.count}


def _worker(m: SwarmMeasurement, index: int) -> WorkerRow:
    member, report = m.members[index], m.reports.get(index)
    rate = report.in_time / report.duration_s if report is not None and report.duration_s > 0 else None
    return {
        "host": member.host,
        "planned": report.planned if report else None,
        "answered": report.answered if report else None,
        "throughput_rps": rate,
        "generator_cpu": report.generator_cpu if report else None,
        "generator_wait": report.generator_wait if report else None,
        "connections": report.connections if report else None,
        "clock_offset_s": member.offset_s,
        "clock_uncertain_s": member.uncertain_s if member.uncertain_s < math.inf else None,
        "lost": member.lost,
        "noticed_s": member.noticed_s,
        "validity": list(report.reasons) if report else [],
    }
