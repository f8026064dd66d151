"""Load from several workers: strangers, lost ones, early ends; as the command has it, and in network namespaces."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgpack
import numpy as np
import psutil
import pytest
import zmq

from harness.cluster.cluster import Cluster
from harness.cluster.options import ClusterOptions, master_keys
from harness.engine.spec import Address, EventsSpec, JourneySpec, LoadSpec
from harness.engine.url import parse_url, request_to
from harness.errors import EngineError, UsageError
from harness.model.load import PRECISION

pytestmark = pytest.mark.usefixtures("no_process_left")
ROOT = Path(__file__).parents[2]
HARNESS = [sys.executable, "-m", "harness.cli"]
SERVER = Path(__file__).parent / "counting.py"
REQUEST = request_to(parse_url("http://x/"), "GET", status=200, text=b"ok")
FOREIGN = """
from locust import HttpUser, task
class Foreign(HttpUser):
    @task
    def front(self):
        self.client.get("/foreign")
"""
USERS = """
from locust import HttpUser, constant, task
class Some(HttpUser):
    wait_time = constant(0.02)
    @task
    def front(self):
        self.client.get("/")
class One(HttpUser):
    fixed_count = 1
    wait_time = constant(0.02)
    @task
    def front(self):
        self.client.get("/", name="the only one")
