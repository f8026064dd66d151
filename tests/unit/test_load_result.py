"""What a load came to: times that are kept or counted, results that are merged, and their one JSON form."""

import json
from dataclasses import fields, replace

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram

from harness.model.load import PRECISION, Latencies, LoadResult, Trace, WorkerShare, every
from harness.model.reason import Reason

SHARES = (0.5, 0.9, 0.99, 0.999, 1.0)


def latencies(seed, count=5000):
    return np.random.default_rng(seed).lognormal(6, 1.5, count)


@pytest.mark.parametrize("count", [1, 2, 9, 100, 101, 20_000])
def test_percentiles_of_merged_histograms_are_those_of_all_times_together(count):
    parts = np.array_split(latencies(count, count), min(count, 4))
    together = np.concatenate(parts)
    found = Latencies.merge(Latencies.of(part).histogram() for part in parts)
    exact = np.quantile(together, SHARES, method="inverted_cdf")
    assert found.quantiles(SHARES) == pytest.approx(exact, rel=PRECISION)
    assert (found.count, found.least, found.most) == (count, together.min(), together.max())
    assert found.total == pytest.approx(together.sum())
    assert len(found.samples()) == count


@pytest.mark.parametrize("scale_us", [0.01, 1.0, 30.0, 1e4, 1e7])
def test_a_histogram_is_the_same_after_any_number_of_hands(scale_us):
    times = np.random.default_rng(1).exponential(scale_us, 20_000)
    first = Latencies.of(times).histogram()
    again = Latencies.from_json(json.loads(json.dumps(first.to_json())))
    for other in (again, again.histogram(), Latencies.merge([again, again])):
        assert other.values.tolist() == first.values.tolist()
    assert again.counts.tolist() == first.counts.tolist()
    assert Latencies.merge([again, again]).count == 40_000
    errors = np.abs(first.samples() - np.sort(times))
    assert (errors <= np.maximum(0.0005, PRECISION * np.sort(times)) * 1.0001).all()


def test_percentiles_of_kept_times_are_times():
    found = Latencies.of(np.arange(1.0, 1001.0))
    assert found.quantiles([0.5, 0.9, 0.99, 0.999]) == [500, 900, 990, 999]
    table = found.to_json()
    assert {name: table[name] for name in table if name != "hdr"} == {
        "count": 1000, "min": 1, "p50": 500, "p90": 900, "p99": 990, "p999": 999, "max": 1000, "mean": 500.5,
    }  # fmt: skip
    both = Latencies.merge([found, None, Latencies.of(np.array([7.0]))])
    assert both.counts is None
    assert both.values[-1] == 7


def test_one_histogram_makes_a_histogram_of_all():
    found = Latencies.merge([Latencies.of(latencies(1)), Latencies.of(latencies(2)).histogram()])
    assert found.counts is not None
    assert found.count == 10_000


def test_the_histogram_is_what_others_read_too():
    samples = latencies(1)
    read = HdrHistogram.decode(Latencies.of(samples).to_json()["hdr"])
    assert read.get_total_count() == len(samples)
    assert read.get_value_at_percentile(50) / 1000 == pytest.approx(np.median(samples), rel=0.002)


def test_what_cannot_be_in_a_histogram():
    assert Latencies.of(None) is Latencies.of(np.zeros(0)) is Latencies.merge([None, None]) is None
    assert len(every(None)) == 0
    edge = Latencies.of(np.array([-5.0, 0.0, 0.02, 1e12])).histogram()
    assert edge.count == 4
    assert edge.quantiles([0.25, 1.0]) == [pytest.approx(0, abs=0.0005), pytest.approx(3.6e9, rel=0.001)]


def result(seed, **changes):
    service = latencies(seed, 400)
    values = {
        "loop": "open", "connections": 4, "rate_rps": 200.0, "duration_s": 2.0, "elapsed_s": 2.01, "planned": 402,
        "answered": 400, "failed": 1, "unfinished": 1, "waited": 3, "in_time": 399, "in_flight_mean": 0.5,
        "service_time_us": Latencies.of(service), "response_time_us": Latencies.of(service + 5),
        "lateness_us": Latencies.of(np.full(402, 20.0)), "series": {"a": Latencies.of(service)},
        "answered_steps": (200, 200), "failed_steps": (0, 1), "status": {200: 400, 500: 1},
        "errors": {"wrong-status": 1}, "examples": {"wrong-status": f"500 of {seed}"},
        "generator_cpu": 0.2 + seed / 100, "connects": 4, "counts": {"idle_opened": 2},
        "trace": Trace(np.linspace(0, 2, 400), np.zeros(400, np.int32)), "workers": (WorkerShare(f"worker {seed}", 4),),
        "reasons": (Reason("replies", {"failed": 1}),),
    } | changes  # fmt: skip
    return LoadResult(**values)


