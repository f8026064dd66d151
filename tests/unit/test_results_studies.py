"""From window records to the results of studies: pooled, by block, with reasons for what is missing."""

from dataclasses import replace

import numpy as np
import pytest

from harness.model import Failure, Gate, Manifest, Plan, Reason, Target, final_attempts
from harness.results.summarise import summarise
from harness.studies.registry import study_results
from tests.records import alone

TARGETS = (Target("t", "own", "asgi", "uvicorn", "own:app"), Target("w", "own", "wsgi", "gunicorn", "own:app"))


class Windows:
    """Records with their samples."""

    def __init__(self):
        self.records, self.kept = [], {}

    def add(self, study, target, block, key, setting, latencies=None, scenario=None, attempt=0, **more):
        scenario = scenario or study
        parts = {name: np.asarray(values, dtype=float) for name, values in (latencies or {}).items()}
        count = sum(map(len, parts.values()))
        name = f"b{block:02d}-{scenario}-{target}-{key}"
        record = alone(
            name, block, study, target, key, scenario=scenario, params=setting, attempt=attempt, latencies=parts,
            samples=f"{name}.{attempt}", **({"planned": count, "answered": count} | more),
        )  # fmt: skip
        self.records.append(record)
        self.kept[record.samples] = dict(enumerate(parts.values()))
        return record

    def samples(self, record):
        return self.kept.get(record.samples, {})

    def manifest(self):
        plan = Plan("quick", 1, 0, 0, (), (), ())
        return Manifest("r", "", "2026-01-01T00:00:00Z", "finished", "harness run", 1, plan, TARGETS, (), {}, {})

    def results(self):
        return study_results(final_attempts(self.records), self.samples)


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
    steal = Gate(Reason("steal", {"text": "9% was taken"}))
    row = neighbours((steal,)).results().neighbours[1]
    assert (row.status, row.latency, row.reason) == ("not-measurable", None, steal.reason)
    windows = neighbours((steal,))
    windows.add("neighbours", "t", 0, "io-blocking-5", {"neighbour": "io-blocking"}, {"json": [7.0] * 9}, attempt=1)
    assert windows.results().neighbours[1].blocks == 1


def test_what_cannot_be_is_told_apart_from_what_failed():
    windows = Windows()
    no = Failure("w", "sockets-9", Reason("no-websocket"))
    windows.add("connections", "w", 0, "sockets-9", {"sockets": 9}, failures=(no,))
    gone = replace(no, reason=Reason("died", {"exit_code": "1"}))
    windows.add("connections", "t", 0, "sockets-9", {"sockets": 9}, failures=(gone,))
    rows = windows.results().connections
    assert [(row.target, row.status, row.reason) for row in rows] == [
        ("w", "cannot", no.reason),
        ("t", "failed", gone.reason),
    ]


def test_connections_served_and_unanswered():
    windows = Windows()
    for block, closed in enumerate((0, 8)):
        figures = {"idle_answered": 1000.0, "idle_closed": float(closed), "throughput_rps": 90.0}
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
    found = summarise(windows.manifest(), windows.records, windows.samples)
    assert (found.badge, found.reasons, found.blocks) == ("sound", (), 3)
    windows = neighbours((Gate(Reason("steal", {"text": "9%"})),))
    found = summarise(windows.manifest(), windows.records, windows.samples)
    assert found.badge == "warnings"
    assert Reason("lost-windows", {"lost": 3, "tried": 6}) in found.reasons


def test_a_search_that_no_window_broke_names_no_rate():
    windows = Windows()
    for rate in (10.0, 20.0, 40.0):
        setting = {"rate": rate, "bound_ms": 50.0, "step": "double"}
        windows.add("capacity", "t", 0, f"double-{rate:g}", setting, {"json": [900.0] * 90},
                    figures={"late_share": 0.0, "counted_s": 1.0})  # fmt: skip
    (row,) = windows.results().capacity
    assert (row.status, row.rps, row.high_rps) == ("not-measurable", None, None)
    assert row.reason == Reason("beyond-rates")
    windows.add("capacity", "t", 0, "double-80", {"rate": 80.0, "bound_ms": 50.0, "step": "double"},
                {"json": [9e5] * 90}, figures={"late_share": 0.5, "counted_s": 1.0})  # fmt: skip
    (row,) = windows.results().capacity
    assert row.status == "ok"
    assert 0 < row.low_rps < row.rps < row.high_rps


def memory(kept, *, settled=0.0, lost=()):
    """A target that keeps ``kept`` bytes of each request, and settles by so many bytes once in each block."""
    windows, rng = Windows(), np.random.default_rng(1)
    for block in range(3):
        size = 50e6
        for number, key in enumerate(("warm-up", "load-0", "load-1", "load-2", "load-3", "rest")):
            answered = 0 if key == "rest" else int(rng.integers(900, 1100))
            size += kept * answered + (settled if number == 1 + block else 0.0)
            failures = (Failure("t", key, Reason("died", {"exit_code": "1"})),) if (block, key) in lost else ()
            figures = {"memory_bytes": size, "window_s": 10.0 if key == "rest" else 1.0}
            windows.add(
                "memory",
                "t",
                block,
                key,
                {"windows": 4, "step": "load" if key.startswith("load") else key},
                figures=figures,
                planned=answered,
                answered=answered,
                failures=failures,
            )
    return windows.results().memory[0]


def test_memory_that_is_kept_of_every_request_is_a_leak_at_its_rate():
    row = memory(1000.0, settled=100_000.0)
    assert (row.status, row.blocks, row.leak, row.rest_s) == ("ok", 3, "found", 10.0)
    assert row.growth_bytes.value == pytest.approx(1e6, rel=0.1)
    assert 0.9e6 < row.growth_bytes.ci_low < row.growth_bytes.ci_high < 1.1e6
    assert row.loaded_bytes - row.warm_bytes == pytest.approx(1000 * row.requests + 100_000 * 3 / 3, rel=0.01)
    assert row.rested_bytes == row.loaded_bytes
    assert (row.curve[0][0], row.curve[-1][0]) == (0, row.requests)


def test_memory_that_settles_is_no_leak_and_a_block_alone_decides_nothing():
    assert memory(0.0).leak == "none"
    assert memory(0.0).growth_bytes.value == 0
    assert memory(5.0).leak == "none"
    assert memory(-20.0).growth_bytes.value < 0
    settling = memory(0.0, settled=1e6)
    assert settling.growth_bytes.ci_low > 100_000
    assert settling.leak == "undecided", "memory did not grow in both halves"
    alone = memory(1000.0, lost={(0, "load-1"), (1, "rest")})
    assert (alone.blocks, alone.leak, alone.growth_bytes.ci_low) == (1, "undecided", None)
    none = memory(1000.0, lost={(0, "load-1"), (1, "warm-up"), (2, "rest")})
    assert (none.status, none.growth_bytes) == ("not-measurable", None)
    assert none.reason == Reason("incomplete-blocks")
