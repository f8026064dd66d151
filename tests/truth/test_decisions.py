"""Item 8 of the known truth, on simulated blocks: how often verdicts are wrong; and item 7, the competing spinner."""

from __future__ import annotations

import numpy as np
import pytest

from harness.plan.allocate import next_load
from harness.stats.interval import pooled_autocorrelation, t_interval
from harness.stats.looks import ALPHA, EARLY_LOOKS, LOOKS, beyond_early
from harness.stats.verdict import judge
from tests.truth.decisions import NOISE_KINDS, NoiseKind, block_noise, competing_spinner, look, simulate

pytestmark = pytest.mark.fuzz
AT_MARGIN = float(np.log(1.02))
QUIET, NOISY = 0.008, 0.03
MONTE_CARLO = 0.008
"""Allowed on top of 5%: three standard errors of a rate of 3% over 4,000 contrasts."""


@pytest.mark.parametrize("sd", [QUIET, NOISY])
@pytest.mark.parametrize("kind", NOISE_KINDS)
def test_equal_targets_are_seldom_called_different(kind: NoiseKind, sd: float) -> None:
    rates = simulate([0.0] * 20, kind, sd=sd, runs=200, seed=1)
    assert rates.different + rates.small <= 0.05


@pytest.mark.parametrize("kind", NOISE_KINDS)
def test_one_equal_pair_among_real_differences_is_seldom_called_different(kind: NoiseKind) -> None:
    rates = simulate([0.0] + [0.3] * 7, kind, sd=NOISY, runs=4000, seed=2, watch=[0])
    assert rates.different + rates.small <= 0.05 + MONTE_CARLO


@pytest.mark.parametrize("sd", [NOISY, 0.15])
@pytest.mark.parametrize("kind", NOISE_KINDS)
def test_an_early_look_never_ends_a_run_of_equal_targets(kind: NoiseKind, sd: float) -> None:
    """0.15 is the most that blocks were seen to vary on shared machines."""
    values = sd * block_noise(kind, (20_000, EARLY_LOOKS[-1]), np.random.default_rng(10))
    ended = np.zeros(len(values), dtype=bool)
    for blocks in EARLY_LOOKS:
        interval = t_interval(values[:, :blocks], ALPHA)
        ended |= beyond_early(np.exp(interval.low), np.exp(interval.high))
    assert ended.mean() <= 0.001


@pytest.mark.parametrize("kind", [kind for kind in NOISE_KINDS if kind != "ar1"])
def test_a_contrast_that_stands_alone_is_seldom_called_different(kind: NoiseKind) -> None:
    rates = simulate([0.0], kind, sd=NOISY, runs=4000, seed=3)
    assert rates.different + rates.small <= 0.05 + MONTE_CARLO


def growing(budget_s: float) -> list[float]:
    """The loads of the blocks that ``harness versus`` would measure, where each takes twice the first load besides."""
    found = [1.0]
    while len(found) < LOOKS[-1]:
        found.append(next_load(len(found), 1.0, found[-1], 2.0, budget_s - sum(found) - 2.0 * len(found)))
    return found


@pytest.mark.parametrize("sd", [NOISY, 0.15])
@pytest.mark.parametrize("kind", ["normal", "heavy-tails", "spikes"])
def test_blocks_that_grow_leave_equal_targets_equal_and_intervals_honest(kind: NoiseKind, sd: float) -> None:
    lengths = growing(600.0)
    alone = simulate([0.0], kind, sd=sd, runs=4000, seed=12, lengths=lengths)
    together = simulate([0.0] * 20, kind, sd=sd, runs=200, seed=13, lengths=lengths)
    for rates in (alone, together):
        assert rates.different + rates.small <= 0.05 + MONTE_CARLO
        assert rates.covered >= 0.97


@pytest.mark.parametrize("sd", [QUIET, 0.015, NOISY])
@pytest.mark.parametrize("kind", NOISE_KINDS)
def test_targets_that_differ_by_the_margin_are_seldom_called_the_same(kind: NoiseKind, sd: float) -> None:
    together = simulate([AT_MARGIN] * 20, kind, sd=sd, runs=200, seed=4)
    alone = simulate([-AT_MARGIN], kind, sd=sd, runs=4000, seed=5)
    assert together.same <= 0.05
    assert alone.same <= 0.05


def test_false_discoveries_stay_below_five_percent_of_discoveries() -> None:
    truths = [0.0] * 20 + [0.05] * 20
    null = simulate(truths, "normal", sd=0.015, runs=200, seed=6, watch=range(20))
    real = simulate(truths, "normal", sd=0.015, runs=200, seed=6, watch=range(20, 40))
    assert null.different + null.small <= 0.05 * (null.different + null.small + real.different + real.small)


@pytest.mark.parametrize("truth", [0.0, AT_MARGIN, 0.1])
def test_shown_intervals_cover_at_all_looks_together(truth: float) -> None:
    rates = simulate([truth] * 4, "normal", sd=NOISY, runs=1500, seed=7)
    assert rates.covered_always >= 0.95
    assert rates.covered >= 0.97


@pytest.mark.parametrize("kind", ["normal", "heavy-tails", "ar1"])
@pytest.mark.parametrize("blocks", [5, 12, 24])
def test_coverage_at_a_fixed_look_is_nominal(kind: NoiseKind, blocks: int) -> None:
    values = block_noise(kind, (1500, 12, blocks), np.random.default_rng(8))
    phi = pooled_autocorrelation(values[:, contrast] for contrast in range(12))
    for alpha, least, most in ((0.05, 0.93, 0.98), (0.01, 0.97, 0.9985)):
        interval = t_interval(values, alpha, autocorrelation=phi[:, None])
        assert least <= float(((interval.low <= 0) & (interval.high >= 0)).mean()) <= most


@pytest.mark.parametrize(("slower", "power"), [(0.02, 0.9), (0.03, 0.98), (0.05, 0.99), (0.10, 0.99)])
def test_injected_differences_are_found(slower: float, power: float) -> None:
    quiet = simulate([np.log1p(slower)] * 4, "normal", sd=QUIET, runs=500, seed=9)
    noisy = simulate([np.log1p(slower)] * 4, "normal", sd=NOISY, runs=500, seed=9)
    for name, rates in (("quiet", quiet), ("noisy", noisy)):
        print(f"{slower:.0%} {name}: found {rates.different + rates.small:.1%} in {rates.blocks:.1f} blocks")
    assert quiet.different + quiet.small >= power
    assert quiet.blocks <= noisy.blocks


def test_a_spinner_in_half_of_the_run_misleads_only_the_sequential_design() -> None:
    shares = competing_spinner(runs=100, seed=10)
    assert shares.one_after_the_other >= 0.95
    assert shares.alternating <= 0.05


def test_the_simulation_judges_as_a_run_is_judged() -> None:
    rng = np.random.default_rng(11)
    centres = np.array([0.0, 0.0, 0.01, 0.03, 0.2])
    for blocks in (5, 12):
        values = centres[:, None] + 0.01 * block_noise("ar1", (5, blocks), rng)
        (low, high), verdicts = look(values[None], 0.02, np.ones((1, 5)), np.ones((1, 5), dtype=bool))
        decisions = judge({str(k): row for k, row in enumerate(values)}, {str(k): 0.02 for k in range(5)})
        assert [decision.verdict for decision in decisions.values()] == list(verdicts[0])
        assert [decision.low for decision in decisions.values()] == pytest.approx(low[0].tolist())
        assert [decision.high for decision in decisions.values()] == pytest.approx(high[0].tolist())