"""


@contextmanager
def counting(host="127.0.0.1", inside=()):
    """A server that counts; yields its port."""
    words = [*inside, sys.executable, str(SERVER), host]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield int(server.stdout.readline())
        finally:
            server.kill()


def counts_of(port):
    return json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/counts", timeout=20))


@contextmanager
def cluster_of(workers, **options):
    """Yields the cluster, and what is told of its workers."""
    told = []
    with Cluster(ClusterOptions(workers, **options), lambda text, important: told.append(text)) as cluster:
        yield cluster, told


def paths_of(port):
    return json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/counts/paths", timeout=20))


def load_of(port, seconds, **options):
    return LoadSpec(Address("127.0.0.1", port), (REQUEST,), **({"connections": 4, "duration_s": seconds} | options))


def worker_of(port, secret, folder, environment=os.environ, wait_s="30"):
    """A worker that somebody starts; returns once it ended."""
    words = [sys.executable, "-m", "harness.cluster.worker", "127.0.0.1", str(port), wait_s, "", ""]
    environment = {**environment, "HARNESS_CLUSTER_SECRET": secret}
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=200)


def workers_of(cluster):
    """The processes of the workers that the master started, in their order."""
    children = psutil.Process(cluster.master.pid).children()
    return [child.pid for child in children if "harness.cluster.worker" in child.cmdline()]


def wait_until(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def strangers(told):
    """How often those who start a load were warned of one that does not know the secret."""
    return sum("without this run's secret" in text for text in told)


def codes(result):
    return [reason.code for reason in result.reasons]


@pytest.mark.measure
def test_counts_of_the_command_are_the_servers_own(tmp_path):
    with counting() as port:
        url = f"http://127.0.0.1:{port}/"
        words = ["load", url, "--workers", "2", "-c", "4", "-d", "1s", "--rate", "200", "--json", "-q"]
        done = subprocess.run([*HARNESS, *words], cwd=tmp_path, capture_output=True, text=True, timeout=150)
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        assert counts_of(port) == {"127.0.0.1": 200}
    assert (result["planned"], result["answered"], result["status"]) == (200, 200, {"200": 200})
    assert (result["url"], result["loop"], result["rate_rps"], result["connections"]) == (url, "open", 200, 4)
    assert [worker["planned"] for worker in result["workers"]] == [100, 100]
    assert [worker["connections"] for worker in result["workers"]] == [2, 2]
    assert result["response_time_us"]["p50"] > 0
    assert result["lost_share"] == result["rejected_messages"] == 0


@pytest.mark.measure
def test_streams_and_users_are_shared_too(tmp_path):
    file = tmp_path / "users.py"
    file.write_text(USERS)
    with counting() as port, cluster_of(2, locustfile=str(file)) as (cluster, _):
        data = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
        streams = cluster.run_load(EventsSpec(Address("127.0.0.1", port), 4, 0.5, data=data))
        assert streams.loop == "stream"
        assert set(streams.errors) == {"wrong-type"}, "what counts answers is no stream"
        assert all(worker.planned for worker in streams.workers)

        before, marks = counts_of(port)["127.0.0.1"], []
        spec = JourneySpec(str(file), f"http://127.0.0.1:{port}", 5, 2.0, 2.0)
        result = cluster.run_load(spec, on_mark=marks.append)
        assert marks == ["begin", "end"]
        assert (result.loop, result.connections, result.failed) == ("journey", 5, 0)
        assert [worker.connections for worker in result.workers] == [3, 2]
        assert all(worker.answered for worker in result.workers)
        assert 0 < result.answered <= counts_of(port)["127.0.0.1"] - before
        # Its own user beside four others, with pauses alike: about a fifth, and a third if each worker had one.
        assert set(result.series) == {"GET /", "the only one"}
        assert result.series["the only one"].count < 0.27 * result.answered

        file.write_text("raise RuntimeError")
        with pytest.raises(UsageError, match="does not import locust"):
            cluster.run_load(JourneySpec(str(file), "http://127.0.0.1:1", 4, 1.0, 1.0))
        with pytest.raises(UsageError, match="1 connection cannot be shared by 2 workers"):
            cluster.run_load(load_of(port, 1.0, connections=1))


@pytest.mark.live
def test_a_worker_that_has_not_the_journeys_text_says_so(tmp_path):
    mine, theirs = tmp_path / "users.py", tmp_path / "other" / "users.py"
    theirs.parent.mkdir()
    mine.write_text(USERS)
    theirs.write_text(USERS + "# another\n")
    journey = JourneySpec(str(mine), "http://127.0.0.1:1", 4, 1.0, 1.0)
    with cluster_of(1, locustfile=str(theirs)) as (cluster, _), pytest.raises(EngineError, match="another text"):
        cluster.run_load(journey)


@pytest.mark.live
def test_a_foreign_worker_of_locust_takes_no_users_and_gets_no_orders(tmp_path):
    file, foreign = tmp_path / "users.py", tmp_path / "foreign.py"
    file.write_text(USERS)
    foreign.write_text(FOREIGN)
    with counting() as port, cluster_of(1, locustfile=str(file)) as (cluster, told):
        words = ["-f", str(foreign), "--worker", "--master-host", "127.0.0.1", "--master-port", str(cluster.port)]
        words += ["-H", f"http://127.0.0.1:{port}"]
        stranger = subprocess.Popen(
            [sys.executable, "-m", "locust", *words], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            # It is never answered.
            wait_until(lambda: cluster.run_load(load_of(port, 0.2)) and strangers(told))
            result = cluster.run_load(JourneySpec(str(file), f"http://127.0.0.1:{port}", 4, 2.0, 2.0))
        finally:
            stranger.kill()
            stranger.wait()
        assert [worker.connections for worker in result.workers] == [4]
        assert (result.lost_share, result.failed) == (0, 0)
        assert strangers(told) == 1
        assert "/foreign" not in paths_of(port)


WELL_FORMED = ("a worker of Locust's", "several frames")
PLAIN = msgpack.packb(["client_ready", "2.47.0", "stranger"])
MALFORMED = {
    "nothing": [b""],
    "a worker of Locust's": [PLAIN],
    "several frames": [PLAIN, PLAIN, b"x"],
    "no MessagePack": [b"\xc1\xc1\xc1"],
    "MessagePack that ends early": [PLAIN[:-3]],
    "MessagePack with something after it": [PLAIN + b"x"],
    "a number": [msgpack.packb(7)],
    "two of three": [msgpack.packb(["client_ready", "2.47.0"])],
    "a name that is none": [msgpack.packb([{"a": 1}, None, "stranger"])],
    "text that is no UTF-8": [msgpack.packb([b"\xff", None, "stranger"]).replace(b"\xc4", b"\xd9")],
    "a time that is none": [msgpack.packb(["stats", {"__datetime__": True, "as_str": "x"}, "stranger"])],
}


@contextmanager
def stranger_of(cluster, secret=""):
    """A socket of somebody else that is connected to the master, and shows that it knows the secret if it does."""
    with zmq.Context() as context, context.socket(zmq.DEALER) as dealer:
        dealer.setsockopt(zmq.LINGER, 0)
        dealer.setsockopt(zmq.IDENTITY, b"stranger")
        if secret:
            dealer.curve_serverkey, _ = master_keys(secret)
            dealer.curve_publickey, dealer.curve_secretkey = zmq.curve_keypair()
        dealer.connect(f"tcp://127.0.0.1:{cluster.port}")
        yield dealer


@pytest.mark.live
@pytest.mark.parametrize("secret", ["", "another secret"])
def test_nothing_that_a_stranger_sends_makes_the_master_deaf(secret):
    with counting() as port, cluster_of(1) as (cluster, told):
        with stranger_of(cluster, secret) as stranger:
            for frames in MALFORMED.values():
                stranger.send_multipart(frames)
            result = cluster.run_load(load_of(port, 1.0))
            wait_until(lambda: cluster.run_load(load_of(port, 0.2)) and strangers(told))
            assert not stranger.poll(100), "it is never answered"
        assert [worker.lost for worker in result.workers] == [""]
        assert result.answered > 0
        assert strangers(told) == 1
        wait_until(lambda: not cluster.run_load(load_of(port, 0.2)).rejected_messages)


SAID = [
    ("heartbeat", None), ("client_ready", None), ("stats", {}), ("quit", None), ("hello", "who?"),
    ("hello", {}), ("beat", {}), ("beat", {"order": "x"}), ("clock", None), ("prepared", None), ("result", {}),
    ("result", {"order": 1, "result": {"loop": "closed"}}), ("failed", None), ("leaving", None), ("nonsense", [1]),
    (7, None),
]  # fmt: skip


@pytest.mark.live
def test_nor_does_what_one_with_the_secret_says():
    with counting() as port, cluster_of(1) as (cluster, _), stranger_of(cluster, cluster.secret) as knower:

        def send():
            for frames in MALFORMED.values():
                knower.send_multipart(frames)
            knower.send(msgpack.packb(["hello", None, "another"]))

        for expected in (len(MALFORMED) - len(WELL_FORMED) + 1, 0):
            sending = threading.Timer(0.3, send if expected else int)
            sending.start()
            result = cluster.run_load(load_of(port, 1.0))
            sending.join()
            assert [worker.lost for worker in result.workers] == [""]
            assert result.rejected_messages == expected

        for kind, data in SAID:
            knower.send(msgpack.packb([kind, data, "stranger"]))
        result = cluster.run_load(load_of(port, 1.0))
        assert [worker.connections for worker in result.workers] == [4]
        assert "worker-lost" not in codes(result)
        assert result.answered > 0


@pytest.mark.live
def test_a_worker_with_another_secret_or_build_is_refused_and_says_why(tmp_path):
    with counting() as port, cluster_of(1) as (cluster, told):
        ended = worker_of(cluster.port, "another secret", tmp_path)
        assert ended.returncode == 3
        assert (
            f"what answers at 127.0.0.1:{cluster.port} has another secret: check HARNESS_CLUSTER_SECRET" in ended.stderr
        )
        wait_until(lambda: cluster.run_load(load_of(port, 0.2)) and strangers(told))

        ended = worker_of(cluster.port, cluster.secret, tmp_path, other_build(tmp_path))
        assert ended.returncode == 3
        assert "the master sent this worker away: refused: build" in ended.stderr
        result = cluster.run_load(load_of(port, 0.3))
        assert len(result.workers) == 1
        assert any("was refused: build" in text for text in told)


def other_build(folder):
    """The package with one module of the engine changed."""
    shutil.copytree(ROOT / "harness", folder / "harness", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "apps", folder / "apps", ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "harness" / "engine" / "pacing.py").open("a") as file:
        file.write("# another\n")
    return os.environ | {"PYTHONPATH": str(folder)}


@pytest.mark.live
@pytest.mark.parametrize("secret", ["", "another secret"])
def test_a_worker_obeys_no_master_that_does_not_prove_the_secret(tmp_path, secret):
    with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
        router.setsockopt(zmq.LINGER, 0)
        if secret:
            router.curve_server = True
            _, router.curve_secretkey = master_keys(secret)
        port = router.bind_to_random_port("tcp://127.0.0.1")
        ended = worker_of(port, "the run's secret", tmp_path)
        assert not router.poll(100), "it says nothing to such a master"
    assert ended.returncode == 3
    assert f"what answers at 127.0.0.1:{port} has another secret: check HARNESS_CLUSTER_SECRET" in ended.stderr


@pytest.mark.live
def test_a_worker_waits_for_a_master_for_a_while(tmp_path):
    ended = worker_of(free_port(), "the run's secret", tmp_path, wait_s="1")
    assert ended.returncode == 3
    assert "no master answers" in ended.stderr


@pytest.mark.live
def test_the_line_that_the_master_prints_starts_a_worker(tmp_path):
    """On the way, the worker is away for a load, and comes back for the next."""
    workers = []

    def hear(text, important):
        if found := re.search(r"start there: (HARNESS_CLUSTER_SECRET)=(\S+) harness (worker --master \S+)$", text):
            assert important, "also with --quiet: nobody could join otherwise"
            name, secret, words = found.groups()
            words = [*HARNESS, *words.replace("HOST", "127.0.0.1").split()]
            run = {"env": os.environ | {name: secret}, "cwd": tmp_path, "stderr": subprocess.DEVNULL}
            hear.start = lambda: workers.append(subprocess.Popen(words, **run))
            hear.start()

    try:
        with counting() as port, Cluster(ClusterOptions(0, 1, listen="127.0.0.1", port=free_port()), hear) as cluster:
            assert len(cluster.run_load(load_of(port, 0.3)).workers) == 1
            workers[0].terminate()
            assert workers[0].wait(60) == 143
            with pytest.raises(EngineError, match="no worker is there"):
                cluster.run_load(load_of(port, 0.3))
            hear.start()
            wait_until(lambda: joined(cluster, load_of(port, 0.3)))
        assert workers[1].wait(60) == 0
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def joined(cluster, load):
    try:
        return cluster.run_load(load).answered > 0
    except EngineError:
        return False


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@pytest.mark.live
@pytest.mark.parametrize("on_lost", ["invalid", "continue"])
def test_a_lost_worker_ends_the_load_or_not_and_is_back_for_the_next(on_lost):
    with counting() as port, cluster_of(2, on_lost=on_lost) as (cluster, told):
        cluster.run_load(load_of(port, 0.2))
        seconds = 60.0 if on_lost == "invalid" else 4.0
        victim = workers_of(cluster)[0]
        killing = threading.Timer(2.0, os.kill, (victim, signal.SIGKILL))
        killing.start()
        begun = time.monotonic()
        result = cluster.run_load(load_of(port, seconds, rate=100.0))
        killing.join()
        assert time.monotonic() - begun < 45
        [lost] = [worker for worker in result.workers if worker.lost]
        assert "no sign of life" in lost.lost
        assert 0 < lost.noticed_s < 45
        assert (result.lost_share, result.interrupted) == (0.5, False)
        assert result.planned == result.answered > 0
        assert ("worker-lost" in codes(result)) == (on_lost == "invalid")
        # A load that ends plans no more than what was sent.
        assert result.planned == 200 if on_lost == "continue" else result.planned < 60 * 50
        assert any("is lost: no sign of life" in text for text in told)

        again = cluster.run_load(load_of(port, 0.5))
        assert victim not in workers_of(cluster)
        assert not alive(victim)
        assert [worker.lost for worker in again.workers] == ["", ""]
        assert all(worker.answered for worker in again.workers)


@pytest.mark.live
def test_a_worker_that_is_told_to_end_says_so_at_once():
    with counting() as port, cluster_of(2) as (cluster, told):
        leaving = workers_of(cluster)[1]
        os.kill(leaving, signal.SIGTERM)
        wait_until(lambda: not alive(leaving))
        result = cluster.run_load(load_of(port, 0.3))
        assert [worker.lost for worker in result.workers] == ["", ""]
        assert any("is lost: it left: SIGTERM" in text for text in told)


@pytest.mark.live
def test_workers_end_with_their_master():
    with cluster_of(2) as (cluster, _):
        pids = workers_of(cluster)
        os.kill(cluster.master.pid, signal.SIGKILL)
        wait_until(lambda: not any(alive(pid) for pid in pids))


@pytest.mark.live
@pytest.mark.parametrize(("signal_", "as_json"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_a_signal_ends_a_load_of_workers_and_what_was_measured_is_printed(tmp_path, signal_, as_json):
    with counting() as port:
        words = ["load", f"http://127.0.0.1:{port}/", "--workers", "2", "-c", "4", "-d", "90s"]
        command = subprocess.Popen(
            [*HARNESS, *words, *["--json"] * as_json],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        try:
            wait_until(lambda: counts_of(port))
            command.send_signal(signal_)
            text = command.communicate(timeout=60)[0]
        finally:
            command.kill()
    assert command.returncode == 128 + signal_
    if as_json:
        result = json.loads(text)
        assert result["interrupted"]
        assert result["answered"] > 0
        assert result["duration_s"] <= result["elapsed_s"] < 60
        assert [worker["lost"] for worker in result["workers"]] == ["", ""]
    else:
        assert "interrupted after" in text
        assert "right replies in" in text


@pytest.mark.live
def test_ctrl_c_before_the_workers_began_ends_them_too():
    with counting() as port, cluster_of(1) as (cluster, _):
        pressing = threading.Timer(0.4, os.kill, (os.getpid(), signal.SIGINT))
        pressing.start()
        result = cluster.run_load(load_of(port, 90.0))
        pressing.join()
        assert result.interrupted
        assert cluster.run_load(load_of(port, 0.3)).answered > 0


# Namespaces: a switch, and one host each for the master, the target and four workers.

NET = "10.213.77"
HOSTS = {"m": 1, "t": 2, "w1": 11, "w2": 12, "w3": 13, "w4": 14}
MASTER = """
import json, sys
from harness.engine.spec import Address, LoadSpec
from harness.engine.url import parse_url, request_to
from harness.cluster.cluster import Cluster
from harness.cluster.options import ClusterOptions
host, port = sys.argv[1], int(sys.argv[2])
request = request_to(parse_url("http://x/"), "GET", status=200, text=b"ok")
def tell(**facts):
    print(json.dumps(facts), flush=True)