def test_counts_are_added_and_times_put_together():
    both = LoadResult.merge([result(1), result(3, answered_steps=(200, 100, 100), duration_s=2.5)])
    assert (both.connections, both.rate_rps, both.planned, both.answered, both.failed) == (8, 200.0, 804, 800, 2)
    assert (both.unfinished, both.waited, both.in_time, both.connects) == (2, 6, 798, 8)
    assert (both.duration_s, both.throughput_rps) == (2.5, 798 / 2.5)
    assert (both.answered_steps, both.failed_steps) == ((400, 300, 100), (0, 2))
    assert (both.status, both.errors, both.counts) == ({200: 800, 500: 2}, {"wrong-status": 2}, {"idle_opened": 4})
    assert both.examples == {"wrong-status": "500 of 1"}
    assert (both.in_flight_mean, both.generator_cpu) == (1.0, 0.23)
    assert both.series["a"].count == both.service_time_us.count == len(both.trace.sent_s) == 800
    assert [worker.name for worker in both.workers] == ["worker 1", "worker 3"]
    assert len(both.reasons) == 2
    assert LoadResult.merge([result(1)]).planned == 402
    with pytest.raises(ValueError, match="nothing"):
        LoadResult.merge([])


def test_a_part_that_sent_nothing_changes_nothing_of_the_rest():
    nothing = LoadResult("open", 4, 0.0, 0.0, lost_share=0.5)
    both = LoadResult.merge([nothing, result(2)])
    assert (both.planned, both.throughput_rps, both.rate_rps, both.lost_share) == (402, 399 / 2, 200.0, 0.5)
    assert both.service_time_us.count == 400
    assert both.trace is None
    assert nothing.throughput_rps is None


def test_the_json_form_holds_everything_but_the_trace():
    one = result(2)
    document = json.loads(json.dumps(one.to_json(), allow_nan=False))
    assert set(document) == {field.name for field in fields(LoadResult)} - {"trace"}
    assert (document["planned"], document["status"], document["throughput_rps"]) == (402, {"200": 400, "500": 1}, 199.5)
    again = LoadResult.from_json(document)
    assert again.trace is None
    times = ("service_time_us", "response_time_us", "lateness_us")
    for name in times:
        exact, read = getattr(one, name).to_json(), getattr(again, name).to_json()
        assert read.pop("hdr") == exact.pop("hdr")
        assert read == pytest.approx(exact, rel=PRECISION)
    without = dict.fromkeys(times) | {"series": {}, "trace": None}
    assert replace(again, **without).to_json() == replace(one, **without).to_json()


def test_workers_merge_over_json_as_one_process_would_have_seen_it():
    parts = [result(seed) for seed in range(4)]
    exact = LoadResult.merge(parts)
    merged = LoadResult.merge([LoadResult.from_json(part.to_json()) for part in parts])
    assert merged.response_time_us.quantiles(SHARES) == pytest.approx(
        exact.response_time_us.quantiles(SHARES), rel=PRECISION
    )
    times = ("service_time_us", "response_time_us", "lateness_us", "series", "trace")
    for field in fields(LoadResult):
        if field.name not in times:
            assert getattr(merged, field.name) == getattr(exact, field.name), field.name


@pytest.mark.parametrize(
    "change",
    [
        {"planned": "many"},
        {"loop": "triangle"},
        {"service_time_us": {"count": 1}},
        {"service_time_us": Latencies.of(latencies(1)).to_json() | {"hdr": "SGVsbG8="}},
        {"service_time_us": Latencies.of(latencies(1)).to_json() | {"count": 4999}},
    ],
)
def test_what_is_no_result_is_refused(change):
    with pytest.raises(ValueError, match="LoadResult"):
        LoadResult.from_json({**result(1).to_json(), **change})
    for rubbish in (None, {}, [1]):
        with pytest.raises(ValueError, match="LoadResult"):
            LoadResult.from_json(rubbish)
