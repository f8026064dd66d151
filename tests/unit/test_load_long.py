"""Long loads: nothing that is kept grows with their length, and what a histogram holds is what every time would say."""

import asyncio
import tracemalloc

import numpy as np
import pytest

from harness.engine.closedloop import run_closed
from harness.engine.openloop import OpenLoop, run_open
from harness.engine.pacing import PIECE, pieces, schedule, shared
from harness.engine.soundness import reasons
from harness.engine.spec import Address, EventsSpec, LoadSpec
from harness.engine.sse import run_events
from harness.engine.tally import BATCH, Samples, Tally, Traffic, load_result, steps
from harness.model.load import PRECISION, LoadResult
from harness.report.load_summary import lines

from .load_support import CLOSE, OK, request, run, scripted, serving

SHARES = (0.5, 0.9, 0.99, 0.999, 0.9999)


def test_percentiles_of_a_histogram_are_within_its_precision():
    rng = np.random.default_rng(3)
    times = rng.lognormal(-7, 1.2, 400_000)
    samples = Samples()
    for part in np.split(times, 200):
        samples.extend(part.tolist())
        samples.fold(50_000)
    assert len(samples) <= 50_000 + BATCH
    assert samples.total == 400_000
    found = samples.latencies()
    assert found.count == 400_000
    exact = np.quantile(times * 1e6, SHARES, method="inverted_cdf")
    np.testing.assert_allclose(found.quantiles(SHARES), exact, rtol=PRECISION)
    assert (found.least, found.most) == (times.min() * 1e6, times.max() * 1e6)
    assert found.total == pytest.approx(times.sum() * 1e6)


def test_a_tally_that_folds_counts_what_one_that_does_not_counts():
    spec = LoadSpec(Address(), (request(),), 1, 2.0)
    rng = np.random.default_rng(5)
    ends, results = np.sort(rng.uniform(0, 3.0, 5_000)), []
    for keep in (10**9, 300):
        tally = Tally()
        for number, end in enumerate(ends.tolist()):
            tally.ends.append(100.0 + end)
            tally.service.append(0.01 + end / 100)
            if number % 7 == 0:
                tally.fail("reset", "x", 100.0 + end)
            if number % 500 == 0 and end < 2.0:
                tally.fold(100.0, keep)
        results.append(load_result(spec, tally, 100.0, 2.0, 3.0, Traffic(), planned=0))
    whole, folded = results
    assert folded.trace is None
    assert whole.trace is not None
    for name in ("answered", "in_time", "failed", "answered_steps", "failed_steps", "errors"):
        assert getattr(folded, name) == getattr(whole, name), name
    assert folded.service_time_us.total == pytest.approx(whole.service_time_us.total)


def test_steps_add_up():
    whole = steps(np.array([0.05, 0.15, 0.95]), 0.0, np.zeros(0, np.int64))
    assert steps(np.array([0.05, 1.25]), 2.0, whole).tolist() == [2, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1] + [0] * 7
    assert steps(np.array([]), 0.0, whole).tolist() == whole.tolist()


@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
def test_pieces_of_a_schedule_are_the_whole(arrivals):
    phases = ((3_000.0, 2.0), (900.0, 6.5), (0.1, 3.0))
    whole = schedule(arrivals, phases, 3)
    assert (np.diff(whole) >= 0).all()
    for shares in (1, 3):
        for share in range(shares):
            parts = list(shared(pieces(arrivals, phases, 3), share, shares))
            assert np.concatenate(parts).tolist() == whole[share::shares].tolist()
    assert max(map(len, pieces(arrivals, phases, 3))) <= PIECE


def test_half_a_day_is_not_planned_at_once():
    async def go():
        async with serving(scripted([OK])) as address:
            tracemalloc.start()
            try:
                OpenLoop(LoadSpec(address, (request(),), 4, 12 * 3600.0, 1000.0))
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    assert run(go()) < 4_000_000


@pytest.mark.live
@pytest.mark.parametrize("rate", [None, 400.0])
def test_a_load_past_what_it_keeps_is_sound(rate):
    async def go():
        async with serving(scripted([OK])) as address:
            spec = LoadSpec(address, (request(),), 4, 2.0, rate, keep=50)
            result = await (run_closed if rate is None else run_open)(spec, lambda progress: None, asyncio.Event())
            return result, [reason.code for reason in reasons(result, spec) if "generator" not in reason.code]

    result, codes = run(go())
    # In so short a load the last replies, which end after it, are not few.
    assert set(codes) <= ({"littles-law"} if rate is None else set())
    assert result.trace is None
    assert result.service_time_us.counts is not None
    assert sum(result.answered_steps) == result.answered == result.service_time_us.count > 100
    assert result.in_time <= result.answered
    if rate is not None:
        assert result.planned == result.lateness_us.count == 800
    text = "\n".join(lines(result))
    assert "percentiles within 0.05%, from a histogram" in text
    again = LoadResult.from_json(result.to_json())
    assert again.service_time_us.quantiles(SHARES) == result.service_time_us.quantiles(SHARES)


@pytest.mark.live
def test_streams_past_what_they_keep():
    events = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: 1\n\ndata: 2\n\n"

    async def go():
        async with serving(scripted([events, CLOSE])) as address:
            spec = EventsSpec(address, 4, 1.5, data=request().data, keep=10)
            return await run_events(spec, lambda progress: None, asyncio.Event())

    result = run(go())
    assert result.service_time_us.counts is not None
    assert result.service_time_us.count == result.answered
    assert result.counts["events"] == 2 * result.answered
