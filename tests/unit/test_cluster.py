"""Parts of a load, what master and workers say to each other, and how a shared load is shown: without processes."""

import dataclasses
import json

import msgpack
import numpy as np
import pytest

from apps.contract.case import JSON
from harness.cli.worker import parse_master
from harness.cluster.options import ClusterOptions, configured_secret
from harness.cluster.protocol import Beat, Hello, Order, own_hello, pack, unpack
from harness.engine.pacing import schedule
from harness.engine.spec import (
    Address,
    EventsSpec,
    ExtraConnections,
    JourneySpec,
    LoadSpec,
    WebSocketSpec,
    WireRequest,
)
from harness.errors import UsageError
from harness.model.load import Latencies, LoadResult, WorkerShare
from harness.model.reason import Reason
from harness.report.load_summary import lines
from tests.cli import harness

from .load_support import case

REQUEST = WireRequest(case(json={"a": [1, None]}, media_type=JSON), b"GET / HTTP/1.1\r\n\r\n\xff")
SPEC = LoadSpec(Address("10.0.0.2", 8000), (REQUEST,), 10, 2.0)
LOADS = (
    dataclasses.replace(SPEC, rate=5.0, start_at=1.5),
    WebSocketSpec(Address("10.0.0.2", 8000), 4, 2.0, path="/ws", headers=(("a", "b"),)),
    EventsSpec(Address("10.0.0.2", 8000), 4, 2.0, data=b"GET /\xff"),
    JourneySpec("/home/me/shop.py", "http://10.0.0.2", 8, 1.0, 4.0, digest="abc"),
)


@pytest.mark.parametrize("rate", [None, 333.0])
def test_the_parts_are_the_whole_load_and_no_part_is_twice(rate):
    spec = dataclasses.replace(SPEC, rate=rate, arrivals="poisson", extra=ExtraConnections(idle=6, slow=3))
    parts = [spec.part(index, 4) for index in range(4)]
    assert sorted(part.connections for part in parts) == [2, 2, 3, 3]
    assert (sum(part.extra.idle for part in parts), sum(part.extra.slow for part in parts)) == (6, 3)
    assert {(part.share, part.shares) for part in parts} == {(0, 4), (1, 4), (2, 4), (3, 4)}
    if rate is not None:
        whole = schedule("poisson", [(rate, 2.0)], spec.seed)
        sent = np.sort(np.concatenate([whole[part.share :: part.shares] for part in parts]))
        assert (sent == whole).all()


@pytest.mark.parametrize("load", LOADS[1:])
def test_streams_and_users_are_divided_too(load):
    assert sum(load.part(index, 3).connections for index in range(3)) == load.connections


@pytest.mark.parametrize("load", LOADS)
def test_orders_survive_the_network(load):
    order = Order(3, load)
    arrived = msgpack.unpackb(msgpack.packb(pack(order)), raw=False, strict_map_key=False)
    assert unpack(Order, arrived) == order


@pytest.mark.parametrize("rubbish", [None, {}, {"id": "x", "load": []}, [1], {"id": 1, "load": {"connections": 1}}])
def test_what_is_no_order_is_refused(rubbish):
    with pytest.raises(ValueError, match="Order"):
        unpack(Order, rubbish)


def test_beats_survive_the_network():
    beat = Beat(1, 5, 0.1, {"GET /": (5, 1, 10.0)})
    assert unpack(Beat, msgpack.unpackb(msgpack.packb(pack(beat)))) == beat


def test_only_workers_like_the_master_are_taken():
    own = own_hello()
    assert own.differs_from(own) == ""
    for name in ("harness", "build", "locust"):
        assert name in own.differs_from(dataclasses.replace(own, **{name: "0"}))
    assert own.differs_from(dataclasses.replace(own, python="3.99.0", host="elsewhere", cpus=64)) == ""
    assert isinstance(own, Hello)


def test_the_text_tells_of_each_worker():
    service = Latencies.of(np.arange(1.0, 401.0))
    shared = LoadResult(
        "open", 8, 2.0, 2.0, planned=400, answered=400, in_time=400, rate_rps=600.0, service_time_us=service,
        workers=(
            WorkerShare("worker 1 (a)", 4, 400, 400, 200.0, 0.2, 0.0),
            WorkerShare("worker 2 (b)", 4, lost="no sign of life for 3.2 s", noticed_s=3.2),
        ),
        reasons=(Reason("worker-lost", {"worker": "worker 2 (b)", "why": "no sign of life for 3.2 s"}),),
        lost_share=0.5,
    )  # fmt: skip
    for result in (shared, LoadResult.from_json(json.loads(json.dumps(shared.to_json())))):
        text = "\n".join(lines(result))
        assert "400 right replies in 2.0 s: 200.0/s" in text
        assert "not sound: worker 2 (b): lost: no sign of life for 3.2 s" in text
        assert "50% of the load was lost" in text
        assert "interrupted" not in text
    nothing = LoadResult("open", 8, 0.0, 0.0, rate_rps=600.0, reasons=(Reason("no-worker"),), interrupted=True)
    text = "\n".join(lines(nothing))
    assert "no right reply" in text
    assert "interrupted after" in text
    assert "not sound: no worker is left" in text


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
    assert (ClusterOptions(1, 2).host, ClusterOptions(2).host) == ("0.0.0.0", "127.0.0.1")
    for host in ("localhost", "127.0.0.1", "::1"):
        with pytest.raises(UsageError, match="another machine"):
            ClusterOptions(1, 2).check_target(host)
    ClusterOptions(2).check_target("127.0.0.1")
    ClusterOptions(1, 2).check_target("target.example")


def test_a_secret_that_keeps_nobody_out_is_refused(monkeypatch):
    monkeypatch.setenv("HARNESS_CLUSTER_SECRET", "1234567")
    with pytest.raises(UsageError, match="HARNESS_CLUSTER_SECRET is too short"):
        configured_secret()
    monkeypatch.delenv("HARNESS_CLUSTER_SECRET")
    assert configured_secret() == ""
    done = harness("worker", "--master", "10.0.0.1")
    assert done.code == 2
    assert "HARNESS_CLUSTER_SECRET is not set" in done.err
