import pytest

from harness.model.units import format_duration, parse_duration, significant


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("40s", 40),
        ("10m", 600),
        ("1m30s", 90),
        ("250ms", 0.25),
        ("2", 2),
        (".5", 0.5),
        (".5s", 0.5),
        ("1.5h", 5400),
        (" 3 s ", 3),
    ],
)
def test_durations_are_read(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "soon", "10x", "-3s", "0s", "5m x"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0123, "12.3 ms"), (0.85, "0.8 s"), (24, "24 s"), (200, "3m 20s"), (3600, "1h 00m"), (5430, "1h 30m")],
)
def test_durations_are_shown(seconds, text):
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1234.5, "1,200"), (0.01234, "0.012"), (99.9, "100"), (2.36, "2.4"), (-7.25, "-7.2"), (1e400, "inf")],
)
def test_two_significant_digits(value, text):
    assert significant(value) == text