def show(came, name):
    tell(done=name, **came.to_json())
options = ClusterOptions(0, 4, listen=sys.argv[3], port=7000, on_lost="continue")
with Cluster(options, lambda text, important: tell(note=text)) as cluster:
    tell(up=True)
    show(cluster.run_load(LoadSpec(Address(host, port), (request,), 8, 1.0)), "whole")
    tell(cut=True)
    show(cluster.run_load(LoadSpec(Address(host, port), (request,), 8, 3.0, rate=200.0)), "cut")
"""


def ip(*words, check=True):
    return subprocess.run(["ip", *words], check=check, capture_output=True, text=True)


@contextmanager
def hosts():
    """Makes the namespaces; skips where this user or this kernel cannot."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and the ip command")
    tag = f"hs{os.getpid()}"
    made = [f"{tag}-{name}" for name in ("x", *HOSTS)]
    try:
        try:
            for name in made:
                ip("netns", "add", name)
            ip("-n", made[0], "link", "add", "br0", "type", "bridge")
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network namespaces here: {error.stderr.strip()}")
        ip("-n", made[0], "link", "set", "br0", "up")
        for name, number in HOSTS.items():
            inside = f"{tag}-{name}"
            ip("-n", made[0], "link", "add", f"v{name}", "type", "veth", "peer", "name", "eth0", "netns", inside)
            ip("-n", made[0], "link", "set", f"v{name}", "master", "br0", "up")
            ip("-n", inside, "addr", "add", f"{NET}.{number}/24", "dev", "eth0")
            ip("-n", inside, "link", "set", "eth0", "up")
            ip("-n", inside, "link", "set", "lo", "up")
        yield {name: ["ip", "netns", "exec", f"{tag}-{name}"] for name in HOSTS}, made[0]
    finally:
        for name in made:
            ip("netns", "del", name, check=False)


