"""The search for a capacity against a real queue; short, and loose where a busy machine may be slow."""

import pytest

from harness.config.placement import detect
from harness.engine.engine import Engine
from harness.studies.capacity import Capacity
from tests.truth.capacity import LiveQueue, search

pytestmark = [pytest.mark.measure, pytest.mark.usefixtures("no_process_left")]
SERVICE_S = 0.01


def test_a_search_on_a_live_queue_ends_below_what_its_service_time_allows(attempts):
    """A disturbed window tells the search nothing; one search without such is enough."""
    settings = Capacity(
        bound_ms=100, start_rps=5, window_s=0.6, confirm_s=0.4, searches=2, blocks=1, overload_s=0.5, recovery_s=0.5
    )
    placement = detect()
    doublings = 7
    with Engine(placement.generator) as engine:
        for _ in attempts:
            row = search(settings, LiveQueue(SERVICE_S, engine, placement, seed=1))
            if len(row.tried) >= doublings + settings.searches:
                break
        else:
            pytest.skip("other processes use the server's CPU")
    assert 0 < row.low_rps < row.rps < row.high_rps < 2.5 / SERVICE_S
