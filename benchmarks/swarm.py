"""Load from several workers: what it costs the master, what it costs a worker, and how capacity grows.

    python benchmarks/swarm.py engine    wire engine through a Locust worker against the engine alone, in turns
    python benchmarks/swarm.py capacity  throughput by number of workers, against one nginx worker
    python benchmarks/swarm.py master    bytes and merge time at the master, for 1 to 100 workers (simulated reports)

Options: --rounds N, --seconds S, --json. ``engine`` and ``capacity`` need nginx; give them an idle machine.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

import msgpack
import numpy as np
from engine import CHECKED, GENERATOR_CPU, nginx, request

from harness.load.engine import Engine
from harness.load.spec import Address, LoadMeasurement, LoadSpec
from harness.swarm.cluster import Cluster, Crew
from harness.swarm.document import percentile_table
from harness.swarm.network import BEAT_S, Beat, LoadReport, pack, unpack
from harness.swarm.reports import merge_reports, report_of

CONNECTIONS = 32
LOCUST_BYTES_S = 120.0
"""Of Locust's own heartbeat (one a second each way) and of its report every three seconds, with no user of its own."""


def engine(rounds: int, seconds: float) -> dict[str, object]:
    """Ratios of the same round; the order within a round is random."""
    rng, rows = random.Random(1), []
    with tempfile.TemporaryDirectory() as folder, nginx(Path(folder)) as port:
        spec = LoadSpec(Address(port=port), (request(CHECKED),), CONNECTIONS, seconds)
        with Engine((GENERATOR_CPU,)) as alone, Cluster(Crew(1, cpus=(GENERATOR_CPU,)), lambda text, bad: None) as crew:
            for number in range(rounds + 1):
                rates = {}
                for way in rng.sample(("alone", "worker"), 2):
                    if way == "alone":
                        m = alone.run_load(spec)
                        rates[way] = m.in_time / m.duration_s
                    else:
                        report = crew.run_load(spec).report
                        assert report is not None
                        rates[way] = report.in_time / report.duration_s
                if number:
                    rows.append(rates)
    ratios = [row["worker"] / row["alone"] for row in rows]
    return {
        "rounds": rounds,
        "seconds": seconds,
        "alone_rps": statistics.median(row["alone"] for row in rows),
        "worker_rps": statistics.median(row["worker"] for row in rows),
        "ratio": statistics.median(ratios),
        "ratio_low": min(ratios),
        "ratio_high": max(ratios),
    }


def capacity(rounds: int, seconds: float) -> dict[str, object]:
    """Workers on both CPUs, nginx too: what two cores allow, and what it costs in generator CPU per reply."""
    rows: dict[int, list[float]] = {}
    cost: dict[int, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, nginx(Path(folder), pinned=False) as port:
        spec = LoadSpec(Address(port=port), (request(CHECKED),), CONNECTIONS, seconds)
        crews = {count: Cluster(Crew(count), lambda text, bad: None) for count in (1, 2, 4)}
        try:
            for crew in crews.values():
                crew.__enter__()
            for number in range(rounds + 1):
                for count, crew in random.Random(number).sample(sorted(crews.items()), len(crews)):
                    came = crew.run_load(spec)
                    assert came.report is not None
                    if number:
                        rows.setdefault(count, []).append(came.report.in_time / came.report.duration_s)
                        used = sum(r.generator_cpu * r.elapsed_s for r in came.reports.values())
                        cost.setdefault(count, []).append(used / came.report.answered * 1e6)
        finally:
            for crew in crews.values():
                crew.close()
    return {
        f"{count} workers": {
            "rps": statistics.median(rates),
            "low": min(rates),
            "high": max(rates),
            "generator_us": statistics.median(cost[count]),
        }
        for count, rates in sorted(rows.items())
    }


def simulated(seed: int, replies: int, seconds: float) -> LoadMeasurement:
    """A worker's measurement with latencies of a log-normal shape."""
    rng = np.random.default_rng(seed)
    service = rng.lognormal(6.5, 0.8, replies)
    return LoadMeasurement(
        duration_s=seconds, elapsed_s=seconds, planned=replies, answered=replies, failed=0, dropped=0, unfinished=0,
        waited=0, in_time=replies, sent_s=np.linspace(0, seconds, replies), service_time_us=service,
        response_time_us=service + rng.exponential(50, replies), lateness_us=rng.exponential(30, replies),
        in_flight_mean=None, window_s=0.1, windows=(replies // int(seconds * 10),) * int(seconds * 10),
        failed_windows=(), status={200: replies}, errors={}, examples={}, generator_cpu=0.6, connects=CONNECTIONS,
    )  # fmt: skip


def master(rounds: int, seconds: float) -> dict[str, object]:
    """Reports of an open loop at 20,000 requests a second for each worker; bytes as they cross the network."""
    replies, found = int(20_000 * seconds), {}
    packed = [msgpack.packb(pack(report_of(1, simulated(seed, replies, seconds), CONNECTIONS))) for seed in range(8)]
    beat = len(msgpack.packb(("beat", pack(Beat(1, 10**6, 500.0, 0.0)), "host_" + "0" * 32)))
    for workers in (1, 2, 4, 10, 30, 100):
        took = []
        for _ in range(rounds):
            began = time.perf_counter()
            arrived = [
                unpack(LoadReport, msgpack.unpackb(packed[number % len(packed)], raw=False, strict_map_key=False))
                for number in range(workers)
            ]
            unpacked = time.perf_counter()
            whole = merge_reports(arrived)
            percentile_table(whole.response)
            took.append((unpacked - began, time.perf_counter() - unpacked))
            assert whole.answered == workers * replies
        size = sum(len(packed[number % len(packed)]) for number in range(workers))
        found[f"{workers} workers"] = {
            "report_bytes": size,
            "bytes_per_s_while_loading": workers * (2 * beat / BEAT_S + LOCUST_BYTES_S),
            "bytes_per_s_with_reports": workers * (2 * beat / BEAT_S + LOCUST_BYTES_S) + size / seconds,
            "unpack_s": statistics.median(one for one, _ in took),
            "merge_s": statistics.median(two for _, two in took),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("engine", "capacity", "master"))
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = {"engine": engine, "capacity": capacity, "master": master}[options.what](options.rounds, options.seconds)
    if options.json:
        json.dump(result, sys.stdout, indent=1)
        return
    for key, value in result.items():
        shown = value if isinstance(value, dict) else {"": value}
        print(f"{key:<12} " + "  ".join(f"{name} {number:,.4g}" for name, number in shown.items()))


if __name__ == "__main__":
    main()
