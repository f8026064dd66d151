"""The search for a capacity against a real queue; short, and loose where a busy machine may be slow."""

import pytest

from harness.declare.study_settings import Capacity
from harness.load.engine import Engine
from harness.placement import detect
from harness.truth.capacity import LiveQueue, search

pytestmark = [pytest.mark.quiet, pytest.mark.usefixtures("no_process_left")]
SERVICE_S = 0.01


def test_a_search_on_a_live_queue_ends_below_what_its_service_time_allows():
    settings = Capacity(
        bound_ms=100, start_rps=5, window_s=0.6, confirm_s=0.4, searches=2, blocks=1, overload_s=0.5, recovery_s=0.5
    )
    placement = detect()
    with Engine(placement.generator) as engine:
        row = search(settings, LiveQueue(SERVICE_S, engine, placement, seed=1))
    if row.rps is None:
        pytest.skip("other processes use the server's CPU")
    assert len(row.tried) >= 3
    assert 0 < row.low_rps < row.rps < row.high_rps < 2.5 / SERVICE_S
