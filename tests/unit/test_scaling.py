"""Workers and threads: variants of a target, the models through them, and workers that share unevenly."""

from dataclasses import replace

import numpy as np
import pytest

from harness.model import Target
from harness.stats.scaling import fit_scalability
from harness.studies.scaling import STUDY, scaling_fits, scaling_rows, variants
from tests.records import alone
from tests.unit.test_studies import SCENARIOS

FLASK = Target("flask", "flask", "wsgi", "gunicorn", "app:app", {"worker_class": "gthread"}, threads=8, reference=True)
SIZES = (1, 2, 4, 8, 16)


def rate_of(rng, workers, serial, rounds=400):
    """Replies per second of workers that compute at the same time, and then go one by one through what only one may do.

    A request takes a second in all, of which ``serial`` one by one, for a random time with that mean.
    """
    # The sum of so many exponential times.
    waits = rng.gamma(rounds * workers, serial) if serial else 0.0
    return rounds * workers / (rounds * (1 - serial) + waits)


def blocks_of(rng, serial, count=5, noise=0.02):
    """Fresh servers in each block, each a little faster or slower than the others."""
    return [[rate_of(rng, n, serial) * rng.lognormal(0, noise) for n in SIZES] for _ in range(count)]


@pytest.mark.parametrize("serial", [0.0, 0.02, 0.1, 0.5])
@pytest.mark.parametrize("coherency", [False, True])
def test_the_serial_share_of_a_simulated_server_is_recovered_within_its_interval(serial, coherency):
    rng = np.random.default_rng(23)
    covered = 0
    for _ in range(200):
        found = fit_scalability(SIZES, blocks_of(rng, serial), coherency=coherency)
        assert found.contention.value == pytest.approx(serial, abs=0.1)
        covered += found.contention.ci_low <= serial <= found.contention.ci_high
    assert covered >= 0.90 * 200


def test_what_keeping_in_step_costs_is_recovered_too():
    rng = np.random.default_rng(5)
    n = np.array(SIZES)
    exact = 100 * n / (1 + 0.05 * (n - 1) + 0.01 * n * (n - 1))
    covered = 0
    for _ in range(200):
        found = fit_scalability(SIZES, [exact * rng.lognormal(0, 0.02, len(n)) for _ in range(5)], coherency=True)
        covered += found.coherency.ci_low <= 0.01 <= found.coherency.ci_high
    assert covered >= 0.90 * 200


def test_no_model_goes_through_fewer_than_five_points_or_beyond_them():
    rng = np.random.default_rng(1)
    blocks = np.array(blocks_of(rng, 0.1))
    assert fit_scalability(SIZES[:4], blocks[:, :4], coherency=False) is None
    assert fit_scalability(SIZES, blocks[:1], coherency=False) is None
    curve = fit_scalability(SIZES, blocks, coherency=False).curve
    assert (curve[0][0], curve[-1][0]) == (1, 16)
    assert curve[0][1] == pytest.approx(1.0, rel=0.05)


def test_a_target_is_measured_with_each_number_of_workers_and_of_threads():
    found = {each.name: each for each in variants(FLASK, {"workers": (1, 2), "threads": (1, 8)})}
    numbers = {name: (each.workers, each.threads, each.base, each.reference) for name, each in found.items()}
    assert numbers == {
        "flask": (1, 8, "", True),
        "flask-2x8": (2, 8, "flask", False),
        "flask-1x1": (1, 1, "flask", False),
    }


def records(rates, shares=(), ms=0, cpus=2.0, connections=64, noise=0.01):
    """A record in each of five blocks for each (workers, threads) → replies per second."""
    rng = np.random.default_rng(7)
    found = []
    for block in range(5):
        for (workers, threads), rate in rates.items():
            even = [1 / workers] * workers
            chosen = shares if shares and workers > 1 else even
            figures = {"throughput_rps": rate * rng.lognormal(0, noise), "cpus": cpus, "generator_cpu": 0.1}
            params = {"base": "flask", "workers": workers, "threads": threads, "step": "load", "ms": ms}
            name = f"flask-{workers}x{threads}"
            one = alone(
                f"b{block}-{name}", block, "scaling", name, "cpu-load", scenario="scaling", params=params,
                planned=100, answered=100, figures=figures,
            )  # fmt: skip
            only = replace(one.only, concurrency=connections, worker_shares=tuple(chosen) if workers > 1 else ())
            found.append(replace(one, sides=(only,)))
    return found


