"""Load from several workers: in namespaces of their own, cut off, killed, refused, and as the command line has it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest

from harness.load.spec import Address, Expected, LoadSpec, WireRequest
from harness.swarm.cluster import Cluster, Crew

pytestmark = [pytest.mark.quiet, pytest.mark.usefixtures("no_process_left")]
ROOT = Path(__file__).parents[2]
HARNESS = [sys.executable, "-m", "harness.cli"]
SERVER = Path(__file__).parent / "counting.py"
REQUEST = WireRequest("GET /", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", Expected(200, body=b"ok"))


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


def test_counts_of_the_command_are_the_servers_own(tmp_path):
    with counting() as port:
        url = f"http://127.0.0.1:{port}/"
        words = ["load", url, "--workers", "2", "-c", "4", "-d", "1s", "--rate", "200", "--json", "-q"]
        done = subprocess.run([*HARNESS, *words], cwd=tmp_path, capture_output=True, text=True, timeout=150)
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        assert counts_of(port) == {"127.0.0.1": 200}
    assert (result["requests"], result["answered"], result["status"]) == (200, 200, {"200": 200})
    assert [worker["planned"] for worker in result["workers"]] == [100, 100]
    assert [worker["connections"] for worker in result["workers"]] == [2, 2]
    assert result["response_time_us"]["p50"] > 0
    assert result["lost_share"] == 0


def other_build(folder):
    """The package with one module of the engine changed."""
    shutil.copytree(ROOT / "harness", folder / "harness", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "apps", folder / "apps", ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "harness" / "load" / "pacing.py").open("a") as file:
        file.write("# another\n")
    return os.environ | {"PYTHONPATH": str(folder)}


def test_workers_that_differ_die_or_lose_their_master(tmp_path):
    told = []
    with counting() as port, Cluster(Crew(2, lost="continue"), lambda text, warning: told.append(text)) as cluster:
        words = [sys.executable, "-m", "harness.swarm.worker", "127.0.0.1", str(cluster.port)]
        other = subprocess.run(
            words, cwd=tmp_path, env=other_build(tmp_path), capture_output=True, text=True, timeout=100
        )
        assert other.returncode == 3
        assert "refused this worker: build" in other.stderr

        spec = LoadSpec(Address("127.0.0.1", port), (REQUEST,), 4, 3.0, rate=100.0)
        killing = threading.Timer(2.0, os.kill, (cluster.pids[0], signal.SIGKILL))
        killing.start()
        came = cluster.run_load(spec)
        killing.join()
        assert any("was refused: build" in text for text in told)
        assert [bool(member.lost) for member in came.members].count(True) == 1
        lost = next(member for member in came.members if member.lost)
        assert lost.noticed_s < 5
        assert came.lost_share == 0.5
        assert came.report.planned == came.report.answered == 150
        assert not any("was lost" in reason for reason in came.reasons)
        assert 150 <= counts_of(port)["127.0.0.1"] <= 300

        left = [pid for pid in cluster.pids if Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"]
        os.kill(cluster.master_pid, signal.SIGKILL)
        deadline = time.monotonic() + 40
        while any(Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" for pid in left):
            assert time.monotonic() < deadline, "a worker outlived its master"
            time.sleep(0.1)


# Namespaces: a switch, and one host each for the master, the target and four workers.

NET = "10.213.77"
HOSTS = {"m": 1, "t": 2, "w1": 11, "w2": 12, "w3": 13, "w4": 14}
MASTER = """
import json, sys
from harness.load.spec import Address, Expected, LoadSpec, WireRequest
from harness.swarm.cluster import Cluster, Crew
from harness.swarm.document import percentile_table
host, port = sys.argv[1], int(sys.argv[2])
request = WireRequest("GET /", b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n", Expected(200, body=b"ok"))
def tell(**facts):
    print(json.dumps(facts), flush=True)
def show(came, name):
    members = [dict(host=m.host, lost=m.lost, noticed=m.noticed_s, offset=m.offset_s) for m in came.members]
    reports = {index: [r.planned, r.answered] for index, r in came.reports.items()}
    tell(done=name, members=members, reports=reports, share=came.lost_share, planned=came.report.planned,
         answered=came.report.answered, service=percentile_table(came.report.service))
crew = Crew(0, 4, host=sys.argv[3], port=7000, lost="continue")
with Cluster(crew, lambda text, warning: tell(note=text)) as cluster:
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


def test_four_workers_on_addresses_of_their_own_one_of_them_cut_off(tmp_path):
    """Counts equal the server's to the request; percentiles those of all samples; a cut is noticed within 5 s."""
    with hosts() as (inside, switch), ExitStack() as stack:
        port = stack.enter_context(counting(f"{NET}.2", inside["t"]))
        words = [*inside["m"], sys.executable, "-c", MASTER, f"{NET}.2", str(port), f"{NET}.1"]
        master = stack.enter_context(subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=tmp_path))
        stack.callback(master.kill)
        for name in ("w1", "w2", "w3", "w4"):
            words = [*inside[name], *HARNESS, "worker", "--master", f"{NET}.1:7000", "--keep", str(tmp_path / name)]
            worker = stack.enter_context(subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.DEVNULL))
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
        assert sorted(planned for planned, _ in whole["reports"].values()) == sorted(server.values())
        kept = [np.load(tmp_path / name / "order-1.npz")["service_us"] for name in ("w1", "w2", "w3", "w4")]
        samples = np.concatenate(kept)
        assert len(samples) == whole["answered"]
        for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999)):
            exact = np.quantile(samples, share, method="inverted_cdf")
            assert whole["service"][name] == pytest.approx(exact, rel=1 / 2048), name
        assert whole["service"]["max"] == samples.max()

        time.sleep(1.5)
        ip("-n", switch, "link", "set", "vw3", "down")
        cut = next_of("done")
        gone = [member for member in cut["members"] if member["lost"]]
        assert len(gone) == 1
        assert 0 < gone[0]["noticed"] < 5
        assert cut["share"] == 0.25
        assert cut["planned"] == cut["answered"] == 3 * 150
        alive = counts()
        after = {address: count - server[address] for address, count in alive.items()}
        assert sorted(after.values())[1:] == [150, 150, 150]
        assert after[f"{NET}.13"] < 150
