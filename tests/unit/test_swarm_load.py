"""Shares of a load and what becomes of them: pure parts of the scale-out."""

import dataclasses
import json

import msgpack
import numpy as np
import pytest
from hdrh.histogram import HdrHistogram

from harness.commands.crew import CrewRequest, check_reachable, crew_of
from harness.commands.worker import parse_master
from harness.errors import EngineError, UsageError
from harness.load.document import document
from harness.load.merge import merge
from harness.load.pacing import schedule
from harness.load.soundness import reasons
from harness.load.spec import Address, Expected, LoadMeasurement, LoadSpec, WireRequest
from harness.render.load_summary import lines
from harness.swarm.distribution import distribution, merged
from harness.swarm.document import percentile_table, swarm_document
from harness.swarm.network import Hello, LoadOrder, LoadReport, own_hello, pack, unpack
from harness.swarm.reports import Member, SwarmMeasurement, merge_reports, report_of, shares, verdicts

SHARES = (0.5, 0.9, 0.99, 0.999, 1.0)
REQUEST = WireRequest("GET /", b"GET / HTTP/1.1\r\n\r\n\xff", Expected(200, json={"a": [1, None]}, check_json=True))
SPEC = LoadSpec(Address("10.0.0.2", 8000), (REQUEST,), 10, 2.0)


def latencies(seed, count=5000):
    return np.random.default_rng(seed).lognormal(6, 1.5, count)


@pytest.mark.parametrize("count", [1, 2, 9, 100, 101, 20_000])
def test_percentiles_of_merged_histograms_are_those_of_all_samples_together(count):
    parts = np.array_split(latencies(count, count), min(count, 4))
    together = np.concatenate(parts)
    found = merged(distribution(part) for part in parts)
    exact = np.quantile(together, SHARES, method="inverted_cdf")
    assert found.quantiles(SHARES) == pytest.approx(exact, rel=1 / 2048)
    assert (found.count, found.least, found.most) == (count, together.min(), together.max())
    assert found.total == pytest.approx(together.sum())
    assert len(found.samples()) == count


def test_the_histogram_is_what_others_read_too():
    samples = latencies(1)
    read = HdrHistogram.decode(distribution(samples).encoded, b64_wrap=False)
    assert read.get_total_count() == len(samples)
    assert read.get_value_at_percentile(50) / 1000 == pytest.approx(np.median(samples), rel=0.002)


def test_what_cannot_be_in_a_histogram():
    assert distribution(None) is None
    assert distribution(np.zeros(0)) is None
    assert merged([None, None]) is None
    edge = distribution(np.array([-5.0, 0.0, 0.02, 1e12]))
    assert edge.count == 4
    assert edge.quantiles([0.25, 1.0]) == [0.0, pytest.approx(3.6e9, rel=0.001)]


@pytest.mark.parametrize("rate", [None, 333.0])
def test_the_shares_are_the_whole_load_and_no_part_is_twice(rate):
    spec = dataclasses.replace(SPEC, rate=rate, arrivals="poisson")
    parts = shares(spec, 4)
    assert sorted(part.connections for part in parts) == [2, 2, 3, 3]
    assert {(part.share, part.shares) for part in parts} == {(0, 4), (1, 4), (2, 4), (3, 4)}
    if rate is not None:
        whole = schedule("poisson", rate, 2.0, spec.seed)
        sent = np.sort(np.concatenate([whole[part.share :: part.shares] for part in parts]))
        assert (sent == whole).all()
    with pytest.raises(UsageError, match="cannot be shared by 11"):
        shares(SPEC, 11)


def measurement(seed, **changes):
    service = latencies(seed, 400)
    values = {
        "duration_s": 2.0, "elapsed_s": 2.01, "planned": 402, "answered": 400, "failed": 1, "dropped": 0,
        "unfinished": 1, "waited": 3, "in_time": 399, "sent_s": np.linspace(0, 2, 400), "service_time_us": service,
        "response_time_us": service + 5, "lateness_us": np.full(402, 20.0), "in_flight_mean": 0.5, "window_s": 0.1,
        "windows": (200, 200), "failed_windows": (0, 1), "status": {200: 400, 500: 1}, "errors": {"wrong-status": 1},
        "examples": {"wrong-status": "500"}, "generator_cpu": 0.2 + seed / 100, "connects": 4,
    } | changes  # fmt: skip
    return LoadMeasurement(**values)


def report(seed, **changes):
    return report_of(1, measurement(seed, **changes), 4)


def test_reports_merge_as_the_measurements_would():
    parts = [measurement(seed) for seed in range(4)]
    one, all_reports = merge(parts), merge_reports([report_of(1, part, 4) for part in parts])
    same = ("planned", "answered", "failed", "dropped", "unfinished", "waited", "in_time", "windows", "failed_windows")
    for name in (*same, "status", "errors", "generator_cpu", "connects", "duration_s", "elapsed_s"):
        assert getattr(all_reports, name) == getattr(one, name), name
    exact = np.quantile(one.response_time_us, 0.99, method="inverted_cdf")
    assert percentile_table(all_reports.response)["p99"] == pytest.approx(exact, rel=1 / 2048)
    with pytest.raises(ValueError, match="nothing"):
        merge_reports([])