def rows(*args, **more):
    found = scaling_rows(records(*args, **more), lambda record: {})
    return {(row.workers, row.threads): row for row in found}


def test_a_speed_up_is_over_the_fewest_workers_or_threads_of_the_same_block():
    found = rows({(1, 8): 100.0, (2, 8): 180.0, (1, 1): 50.0})
    two, eight, one = found[2, 8], found[1, 8], found[1, 1]
    assert (two.by, two.times, eight.by, eight.times, one.by) == ("workers", 2, "threads", 8, None)
    assert two.speedup.value == pytest.approx(1.8, rel=0.03)
    assert two.speedup.ci_low < two.speedup.value < two.speedup.ci_high
    assert two.efficiency.value == pytest.approx(0.9, rel=0.03)
    assert eight.speedup.value == pytest.approx(2.0, rel=0.03)
    assert one.speedup is None


def test_workers_that_share_unevenly_are_named_and_have_no_speed_up():
    found = rows({(1, 8): 100.0, (2, 8): 100.0}, shares=(0.97, 0.03))[2, 8]
    assert (found.reason.code, found.reason.fields) == ("uneven-workers", {"most": 0.97, "least": 0.03})
    assert (found.speedup, found.efficiency) == (None, None)
    assert found.throughput_rps.value == pytest.approx(100, rel=0.03)
    assert rows({(1, 8): 100.0, (2, 8): 180.0}, shares=(0.55, 0.45))[2, 8].speedup


def test_more_workers_than_cpus_and_a_load_that_is_used_up_are_limits():
    found = rows({(1, 8): 100.0, (2, 8): 180.0, (4, 8): 181.0})
    assert [found[n, 8].limit for n in (1, 2, 4)] == ["", "", "cpus"]
    # 64 connections that wait 50 ms each give 1,280 replies per second, and no number of workers gives more.
    waiting = rows({(1, 8): 160.0, (4, 8): 640.0, (8, 8): 1270.0}, ms=50)
    assert [waiting[n, 8].limit for n in (1, 4, 8)] == ["", "", "load"]


def test_models_go_through_what_no_limit_cut_off():
    serial = {(1, n): 1000 * n / (1 + 0.1 * (n - 1)) for n in (1, 2, 4, 8, 16)}
    [fit] = scaling_fits(records(serial, ms=1, connections=64), lambda record: {})
    assert (fit.target, fit.by, fit.each, fit.sizes) == ("flask", "threads", 1, (1, 2, 4, 8, 16))
    assert fit.amdahl.contention.ci_low <= 0.1 <= fit.amdahl.contention.ci_high
    assert scaling_fits(records(serial, ms=0), lambda record: {}) == ()
    assert scaling_fits(records({**serial, (1, 16): 64_000.0}, ms=1), lambda record: {}) == ()


def test_a_window_says_how_many_workers_and_threads_it_was():
    scenario = SCENARIOS["scaling"]
    brief = STUDY.brief(scenario, {}, target=replace(FLASK, name="flask-2x8", base="flask", workers=2))
    windows = []
    specs = STUDY.windows(brief)
    window = next(specs, None)
    while window is not None:
        windows.append(window)
        try:
            window = specs.send(None)
        except StopIteration:
            window = None
    assert [(window.setting["base"], window.setting["workers"], window.setting["threads"]) for window in windows] == [
        ("flask", 2, 8)
    ] * len(windows)
    assert {window.setting["step"] for window in windows} == {"warm-up", "load"}
