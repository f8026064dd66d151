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