@pytest.mark.measure
def test_four_workers_on_addresses_of_their_own_one_of_them_cut_off(tmp_path):
    """Counts equal the server's to the request; percentiles those of all samples; a cut is noticed within 5 s."""
    with hosts() as (inside, switch), ExitStack() as stack:
        port = stack.enter_context(counting(f"{NET}.2", inside["t"]))
        words = [*inside["m"], sys.executable, "-c", MASTER, f"{NET}.2", str(port), f"{NET}.1"]
        environment = os.environ | {"HARNESS_CLUSTER_SECRET": "known to all of them"}
        run = {"cwd": tmp_path, "env": environment}
        master = stack.enter_context(subprocess.Popen(words, stdout=subprocess.PIPE, text=True, **run))
        stack.callback(master.kill)
        for name in ("w1", "w2", "w3", "w4"):
            words = [*inside[name], *HARNESS, "worker", "--master", f"{NET}.1:7000", "--keep", str(tmp_path / name)]
            worker = stack.enter_context(subprocess.Popen(words, stderr=subprocess.DEVNULL, **run))
            stack.callback(worker.kill)

        def counts():
            script = f"import urllib.request as u; print(u.urlopen('http://{NET}.2:{port}/counts').read().decode())"
            words = [*inside["t"], sys.executable, "-c", script]
            return json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)

        def next_of(key):
            for line in master.stdout:
                facts = json.loads(line)
                if key in facts:
                    return facts
            raise AssertionError(f"the master ended before {key!r}")

        whole = next_of("done")
        next_of("cut")
        server = counts()
        assert set(server) == {f"{NET}.{number}" for number in (11, 12, 13, 14)}
        assert whole["planned"] == whole["answered"] == sum(server.values())
        assert sorted(worker["planned"] for worker in whole["workers"]) == sorted(server.values())
        kept = [np.load(tmp_path / name / "order-1.npz")["service_us"] for name in ("w1", "w2", "w3", "w4")]
        samples = np.concatenate(kept)
        assert len(samples) == whole["answered"]
        for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999)):
            exact = np.quantile(samples, share, method="inverted_cdf")
            assert whole["service_time_us"][name] == pytest.approx(exact, rel=PRECISION), name
        assert whole["service_time_us"]["max"] == samples.max()

        time.sleep(1.5)
        ip("-n", switch, "link", "set", "vw3", "down")
        cut = next_of("done")
        [gone] = [worker for worker in cut["workers"] if worker["lost"]]
        assert 0 < gone["noticed_s"] < 5
        assert cut["lost_share"] == 0.25
        assert cut["planned"] == cut["answered"] == 3 * 150
        alive = counts()
        after = {address: count - server[address] for address, count in alive.items()}
        assert sorted(after.values())[1:] == [150, 150, 150]
        assert after[f"{NET}.13"] < 150
