"""Load from several workers: what it costs the master, what it costs a worker, and how capacity grows.

    python benchmarks/cluster.py engine    wire engine through a worker against the engine alone, in turns
    python benchmarks/cluster.py capacity  throughput by number of workers, against one nginx worker
    python benchmarks/cluster.py master    bytes and merge time at the master, for 1 to 100 workers (simulated results)

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
from contextlib import ExitStack
from pathlib import Path

import msgpack
import numpy as np
from engine import CHECKED, GENERATOR_CPU, nginx, request

from harness.cluster.cluster import Cluster
from harness.cluster.options import ClusterOptions
from harness.cluster.protocol import BEAT_S, Beat, pack
from harness.engine.engine import Engine
from harness.engine.spec import Address, LoadSpec
from harness.model.load import Latencies, LoadResult

CONNECTIONS = 32
LOCUST_BYTES_S = 120.0
"""Of Locust's own heartbeat (one a second each way) and of its report every three seconds, with no user of its own."""


def engine(rounds: int, seconds: float) -> dict[str, object]:
    """Ratios of the same round; the order within a round is random."""
    rng, rows = random.Random(1), []
    with tempfile.TemporaryDirectory() as folder, nginx(Path(folder)) as port:
        spec = LoadSpec(Address(port=port), (request(CHECKED),), CONNECTIONS, seconds)
        options = ClusterOptions(1, cpus=(GENERATOR_CPU,))
        with Engine((GENERATOR_CPU,)) as single, Cluster(options, lambda text, important: None) as cluster:
            senders = {"alone": single.run_load, "worker": cluster.run_load}
            for number in range(rounds + 1):
                rates = {way: senders[way](spec).throughput_rps or 0.0 for way in rng.sample(sorted(senders), 2)}
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
        with ExitStack() as stack:
            clusters = {
                count: stack.enter_context(Cluster(ClusterOptions(count), lambda text, important: None))
                for count in (1, 2, 4)
            }
            for number in range(rounds + 1):
                for count, cluster in random.Random(number).sample(sorted(clusters.items()), len(clusters)):
                    result = cluster.run_load(spec)
                    if number:
                        rows.setdefault(count, []).append(result.throughput_rps or 0.0)
                        used = sum((worker.generator_cpu or 0.0) for worker in result.workers) * result.elapsed_s
                        cost.setdefault(count, []).append(used / result.answered * 1e6)
    return {
        f"{count} workers": {
            "rps": statistics.median(rates),
            "low": min(rates),
            "high": max(rates),
            "generator_us": statistics.median(cost[count]),
        }
        for count, rates in sorted(rows.items())
    }


def simulated(seed: int, replies: int, seconds: float) -> LoadResult:
    """A worker's result with latencies of a log-normal shape."""
    rng = np.random.default_rng(seed)
    service = rng.lognormal(6.5, 0.8, replies)
    return LoadResult(
        loop="open", connections=CONNECTIONS, duration_s=seconds, elapsed_s=seconds, planned=replies, answered=replies,
        in_time=replies, service_time_us=Latencies.of(service),
        response_time_us=Latencies.of(service + rng.exponential(50, replies)),
        lateness_us=Latencies.of(rng.exponential(30, replies)), generator_cpu=0.6, connects=CONNECTIONS,
        answered_steps=(replies // int(seconds * 10),) * int(seconds * 10), status={200: replies},
    )  # fmt: skip


def master(rounds: int, seconds: float) -> dict[str, object]:
    """Results of an open loop at 20,000 requests a second for each worker; bytes as they cross the network."""
    replies, results = int(20_000 * seconds), dict[str, object]()
    packed = [msgpack.packb(simulated(seed, replies, seconds).to_json()) for seed in range(8)]
    beat = len(msgpack.packb(("beat", pack(Beat(1, 10**6, classes={"json": (10**6, 0, 500.0)})), "host_" + "0" * 32)))
    for workers in (1, 2, 4, 10, 30, 100):
        took = []
        for _ in range(rounds):
            began = time.perf_counter()
            arrived = [
                LoadResult.from_json(msgpack.unpackb(packed[number % len(packed)], raw=False))
                for number in range(workers)
            ]
            unpacked = time.perf_counter()
            whole = LoadResult.merge(arrived)
            whole.to_json()
            took.append((unpacked - began, time.perf_counter() - unpacked))
            assert whole.answered == workers * replies
        size = sum(len(packed[number % len(packed)]) for number in range(workers))
        results[f"{workers} workers"] = {
            "report_bytes": size,
            "bytes_per_s_while_loading": workers * (2 * beat / BEAT_S + LOCUST_BYTES_S),
            "bytes_per_s_with_reports": workers * (2 * beat / BEAT_S + LOCUST_BYTES_S) + size / seconds,
            "unpack_s": statistics.median(one for one, _ in took),
            "merge_s": statistics.median(two for _, two in took),
        }
    return results


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
