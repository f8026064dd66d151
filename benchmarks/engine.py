"""The wire engine next to other load generators: throughput, CPU per request, and punctuality.

One nginx worker on CPU 0 answers 17 bytes of JSON; every generator runs alone on CPU 1, in interleaved rounds in
random order, so that the machine's drift meets all alike. Ratios are taken within a round.

    python benchmarks/engine.py [--rounds 8] [--seconds 3] [--connections 32] [--seed N] [--json] [--tls]

``--tls``: over TLS 1.3 with one cipher, next to wrk, on open connections and with a handshake for each request.

Needed: nginx, and openssl for TLS; wrk, h2load, hey, k6 and Locust are measured where they are installed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from apps.contract.case import Case, get
from harness.engine.engine import Engine
from harness.engine.spec import Address, LoadSpec, WireRequest
from harness.model.address import Tls
from harness.stats.quantiles import percentiles

SERVER_CPU, GENERATOR_CPU = 0, 1
BODY = '{"hello":"world"}'
RATES = (200, 2_000, 10_000)
NGINX = """
daemon off; worker_processes 1; worker_cpu_affinity {mask}; pid {folder}/pid; error_log {folder}/error.log;
worker_rlimit_nofile 32768; events {{ worker_connections 16384; }}
http {{
  access_log off; default_type application/json; keepalive_requests 1000000000;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  {tls}
  server {{ listen 127.0.0.1:{port} backlog=16384{ssl}; location / {{ return 200 '{body}'; }} }}
}}
"""
TLS = """
  ssl_certificate {folder}/certificate.pem; ssl_certificate_key {folder}/key.pem; ssl_protocols TLSv1.3;
  ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256; ssl_session_tickets off;
"""
CLOCK_LOOP = """
import json, random, sys, time
rate, end, due, late = float(sys.argv[1]), float(sys.argv[2]), 0.0, []
begin = time.perf_counter()
while (due := due + random.expovariate(rate)) < end:
    while (now := time.perf_counter() - begin) < due:
        pass
    late.append((now - due) * 1e6)
print(json.dumps(late))
"""
LOCUSTFILE = """
from locust import constant, task
from locust.contrib.fasthttp import FastHttpUser
class User(FastHttpUser):
    wait_time = constant(0)
    @task
    def ask(self):
        self.client.get("/")
"""
K6 = "import http from 'k6/http'; export default function () { http.get(__ENV.URL); }"


@dataclass(frozen=True)
class Result:
    """Requests per second, and the generator's CPU microseconds per request."""

    rps: float
    cpu_us: float


@dataclass(frozen=True)
class Setting:
    port: int
    seconds: int
    connections: int
    folder: Path
    tls: bool = False

    @property
    def url(self) -> str:
        return f"http{'s' * self.tls}://127.0.0.1:{self.port}/"

    @property
    def address(self) -> Address:
        return Address(port=self.port, tls=Tls("127.0.0.1", verify=False) if self.tls else None)


def request(expected: Case, header: bytes = b"") -> WireRequest:
    return WireRequest(expected, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + header + b"\r\n")


CHECKED = get("GET /", "/", json.loads(BODY))
UNCHECKED = replace(CHECKED, status=0, media_type="", json=None)
CLOSE = "Connection: close"


def ours(engine: Engine, setting: Setting, expected: Case, header: bytes = b"") -> Result:
    spec = LoadSpec(setting.address, (request(expected, header),), setting.connections, setting.seconds)
    measured = engine.run_load(spec)
    assert measured.failed == 0, measured.examples
    return Result(
        measured.in_time / measured.duration_s, measured.generator_cpu * measured.elapsed_s / measured.answered * 1e6
    )


