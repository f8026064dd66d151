"""The highest rate of the generator: against a server that does next to nothing, on the server's CPU."""

from __future__ import annotations

import statistics
from collections.abc import Mapping

from harness.config.placement import Placement
from harness.engine.engine import Engine
from harness.engine.spec import Address, SideSpec, SlicesSpec
from harness.engine.url import parse_url, request_to
from harness.model import Plan
from harness.serve.guard import Guard
from harness.serve.services.upstream import HOST, Upstream

SECONDS = 0.4


def ceilings(engine: Engine, placement: Placement, plan: Plan) -> Mapping[int, float]:
    """Replies per second from the null server by concurrency, where sides take turns and requests do not wait, so that
    the generator could be what limits them; takes some half a second for each.

    The null server is the upstream service without its work: it parses a request's first line and answers at once.

    Raises:
        LaunchError: it does not come up.
        EngineError: the load generator failed.
    """
    concurrencies = sorted({point.concurrency for point in plan.compared_points if not point.wait_s})
    if not (concurrencies and plan.alternating):
        return {}
    with Guard() as guard:
        null = Upstream(guard, placement.server)
        try:
            null.start()
            return {concurrency: _rate(engine, null.port, concurrency) for concurrency in concurrencies}
        finally:
            null.stop()


def _rate(engine: Engine, port: int, concurrency: int) -> float:
    """The median over slices; 0 where no reply was right."""
    request = request_to(parse_url(f"{HOST}/health"), "GET", status=200)
    side = SideSpec("null", "null", Address(HOST, port), (request,), concurrency)
    slices = engine.run_slices(SlicesSpec((side,), 1, SECONDS)).slices
    rates = [replies / window for replies, window in zip(slices.window_replies, slices.window, strict=True) if window]
    return statistics.median(rates) if rates else 0.0
