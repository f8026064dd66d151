"""A closed loop on its own: so many requests in flight for so long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import numpy as np

from harness.load.loops import attend, begin_at, no_collections
from harness.load.spec import LoadMeasurement, LoadSpec, Progress
from harness.load.tally import WINDOW_S, floats, statuses, windows
from harness.load.turns import ClosedLoop, Turn
from harness.sampling import waited_for_cpu
from harness.units import US


async def run_closed(spec: LoadSpec, on_progress: Callable[[Progress], None], stop: asyncio.Event) -> LoadMeasurement:
    """Run a ``LoadSpec`` without a rate."""
    loop = ClosedLoop(spec.address, spec.requests, spec.connections, spec.timeout_s, spec.seed, spec.share, spec.shares)
    turns: list[Turn] = []

    async def send() -> None:
        turns.append(await loop.turn(spec.duration_s))

    await begin_at(spec.start_at)
    cpu, waited = time.process_time(), waited_for_cpu()
    try:
        with no_collections():
            await attend(send(), loop, on_progress, stop)
    finally:
        loop.close()
    turn = turns[0]
    elapsed = turn.ended - turn.started
    duration = turn.stopped - turn.started
    service, ends = floats(turn.service), floats(turn.ends) - turn.started
    return LoadMeasurement(
        duration_s=duration,
        elapsed_s=elapsed,
        planned=turn.replies + turn.wrong + turn.failed + turn.unfinished,
        answered=turn.replies,
        failed=turn.wrong + turn.failed,
        dropped=0,
        unfinished=turn.unfinished,
        waited=0,
        in_time=int(np.count_nonzero(ends <= duration)),
        sent_s=ends - service,
        service_time_us=service * US,
        response_time_us=None,
        lateness_us=None,
        in_flight_mean=None,
        window_s=WINDOW_S,
        windows=windows(ends, duration),
        failed_windows=windows(floats(turn.failures) - turn.started, duration),
        status=statuses(loop.traffic, loop.checks),
        errors=dict(turn.errors),
        examples=dict(turn.examples),
        generator_cpu=(time.process_time() - cpu) / elapsed,
        connects=loop.traffic.connects,
        reconnects=loop.traffic.reconnects,
        retries=loop.traffic.retries,
        surplus=loop.traffic.surplus,
        generator_wait=(waited_for_cpu() - waited) / elapsed,
    )
