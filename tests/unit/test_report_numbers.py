import pytest

from harness.report.numbers import measured, ratio_text, signed
from harness.results.summary import Estimate


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (1.0, "1.00"),
        (1.0032, "1.0032"),
        (0.9988, "0.9988"),
        (1.12, "1.12"),
        (0.81, "0.81"),
        (0.262, "0.26"),
        (0.026, "0.026"),
        (2.449, "2.45"),
        (12.34, "12.3"),
        (1 + 1e-9, "1.000000"),
    ],
)
def test_ratios_show_the_digits_that_differ_from_one(ratio, text):
    assert ratio_text(ratio) == text


def test_a_minus_is_typographic():
    assert signed(-7.25) == "−7.2"


def test_a_value_keeps_full_precision_beside_its_text():
    shown = measured(Estimate(12345.678, 12100.5, 12590.25, 8), "cells.0.cpu_us")
    assert (shown.value.text, shown.value.value, shown.value.path) == ("12,300", 12345.678, "cells.0.cpu_us.value")
    assert shown.half is not None
    assert (shown.half.text, shown.half.value, shown.half.path) == ("240", 244.875, "cells.0.cpu_us.half")


def test_one_block_has_no_half_width():
    assert measured(Estimate(5.0, None, None, 1), "x").half is None


@pytest.mark.parametrize(
    ("low", "high", "half"),
    [(-2990.0, 15810.0, "?"), (6000.0, 6820.0, "410"), (1.0, 12819.0, "6,400"), (0.0, 12820.0, "?")],
)
def test_an_interval_wider_than_the_value_is_not_given_as_one(low, high, half):
    assert measured(Estimate(6410.0, low, high, 2), "x").half.text == half


def test_what_may_be_below_zero_keeps_its_interval():
    assert measured(Estimate(-1500.0, -4500.0, 1500.0, 3), "x", 1e3, negative=True).half.text == "3.0"
