"""Absolute throughput of targets as the harness reads it, next to wrk's, in rounds of a second each in random order.

    python benchmarks/absolute.py [--rounds 12] [--seconds 1] [--json] [TARGET …]

Prints, per target, the median over rounds of our rate ÷ wrk's rate, with its interquartile range. Needs wrk.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import statistics
import subprocess
import sys

from harness.config import load_declarations
from harness.config.placement import Placement, confine, detect
from harness.engine.engine import Engine
from harness.engine.spec import Address, LoadSpec
from harness.engine.wire import wire_request
from harness.model import PlannedRequest
from harness.prepare.select import select_targets
from harness.serve import Running, serving
from harness.verify import case_of

CONNECTIONS = 32


def wrk(running: Running, seconds: float, placement: Placement) -> float:
    """Requests per second by wrk, one thread, on the generator's CPU."""
    pin = ["taskset", "-c", ",".join(map(str, placement.generator))] if placement.generator else []
    url = f"http://{running.bind.host}:{running.bind.port}/json"
    command = [*pin, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", url]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", printed)
    assert rate, printed
    return float(rate[1])


def ours(engine: Engine, running: Running, seconds: float, seed: int) -> float:
    """Verified replies per second by the wire engine, every reply checked against the contract."""
    bind = running.bind
    request = wire_request(case_of(PlannedRequest("json", "valid")), f"{bind.host}:{bind.port}")
    spec = LoadSpec(Address(bind.host, bind.port), (request,), CONNECTIONS, seconds, seed=seed)
    measured = engine.run_load(spec)
    assert not measured.failed, measured.examples
    return measured.in_time / measured.duration_s


def compare(name: str, rounds: int, seconds: float, seed: int) -> dict[str, float | str | int]:
    placement, rng = detect(), random.Random(seed)
    [target] = select_targets(load_declarations(), [name])
    with serving(target) as running, Engine(placement.generator) as engine:
        confine(running.pid, placement.server)
        ours(engine, running, 0.5, seed)
        wrk(running, 1, placement)
        ratios, rates = [], []
        for number in range(rounds):
            pair = {}
            for side in rng.sample(("wrk", "ours"), 2):
                if side == "wrk":
                    pair[side] = wrk(running, seconds, placement)
                else:
                    pair[side] = ours(engine, running, seconds, seed + number)
            ratios.append(pair["ours"] / pair["wrk"])
            rates.append(pair["ours"])
    low, middle, high = statistics.quantiles(ratios, n=4)
    return {"target": name, "rounds": rounds, "ratio": middle, "q1": low, "q3": high, "rps": statistics.median(rates)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", default=["raw-asgi-uvicorn", "fastapi-uvicorn"])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.rounds < 2:
        parser.error("--rounds: at least 2, since quartiles are shown")
    if not shutil.which("wrk"):
        sys.exit("wrk is not installed (Debian: apt-get install wrk)")
    rows = [compare(name, options.rounds, options.seconds, options.seed) for name in options.targets]
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        print(
            f"{row['target']}: ours ÷ wrk = {row['ratio']:.3f} (quartiles {row['q1']:.3f}–{row['q3']:.3f}, "
            f"{row['rounds']} rounds); {row['rps']:,.0f} verified replies/s"
        )


if __name__ == "__main__":
    main()
