"""The sections about load on one target alone: their numbers are the summary's, their sentences agree with them."""

from dataclasses import replace

import pytest

from harness.model import Reason
from harness.report.markdown import render_markdown
from harness.report.numbers import plain
from harness.report.report import render_report
from harness.report.sections.study_sections import study_sentences
from harness.report.terminal import closing_lines
from harness.report.view import View
from harness.stats.estimate import Estimate
from harness.stats.scaling import Scalability
from harness.studies.capacity import CapacityRow, OverloadRow
from harness.studies.connections import ConnectionRow
from harness.studies.fanout import FanOutRow
from harness.studies.groups import Spread
from harness.studies.latency import LatencyRow
from harness.studies.memory import MemoryRow
from harness.studies.neighbours import NeighbourRow
from harness.studies.registry import StudyResults
from harness.studies.scaling import ScalingFit, ScalingRow
from tests.unit.summaries import estimate, manifest, summary
from tests.unit.test_report_page import check_numbers


def spread(p99_ms, count=1000):
    return Spread(count, p99_ms * 300.0, p99_ms * 1e3, p99_ms * 900.0, p99_ms * 1100.0)


def neighbour(target, name, share, p99_ms, times=None):
    head = (target, "neighbours", "ok", None, 3)
    ms = 50.0 if name else 0.0
    grown = None if times is None else estimate(times, blocks=3)
    return NeighbourRow(*head, name, share, ms, 180.0, "json", spread(p99_ms), grown)


def memory(target, growth, half, leak):
    estimate_ = Estimate(growth, growth - half, growth + half, 3)
    curve = tuple((requests, 5e7 + growth * requests / 1000) for requests in (0.0, 4000.0, 8000.0))
    return MemoryRow(target, "memory", "ok", None, 3, 8000.0, estimate_, leak, 5e7, curve[-1][1], 5e7, 10.0, curve)


def scaling(target, workers, speedup, **more):
    rate = estimate(100.0 * (speedup or 1.0))
    shares = tuple([1 / workers] * workers) if workers > 1 else ()
    known = {"throughput_rps": rate, "cpu_us": estimate(900.0), "generator_cpu": 0.08, "memory_bytes": 5e7}
    known |= {"latency": spread(20.0), "shares": shares, "times": float(workers)}
    if speedup:
        known |= {"by": "workers", "speedup": estimate(speedup), "efficiency": estimate(speedup / workers)}
    name = target if workers == 1 else f"{target}-{workers}x1"
    return ScalingRow(name, "scaling", "ok", None, 3, target, workers, 1, "cpu", 0.0, 4, **(known | more))


def fit():
    curve = tuple((float(n), 100.0 * n / (1 + 0.05 * (n - 1))) for n in (1, 2, 4, 8, 16))
    share = Estimate(0.05, 0.04, 0.06, 3)
    models = Scalability(share, None, curve), Scalability(share, Estimate(-0.001, -0.004, 0.002, 3), curve)
    return ScalingFit("slow", "scaling", "ok", None, 3, "io-sleep", "threads", 1, (1, 2, 4, 8, 16), curve, *models)


def results(cured=True):
    ok = ("ok", None, 3)
    curve = tuple((share, 1000.0 / (1.001 - share)) for share in (0.5, 0.9, 0.99))
    return StudyResults(
        neighbours=(
            neighbour("fast", "", 0, 3.0),
            neighbour("fast", "io-blocking", 5, 95.0, 31.7),
            neighbour("slow", "", 0, 4.0),
            neighbour("slow", "io-blocking", 5, 5.0, 1.25),
            neighbour("other", "", 0, 4.1),
            neighbour("fast twin", "", 0, 3.1),
            neighbour("fast twin", "io-blocking", 5, 4.5 if cured else 90.0, 1.5),
            NeighbourRow(
                "other",
                "neighbours",
                "failed",
                Reason("told", {"text": "it <died>"}),
                0,
                "io-blocking",
                5,
                50.0,
                180.0,
                "json",
            ),
        ),
        fan_out=tuple(
            FanOutRow(name, "fan-out", *ok, calls, 5.0, 1, spread(calls * scale), estimate(50.0), estimate(900.0))
            for name, scale in (("fast", 1.0), ("slow", 6.0))
            for calls in (1, 20)
        ),
        latency=tuple(
            LatencyRow(name, "latency", *ok, rate, "json", spread(scale * rate / 100), curve)
            for name, scale in (("fast", 1.0), ("slow", 3.0))
            for rate in (200.0, 600.0)
        ),
        capacity=(
            CapacityRow(
                "fast", "capacity", *ok, 50.0, 4321.0, 4100.0, 4550.0, 1, 1, 1, 1, ((100.0, 900.0, 1), (5000.0, 9e4, 0))
            ),
            CapacityRow("slow", "capacity", *ok, 50.0, 1500.0, 1400.0, 1610.0, 1, 1, 1, 0, ((100.0, 1900.0, 1),)),
            CapacityRow("other", "capacity", "not-measurable", Reason("told", {"text": "steal: 9%"}), 0, 50.0),
        ),
        overload=(
            OverloadRow("fast", "capacity", *ok, 50.0, 6480.0, 0.337, {"dropped": 12_345}, spread(260.0), 3, 0.25),
            OverloadRow("slow", "capacity", *ok, 50.0, 2250.0, 0.334, {"dropped": 9_999}, spread(700.0), 3, 1.5),
        ),
        connections=(
            ConnectionRow("fast", "connections", *ok, "idle", 5000, 5000, spread(4.0), 100.0, 0.0, 9e7),
            ConnectionRow("slow", "connections", *ok, "idle", 5000, 992, spread(900.0), 60.0, 0.41, 5e7),
            ConnectionRow(
                "slow", "connections", "cannot", Reason("told", {"text": "WSGI has no WebSocket"}), 0, "sockets", 1000
            ),
            ConnectionRow("fast", "connections", *ok, "alone", 0, 0, spread(3.0), 100.0, 0.0, 6e7),
        ),
        memory=(
            memory("fast", 1_060_000.0, 50_000.0, "found"),
            memory("slow", -1_500.0, 3_000.0, "none"),
            MemoryRow("other", "memory", "failed", Reason("told", {"text": "gone"}), 0),
        ),
        scaling=(scaling("fast", 1, None), scaling("fast", 2, 1.9), scaling("slow", 1, None), scaling("slow", 2, 1.4)),
        scaling_fits=(fit(),),
    )


