"""The wire engine for minutes at full rate, and with ten thousand connections at once, against nginx.

    python benchmarks/endurance.py [--minutes 5] [--connections 10000]

Prints the generator's memory once it keeps no more times one by one, percentiles from its histogram next to exact ones,
and how many connections the kernel counted as established. Needs nginx.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import threading
from pathlib import Path

import psutil
from engine import CHECKED, nginx, request

from harness.cli.load import KEEP
from harness.engine.engine import Engine
from harness.engine.spec import Address, LoadSpec
from harness.engine.tally import BATCH
from harness.model.load import PRECISION
from harness.model.units import MIB

CONNECTIONS = 32
SHARES = (0.5, 0.9, 0.99, 0.999)


def endurance(engine: Engine, port: int, minutes: float) -> None:
    """Full rate for minutes, as ``harness load`` sends it; memory is read every few seconds meanwhile."""
    process = psutil.Process(engine.pids[0])
    readings: list[tuple[int, int]] = []
    spec = LoadSpec(Address(port=port), (request(CHECKED),), CONNECTIONS, minutes * 60, keep=KEEP)
    measured = engine.run_load(spec, lambda progress: readings.append((progress.replies, process.memory_info().rss)))
    full = [rss for replies, rss in readings if replies > KEEP + BATCH]
    print(
        f"{measured.elapsed_s:.0f} s: {measured.answered:,} replies, {measured.failed} failed, "
        f"{measured.in_time / measured.duration_s:,.0f}/s"
    )
    if full:
        tenths = [full[len(full) * part // 10] / MIB for part in range(10)] + [full[-1] / MIB]
        print(f"memory from the {KEEP:,}th reply to the end, MiB:", ", ".join(f"{each:,.0f}" for each in tenths))


def percentiles(engine: Engine, port: int, minutes: float) -> None:
    """Every time of one load, and the same times in a histogram."""
    measured = engine.run_load(LoadSpec(Address(port=port), (request(CHECKED),), CONNECTIONS, minutes * 60))
    every = measured.service_time_us
    assert every is not None
    exact, rough = every.quantiles(SHARES), every.histogram().quantiles(SHARES)
    for share, true, read in zip(SHARES, exact, rough, strict=True):
        print(f"p{share * 100:g} of {every.count:,}: {true:.2f} µs exactly, {read / true - 1:+.4%} in a histogram")
    print(f"a histogram may be off by {PRECISION:.4%}")


def crowd(engine: Engine, port: int, connections: int) -> None:
    """Many connections, all with a request in flight; the kernel's count of them is read."""
    most = 0
    ended = threading.Event()

    def watch() -> None:
        nonlocal most
        command = ["ss", "-Htn", "state", "established", f"( dport = :{port} )"]
        while not ended.wait(0.5):
            listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
            most = max(most, len(listed.splitlines()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        measured = engine.run_load(LoadSpec(Address(port=port), (request(CHECKED),), connections, 10.0))
    finally:
        ended.set()
        watcher.join()
    print(
        f"{connections:,} connections: {most:,} established at once, {measured.answered:,} right replies, "
        f"{measured.failed} failed {dict(measured.errors)}, {measured.in_time / measured.duration_s:,.0f}/s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--connections", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, nginx(Path(folder)) as port, Engine((1,)) as engine:
        crowd(engine, port, options.connections)
        endurance(engine, port, options.minutes)
        percentiles(engine, port, options.minutes / 10)


if __name__ == "__main__":
    main()
