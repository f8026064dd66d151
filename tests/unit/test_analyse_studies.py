"""From window records to the results of studies: pooled, by block, with reasons for what is missing."""

from dataclasses import replace

import numpy as np
import pytest

from harness.analyse.studies import study_results
from harness.analyse.summarise import summarise
from harness.model import Failure, Gate, Manifest, Plan, Target, Trial, WindowRecord
from harness.quantiles import percentiles

TARGETS = (Target("t", "own", "asgi", "uvicorn", "own:app"), Target("w", "own", "wsgi", "gunicorn", "own:app"))


class Windows:
    """Records with their samples, and the manifest whose trials they belong to."""

    def __init__(self):
        self.records, self.kept, self.trials = [], {}, {}

    def add(self, study, target, block, key, setting, latencies=None, scenario=None, attempt=0, **more):
        scenario = scenario or study
        trial = f"b{block:02d}-{scenario}-{target}"
        self.trials[trial] = Trial(trial, block, study, scenario, target, {}, 1.0)
        parts = {name: np.asarray(values, dtype=float) for name, values in (latencies or {}).items()}
        count = sum(map(len, parts.values()))
        record = WindowRecord(
            f"{trial}-{key}", block, attempt, study, target, key, "wire", setting, "2026-01-01T00:00:00Z", 2.0,
            count, count, latency_us={n: {"count": len(v), **percentiles([v])} for n, v in parts.items()},
            samples=f"{trial}-{key}.{attempt}",
        )  # fmt: skip
        record = replace(record, **more)
        self.records.append(record)
        self.kept[record.samples] = dict(enumerate(parts.values()))
        return record

    def samples(self, record):
        return self.kept.get(record.samples, {})

    def manifest(self):
        plan = Plan("quick", 1, 0, 0, (), (), (), trials=tuple(self.trials.values()))
        return Manifest("r", "", "2026-01-01T00:00:00Z", "finished", "harness run", 1, plan, TARGETS, (), {}, {})

    def results(self):
        return study_results(self.manifest(), self.records, self.samples)


def neighbours(gates=()):
    windows = Windows()
    for block in range(3):
        slow = np.linspace(1000, 60_000 + 1000 * block, 300)
        windows.add("neighbours", "t", block, "alone", {"rate": 180, "share": 0}, {"json": np.linspace(500, 2000, 300)})
        setting = {"rate": 180, "share": 5, "neighbour": "io-blocking", "ms": 50}
        latencies = {"json": slow, "io-blocking": [51_000.0] * 15}
        windows.add("neighbours", "t", block, "io-blocking-5", setting, latencies, gates=gates)
    return windows


def test_percentiles_are_pooled_and_ratios_are_within_blocks():
    alone, beside = neighbours().results().neighbours
    assert (alone.neighbour, beside.neighbour, beside.share, beside.ms) == ("", "io-blocking", 5, 50)
    assert beside.latency.count == 900
    assert 59_000 < beside.latency.p99_low_us < beside.latency.p99_us < beside.latency.p99_high_us < 62_000
    assert alone.times is None
    assert beside.times.value == pytest.approx(30.5, rel=0.03)
    assert beside.times.blocks == 3


def test_gated_windows_give_no_number_but_their_reason_and_a_retry_counts():
    steal = Gate("steal", "", "", "9% was taken")
    row = neighbours((steal,)).results().neighbours[1]
    assert (row.status, row.latency, row.reason) == ("not-measurable", None, "steal: 9% was taken")
    windows = neighbours((steal,))
    windows.add("neighbours", "t", 0, "io-blocking-5", {"neighbour": "io-blocking"}, {"json": [7.0] * 9}, attempt=1)
    assert windows.results().neighbours[1].blocks == 1


def test_what_cannot_be_is_told_apart_from_what_failed():
    windows = Windows()
    no = Failure("w", "sockets-9", "cannot", "WSGI has no WebSocket")
    windows.add("connections", "w", 0, "sockets-9", {"sockets": 9}, failures=(no,))
    windows.add(
        "connections", "t", 0, "sockets-9", {"sockets": 9}, failures=(replace(no, kind="died", message="gone"),)
    )
    rows = windows.results().connections
    assert [(row.target, row.status, row.reason) for row in rows] == [
        ("w", "cannot", "WSGI has no WebSocket"),
        ("t", "failed", "gone"),
    ]


def test_connections_served_and_unanswered():
    windows = Windows()
    for block, closed in enumerate((0, 8)):
        figures = {"idle_answered": 1000.0, "idle_closed": float(closed), "throughput_rps": 90.0, "rss_bytes": 5e7}
        windows.add("connections", "t", block, "idle-1000", {"idle": 1000, "slow": 0}, {"json": [900.0] * 90},
                    figures=figures, planned=100)  # fmt: skip
    (row,) = windows.results().connections
    assert (row.kind, row.number, row.served, row.blocks) == ("idle", 1000, 992, 2)
    assert row.unanswered_share == pytest.approx(0.1)


def test_overloads_are_pooled_and_come_back_or_not():
    windows = Windows()
    for block in range(3):
        figures = {"overload_planned": 1500.0, "overload_answered": 1000.0}
        figures |= {"recovery_s": 0.25 * block} if block else {}
        setting = {"rate": 100.0, "bound_ms": 50.0}
        windows.add("overload", "t", block, "overload", setting, {"overload": [2e5] * 50}, "capacity",
                    figures=figures, errors={"dropped": 500})  # fmt: skip
    (row,) = windows.results().overload
    assert row.unanswered_share == pytest.approx(1 / 3)
    assert (row.recovered, row.recovery_s, row.errors) == (2, 0.5, {"dropped": 1500})
    assert row.rate_rps == pytest.approx(150)


def test_curves_end_where_ten_samples_lie_beyond():
    windows = Windows()
    for block in range(3):
        windows.add("latency", "t", block, "200-rps", {"rate": 200}, {"json": np.arange(1.0, 401.0)})
    (row,) = windows.results().latency
    assert row.curve[-1][0] == 0.99
    assert [value for _, value in row.curve] == sorted(value for _, value in row.curve)


def test_a_run_of_studies_alone_is_sound_when_its_windows_are():
    windows = neighbours()
    found = summarise(windows.manifest(), (), lambda record: {}, windows.records, windows.samples)
    assert (found.badge, found.reasons, found.blocks) == ("sound", (), 3)
    windows = neighbours((Gate("steal", "", "", "9%"),))
    found = summarise(windows.manifest(), (), lambda record: {}, windows.records, windows.samples)
    assert found.badge == "warnings"
    assert "3 of 6 windows of studies are not measurable" in found.reasons


def test_a_search_that_no_window_broke_names_no_rate():
    windows = Windows()
    for rate in (10.0, 20.0, 40.0):
        setting = {"rate": rate, "bound_ms": 50.0, "step": "double"}
        windows.add("capacity", "t", 0, f"double-{rate:g}", setting, {"json": [900.0] * 90},
                    figures={"late_share": 0.0, "counted_s": 1.0})  # fmt: skip
    (row,) = windows.results().capacity
    assert (row.status, row.rps, row.high_rps) == ("not-measurable", None, None)
    assert "beyond the rates that were tried" in row.reason
    windows.add("capacity", "t", 0, "double-80", {"rate": 80.0, "bound_ms": 50.0, "step": "double"},
                {"json": [9e5] * 90}, figures={"late_share": 0.5, "counted_s": 1.0})  # fmt: skip
    (row,) = windows.results().capacity
    assert row.status == "ok"
    assert 0 < row.low_rps < row.rps < row.high_rps