def other(arguments: list[str], count: Callable[[str], float], setting: Setting, env: dict[str, str]) -> Result:
    """Run a program pinned to the generator's CPU; ``count`` reads requests per second from what it prints."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        ["taskset", "-c", str(GENERATOR_CPU), *arguments],
        capture_output=True,
        text=True,
        env=os.environ | env,
        cwd=setting.folder,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    try:
        rps = count(done.stdout)
    except (AttributeError, ValueError, LookupError):
        raise SystemExit(f"{arguments[0]} printed no rate:\n{(done.stdout + done.stderr)[-2000:]}") from None
    return Result(rps, cpu / (rps * setting.seconds) * 1e6)


def matched(pattern: str) -> Callable[[str], float]:
    def count(text: str) -> float:
        match = re.search(pattern, text)
        if match is None:
            raise ValueError(pattern)
        return float(match[1].replace(",", ""))

    return count


def programs(setting: Setting) -> dict[str, Callable[[], Result]]:
    """Name → how to measure it, for those that are installed."""
    seconds, connections, url = str(setting.seconds), str(setting.connections), setting.url
    scripts = Path(sys.executable).parent
    (setting.folder / "locustfile.py").write_text(LOCUSTFILE)
    (setting.folder / "script.js").write_text(K6)
    table: dict[str, tuple[list[str], Callable[[str], float]]] = {
        "wrk": (["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", url], matched(r"Requests/sec:\s*([\d.]+)")),
        "h2load": (
            ["h2load", "--h1", "-t1", f"-c{connections}", f"-D{seconds}", url],
            matched(r"finished in .*?, ([\d.]+) req/s"),
        ),
        "hey": (["hey", "-c", connections, "-z", f"{seconds}s", url], matched(r"Requests/sec:\s*([\d.]+)")),
        "k6": (
            ["k6", "run", "--quiet", "--vus", connections, "--duration", f"{seconds}s", "script.js"],
            matched(r"http_reqs[.\s]*:\s*\d+\s+([\d.]+)/s"),
        ),
        "locust": (
            [
                "locust",
                "--headless",
                "-u",
                connections,
                "-r",
                connections,
                "-t",
                seconds,
                "-H",
                url.rstrip("/"),
                "--json",
            ],
            lambda text: json.loads(text)[0]["num_requests"] / setting.seconds,
        ),
    }
    if setting.tls:
        arguments, count_of = table["wrk"]
        table = {"wrk": table["wrk"], "wrk, closing": ([*arguments, "-H", CLOSE], count_of)}
    results: dict[str, Callable[[], Result]] = {}
    for name, (arguments, count) in table.items():
        path = shutil.which(arguments[0]) or shutil.which(arguments[0], path=str(scripts))
        if path is not None:
            results[name] = partial(other, [path, *arguments[1:]], count, setting, {"URL": url})
    return results


@contextmanager
def nginx(folder: Path, *, pinned: bool = True, tls: bool = False) -> Iterator[int]:
    """Yields the port of an nginx, pinned to the server's CPU if ``pinned``."""
    if tls:
        words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
        files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
        subprocess.run([*words.split(), *files], check=True, capture_output=True)
    path = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if path is None:
        raise SystemExit("nginx is not installed: apt-get install nginx-light")
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    spoken = {"tls": TLS.format(folder=folder), "ssl": " ssl"} if tls else {"tls": "", "ssl": ""}
    text = NGINX.format(mask=bin(1 << SERVER_CPU)[2:], folder=folder, port=port, body=BODY, **spoken)
    if not pinned:
        text = re.sub(r"worker_cpu_affinity \d+;", "", text)
    (folder / "nginx.conf").write_text(text)
    with subprocess.Popen(
        [path, "-c", str(folder / "nginx.conf"), "-p", str(folder), "-e", str(folder / "error.log")]
    ) as process:
        try:
            deadline = time.monotonic() + 10
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    if process.poll() is not None or time.monotonic() > deadline:
                        raise SystemExit("nginx did not start") from None
                    time.sleep(0.02)
            yield port
        finally:
            process.terminate()


def spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def throughput(setting: Setting, rounds: int, rng: random.Random) -> dict[str, dict[str, dict[str, float]]]:
    """Each generator's rate, CPU per request, and rate against wrk (else against ours) of the same round."""
    results: dict[str, list[Result]] = {}
    with Engine((GENERATOR_CPU,)) as engine:
        contestants = programs(setting) | {
            "ours": lambda: ours(engine, setting, CHECKED),
            "ours, nothing checked": lambda: ours(engine, setting, UNCHECKED),
        }
        if setting.tls:
            contestants["ours, closing"] = lambda: ours(engine, setting, CHECKED, CLOSE.encode() + b"\r\n")
        ours(engine, replace(setting, seconds=1), CHECKED)
        for _ in range(rounds):
            for name in rng.sample(list(contestants), len(contestants)):
                results.setdefault(name, []).append(contestants[name]())
    yardstick = results.get("wrk", results["ours"])
    return {
        name: {
            "rps": spread([result.rps for result in own]),
            "cpu_us": spread([result.cpu_us for result in own]),
            "ratio": spread([a.rps / b.rps for a, b in zip(own, yardstick, strict=True)]),
        }
        for name, own in results.items()
    }


def punctuality(setting: Setting) -> dict[str, dict[str, float]]:
    """Lateness of Poisson arrivals in µs, next to that of a loop on the same CPU which only reads the clock: what the
    machine adds.
    """
    table = {}
    with Engine((GENERATOR_CPU,)) as engine:
        for rate in RATES:
            spec = LoadSpec(
                setting.address,
                (request(CHECKED),),
                4 * setting.connections,
                setting.seconds,
                rate=float(rate),
                arrivals="poisson",
                seed=rate,
            )
            lateness = engine.run_load(spec).lateness_us
            assert lateness is not None
            table[f"{rate}/s"] = percentiles([lateness.values])
            loop = [sys.executable, "-c", CLOCK_LOOP, str(rate), str(setting.seconds)]
            done = subprocess.run(["taskset", "-c", str(GENERATOR_CPU), *loop], capture_output=True, check=True)
            table[f"{rate}/s, clock alone"] = percentiles([np.array(json.loads(done.stdout))])
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--tls", action="store_true", help="over TLS, next to wrk only")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, nginx(Path(name), tls=options.tls) as port:
        setting = Setting(port, options.seconds, options.connections, Path(name), options.tls)
        rates = throughput(setting, options.rounds, random.Random(options.seed))
        lateness = punctuality(setting)
    if options.json:
        print(json.dumps({"throughput": rates, "lateness_us": lateness}, indent=1))
        return
    print(f"{'generator':<24}{'req/s':>10}{'of wrk':>8}  {'(range)':<14}{'CPU µs/request':>16}")
    for label, row in sorted(rates.items(), key=lambda item: -item[1]["rps"]["median"]):
        ratio = row["ratio"]
        span = f"({ratio['low']:.2f}–{ratio['high']:.2f})"
        figures = f"{row['rps']['median']:>10,.0f}{ratio['median']:>8.2f}  {span:<14}{row['cpu_us']['median']:>16.2f}"
        print(f"{label:<24}{figures}")
    print("\nlateness, µs                p50      p99     p999      max")
    for label, late in lateness.items():
        print(f"{label:<22}" + "".join(f"{late[column]:>9,.0f}" for column in ("p50", "p99", "p999", "max")))


if __name__ == "__main__":
    main()
