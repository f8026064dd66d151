import math

import numpy as np
import pytest

from harness.selftest.checks import resolvable, sequential_verdict
from harness.selftest.slowdown import Loop, echo
from harness.selftest.slowed import Book, Spells


def test_more_blocks_resolve_less():
    assert resolvable(0.01, 16) < resolvable(0.01, 8) < resolvable(0.02, 8)
    assert resolvable(0.01, 1) == math.inf
    # Twelve blocks of a spread of 1%: (3.106 + 1.363) × 0.01 / √12.
    assert resolvable(0.01, 12) == pytest.approx(0.0130, abs=2e-4)


def test_the_smallest_resolvable_difference_is_found_in_nine_of_ten():
    rng = np.random.default_rng(1)
    share = resolvable(0.01, 12)
    found = 0
    for _ in range(400):
        values = rng.normal(math.log(1 + share), 0.01, 12)
        half = 3.106 * values.std(ddof=1) / math.sqrt(12)
        found += values.mean() - half > 0
    assert found / 400 == pytest.approx(0.9, abs=0.05)


def test_a_sequence_stops_at_the_first_look_that_decides():
    clear = np.full(24, 0.1) + np.linspace(-1e-3, 1e-3, 24)
    assert sequential_verdict(clear, 0.02, 24).blocks == 5
    noisy = np.tile([-0.2, 0.2], 12)
    decision = sequential_verdict(noisy, 0.02, 14)
    assert (decision.verdict, decision.blocks) == ("undecided", 14)


def test_a_book_adds_up_over_its_openings(tmp_path):
    first, second = Book(tmp_path / "book"), Book(tmp_path / "book")
    try:
        for _ in range(3):
            first.add(1_000)
        assert second.totals() == (3, pytest.approx(3e-6))
    finally:
        first.close()
        second.close()


def test_the_echo_of_the_loop_is_what_the_rest_of_a_request_costs_more():
    """Spells of 20 ms, every second one with 4 ms of the loop and 1 ms more of all else."""
    spells = [(0.020, 0.0), (0.025, 0.004)] * 20
    noted = np.cumsum([(0.0, 0.0), *spells], axis=0)
    assert echo(noted.tobytes()) == pytest.approx(0.25)
    noted[[10, 11]] = noted[[11, 10]]
    assert echo(noted.tobytes()) == pytest.approx(0.25), "a thread had to wait before it wrote"
    noted[20, 1] += 0.03
    assert echo(noted.tobytes()) == pytest.approx(0.25, rel=0.1), "and between its two clocks"


def test_the_loop_runs_in_every_second_spell(tmp_path):
    path = tmp_path / "book.spells"
    spells = Spells(2, Book(tmp_path / "book"), str(path))
    assert [spells.begun() for _ in range(7)] == [False, False, True, True, False, False, True]
    assert np.frombuffer(path.read_bytes()).reshape(-1, 2).shape == (4, 2)


def test_turns_cost_their_share_with_their_echo():
    assert Loop(request_s=300e-6, turn_s=10e-9, echo=0.2).turns(0.04) == 1000
