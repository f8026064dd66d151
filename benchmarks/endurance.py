"""The wire engine for minutes at full rate, and with ten thousand connections at once, against nginx.

    python benchmarks/endurance.py [--minutes 5] [--connections 10000]

Prints the generator's memory as it grows beside the bytes of the samples that it keeps, and how many connections the
kernel counted as established. Needs nginx.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import psutil
from engine import CHECKED, nginx, request

from harness.engine.engine import Engine
from harness.engine.spec import Address, LoadSpec
from harness.model.units import MIB

SAMPLE_BYTES = 8
KEPT_PER_REPLY = 2
"""Of a closed loop: the service time of every right reply, and when its request was sent."""


def endurance(engine: Engine, port: int, minutes: float) -> None:
    """Full rate for minutes; memory is read every few seconds meanwhile."""
    engine.run_load(LoadSpec(Address(port=port), (request(CHECKED),), 32, 1.0))
    process = psutil.Process(engine.pids[0])
    before = process.memory_info().rss
    readings: list[tuple[float, int]] = []
    counts: list[int] = []
    ended = threading.Event()
    began = time.monotonic()

    def watch() -> None:
        while not ended.wait(5):
            readings.append((time.monotonic() - began, process.memory_info().rss - before))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        spec = LoadSpec(Address(port=port), (request(CHECKED),), 32, minutes * 60)
        measured = engine.run_load(spec, lambda progress: counts.append(progress.replies))
    finally:
        ended.set()
        watcher.join()
    within = [reading for reading in readings if reading[0] <= minutes * 60]
    seconds, grown = within[-1]
    kept = measured.answered * (seconds / measured.elapsed_s) * SAMPLE_BYTES * KEPT_PER_REPLY
    print(
        f"{measured.elapsed_s:.0f} s: {measured.answered:,} replies, {measured.failed} failed, "
        f"{measured.in_time / measured.duration_s:,.0f}/s; memory grew by {grown / MIB:,.0f} MiB in {seconds:.0f} s, "
        f"samples kept by then take {kept / MIB:,.0f} MiB: ratio {grown / kept:.2f}"
    )


def crowd(engine: Engine, port: int, connections: int) -> None:
    """Many connections, all with a request in flight; the kernel is asked how many there are."""
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


if __name__ == "__main__":
    main()
