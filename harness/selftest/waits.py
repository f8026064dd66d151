"""Waits of 50 ms: 2 sync workers answer 40/s, an event loop at concurrency 20 answers 400/s, a blocked one 20/s."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.config.placement import Placement
from harness.engine.engine import Engine
from harness.engine.spec import SlicesSpec
from harness.engine.wire import side_spec
from harness.model import PlannedRequest, Point, Target
from harness.selftest.queue_checks import Check
from harness.serve import Fleet
from harness.serve.guard import Guard

WAIT_MS = 50
CONCURRENCY = 20
TOLERANCE = 0.05


def check_waits(targets: Sequence[Target], engine: Engine, placement: Placement, seconds: float) -> list[Check]:
    """Item 4 of the known truth, on real apps.

    Args:
        targets: a sync WSGI target, which gets 2 workers, and an async one.
        seconds: to spend on each of the three.
    """
    sync, asynchronous = replace(targets[0], workers=2), targets[1]
    sleep, blocking = (_point(name) for name in ("io-sleep", "io-blocking"))
    cases = (
        ("2 sync workers, waits of 50 ms, replies/s", sync, sleep, 40.0),
        ("event loop at concurrency 20, waits of 50 ms, replies/s", asynchronous, sleep, 400.0),
        ("event loop blocked for 50 ms, replies/s", asynchronous, blocking, 20.0),
    )
    checks = []
    guard = Guard()
    try:
        with Fleet(guard, placement) as fleet:
            fleet.start([sync, asynchronous])
            for what, target, point, expected in cases:
                side = side_spec(point, fleet.running[target.name])
                side = replace(side, slice_s=seconds)
                measured = engine.run_slices(SlicesSpec(what, (side,), 1, seconds, min_rounds=1, warmup_rounds=0))
                counts = np.asarray(measured.slices.window_replies)
                rate = float(np.sum(counts) / np.sum(measured.slices.window))
                checks.append(Check(what, rate, expected, TOLERANCE * expected))
    finally:
        guard.close()
    return checks


def _point(endpoint: str) -> Point:
    request = PlannedRequest(endpoint, "", {"ms": WAIT_MS})
    return Point(f"{endpoint}@{CONCURRENCY}", endpoint, {"ms": WAIT_MS}, CONCURRENCY, (request,), WAIT_MS / 1e3)