def said(found):
    view = View(manifest(), summary(studies=found))
    found = study_sentences(view)
    return [plain(sentence) for name in ("async", "latency") for sentence in found[name]]


def test_every_number_of_the_studies_is_the_summarys():
    whole = summary(studies=results())
    page = render_report(manifest(), whole, ())
    assert check_numbers(page, whole) > 300
    assert "it &lt;died&gt;" in page
    assert "1,000 WebSocket echoes: cannot: WSGI has no WebSocket" in page
    assert page.count('role="img"') >= 5


def test_the_sentences_name_the_worst_its_cure_and_the_clear_leader():
    neighbours, fan_out, connections, latency, capacity, overload = said(results())
    assert "from 3.00 to 95.0 ms; in fast (again)" in neighbours
    assert "it is 4.50 ms" in neighbours
    assert "lowest median is fast with 6.00 ms, the highest slow with 36.0 ms" in fan_out
    assert "fast can hold all, while slow serves 992" in connections
    assert "At 600.0 requests per second, the lowest p99 measured is that of fast" in latency
    assert "up to 4,320 requests per second [4,100, 4,550], the highest of those measured" in capacity
    assert "34% of the requests unanswered" in overload
    assert "slow taking longest" in overload


def said_of_scaling(*rows):
    view = View(manifest(), summary(studies=StudyResults(scaling=rows, scaling_fits=(fit(),))))
    return [plain(sentence) for sentence in study_sentences(view)["scaling"]]


def test_the_most_and_the_least_that_workers_bring_are_said_with_their_intervals():
    growth, model = said_of_scaling(*results().scaling)
    assert "With 2 times the workers, fast answers 1.90 [" in growth
    assert "and slow 1.40 [" in growth
    assert "from 1 to 16 threads, a serial share of 5.0% [4.0%, 6.0%]" in model


def test_no_speed_up_is_said_of_workers_that_shared_unevenly_or_were_more_than_the_cpus():
    reason = Reason("uneven-workers", {"most": 0.97, "least": 0.03})
    uneven = replace(scaling("slow", 2, None, shares=(0.97, 0.03)), reason=reason)
    growth, _ = said_of_scaling(scaling("fast", 1, None), scaling("fast", 2, 1.9, limit="cpus"), uneven)
    assert "does not show" in growth
    assert "Not judged, because one worker served more than its part: slow" in growth
    page = render_report(manifest(), summary(studies=StudyResults(scaling=(uneven,))), ())
    assert "from 3% to 97% each" in page


def said_of_memory(*rows):
    view = View(manifest(), summary(studies=StudyResults(memory=rows)))
    [sentence] = study_sentences(view)["memory"]
    return plain(sentence)


def test_a_leak_is_said_with_its_interval_and_what_is_open_is_not_called_sound():
    leaks, sound, open_ = (
        memory("fast", 1.06e6, 5e4, "found"),
        memory("slow", -1.5e3, 3e3, "none"),
        memory("other", 2e5, 3e5, "undecided"),
    )
    assert "fast grows by 1,060 kB [1,010, 1,110] per 1,000 requests" in said_of_memory(leaks, sound, open_)
    assert "−1.50 kB [−4.50, 1.50]" in said_of_memory(sound)
    assert "does not show" in said_of_memory(sound, open_)


def test_no_cure_is_claimed_where_there_is_none():
    assert "in a thread" not in said(results(cured=False))[0]


def test_markdown_and_terminal_tell_the_same():
    whole = summary(studies=results(), cells=(), contrasts=())
    text = render_markdown(manifest(), whole)
    closing = closing_lines(manifest(), whole, "r", "d")
    for heading in ("Async behaviour", "Latency at equal offered load"):
        assert f"**{heading}**" in text
        assert any(line.startswith(f"{heading}: ") for line in closing)
    assert "measured nothing" not in text
    assert len(closing) <= 12


@pytest.mark.parametrize(
    "found",
    [
        StudyResults(),
        StudyResults(capacity=(CapacityRow("x", "c", "failed", Reason("told", {"text": "gone"}), 0, 50.0),)),
    ],
)
def test_without_data_the_sections_say_what_to_run_or_what_failed(found):
    page = render_report(manifest(), summary(studies=found), ())
    assert "harness run -s neighbours -s fan-out -s connections" in page
    if found.capacity:
        assert "failed: gone" in page
    else:
        assert "harness run -s latency -s capacity" in page
