"""Items 4, 6 and 7 of the known truth on real apps: loose limits here, the exact figures in ``harness selftest``."""

import math

import numpy as np
import pytest

from harness.config import load_declarations
from harness.config.placement import detect
from harness.engine.engine import Engine
from harness.plan import expand
from harness.prepare.select import select_scenarios, select_targets
from harness.selftest.checks import check_waits, sequential_verdict
from harness.selftest.slowdown import experiment

pytestmark = [pytest.mark.measure, pytest.mark.usefixtures("no_process_left")]


def target(name):
    return select_targets(load_declarations(), [name])[0]


def json_point():
    return expand(select_scenarios(load_declarations(), ["json"])[0], "full")[0]


def near(log_ratio, ratio):
    return np.median(log_ratio) == pytest.approx(math.log(ratio), abs=0.1)


@pytest.mark.parametrize("name", ["raw-asgi-uvicorn", "raw-wsgi-gunicorn-gthread"])
def test_an_injected_slowdown_is_seen_in_its_true_size(name, attempts):
    """Calibration and slots are seconds apart, so that a machine that changes between them gets another attempt."""
    placement, seen = detect(), []
    with Engine(placement.generator) as engine:
        for seed in attempts:
            found = experiment(target(name), json_point(), (0.5,), engine, placement, blocks=3, window_s=1.0, seed=seed)
            control, slowed = found.injected
            if len(slowed.log_ratio) == 3:
                assert slowed.truth > 1.1
                seen.append(found)
                if near(control.log_ratio, 1.0) and near(slowed.log_ratio, slowed.truth):
                    break
    if not seen:
        pytest.skip("other processes use the server's CPU")
    control, slowed = seen[-1].injected
    assert near(control.log_ratio, 1.0), control.log_ratio
    assert near(slowed.log_ratio, slowed.truth), (slowed.log_ratio, slowed.truth)
    assert np.median(slowed.rates) < 0
    assert sequential_verdict(control.log_ratio, 0.02, 3).verdict in ("undecided", "same", "small")


def known(check):
    return check.measured == pytest.approx(check.expected, rel=0.25)


def test_waits_of_50_ms_have_their_known_rates(attempts):
    placement = detect()
    targets = [target("flask-gunicorn-sync"), target("fastapi-uvicorn")]
    with Engine(placement.generator) as engine:
        for _ in attempts:
            checks = check_waits(targets, engine, placement, 2.0)
            if all(known(check) for check in checks):
                break
    for check in checks:
        assert known(check), check