def test_orders_and_reports_survive_the_network():
    order = LoadOrder(3, dataclasses.replace(SPEC, rate=5.0, start_at=1.5))
    for value in (order, report(1)):
        arrived = msgpack.unpackb(msgpack.packb(pack(value)), raw=False, strict_map_key=False)
        assert unpack(type(value), arrived) == value
    for rubbish in (None, {}, {"id": "x", "spec": 3}, [1]):
        with pytest.raises(EngineError, match="LoadOrder that is none"):
            unpack(LoadOrder, rubbish)
    assert unpack(LoadReport, pack(report(1))).service.count == 400


def test_only_workers_like_the_master_are_taken():
    own = own_hello()
    assert own.differs_from(own) == ""
    for name in ("version", "build", "locust"):
        assert name.replace("version", "harness") in own.differs_from(dataclasses.replace(own, **{name: "0"}))
    assert own.differs_from(dataclasses.replace(own, python="3.99.0", host="elsewhere", cpus=64)) == ""
    assert isinstance(own, Hello)


MEMBERS = (Member(0, "a"), Member(1, "b", lost="no sign of life for 3.2 s", noticed_s=3.2), Member(2, "c"))


def test_gates_are_each_workers_own():
    sound = report(1, failed=0, unfinished=0, planned=400, errors={}, lateness_us=np.full(400, 20.0))
    sound = dataclasses.replace(sound, reasons=())
    busy = dataclasses.replace(sound, reasons=("generator-bound: 90% of its CPU",))
    assert verdicts(MEMBERS[:1], {0: sound}) == ()
    assert verdicts(MEMBERS, {0: sound, 2: busy}) == (
        "worker 2 (b) was lost: no sign of life for 3.2 s",
        "worker 3 (c): generator-bound: 90% of its CPU",
    )
    assert verdicts(MEMBERS, {0: sound}, without_lost=True) == ()
    assert verdicts(MEMBERS, {}, without_lost=True) == ("no worker is left",)
    astray = (Member(0, "a", uncertain_s=0.2),)
    assert "began" in verdicts(astray, {0: sound})[0] or "begun" in verdicts(astray, {0: sound})[0]
    short = dataclasses.replace(sound, duration_s=1.0)
    assert verdicts(MEMBERS[:1] + MEMBERS[2:], {0: sound, 1: short}) == ("workers sent for 1.00 to 2.00 s",)


def test_the_document_is_that_of_one_engine_and_tells_of_the_workers():
    reports = {0: report(1), 2: report(2)}
    whole = SwarmMeasurement(MEMBERS, reports, merge_reports(list(reports.values())), 1 / 3, ("x",), 0.001, 4000)
    facts = {"url": "http://t/", "loop": "open", "connections": 12, "rate_rps": 600.0, "seed": 1, "processes": 3}
    result = swarm_document(whole, facts)
    one = measurement(1)
    assert set(document(one, reasons(one, 4), facts)) <= set(result)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert [worker["answered"] for worker in result["workers"]] == [400, None, 400]
    text = "\n".join(lines(result, *whole.report.response.values()))
    assert "800 right replies" in text
    assert "worker 2 (b)" in text
    assert "lost: no sign of life for 3.2 s" in text
    assert "33% of the load was lost" in text
    nothing = swarm_document(SwarmMeasurement(MEMBERS, {}, None, 1.0, ("no worker is left",)), facts)
    assert set(result) == set(nothing)
    assert "no right reply" in "\n".join(lines(nothing, np.zeros(0)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.1", ("10.0.0.1", 5557)),
        ("loadbox:6000", ("loadbox", 6000)),
        ("[fd00::1]:6000", ("[fd00::1]", 6000)),
        ("fd00::1", ("fd00::1", 5557)),
    ],
)
def test_masters_are_hosts_with_or_without_a_port(text, expected):
    assert parse_master(text) == expected


def test_options_that_make_no_sense():
    for text in ("", ":1", "x:y", "x:0", "x:99999"):
        with pytest.raises(UsageError, match="--master"):
            parse_master(text)
    with pytest.raises(UsageError, match="--on-lost-worker"):
        crew_of(CrewRequest(2, on_lost="ignore"))
    with pytest.raises(UsageError, match="--workers 1000"):
        crew_of(CrewRequest(1000))
    crew = crew_of(CrewRequest(1, 2))
    assert (crew.listen().host, crew.listen().port) == ("0.0.0.0", 5557)
    assert crew_of(CrewRequest(2)).listen().host == "127.0.0.1"
    for host in ("localhost", "127.0.0.1", "::1"):
        with pytest.raises(UsageError, match="another machine"):
            check_reachable(host, crew)
    check_reachable("127.0.0.1", crew_of(CrewRequest(2)))
    check_reachable("target.example", crew)
