"""Units used across the project: times in seconds inside, microseconds per request where people read them."""

from __future__ import annotations

import re

US = 1e6
MS = 1e3
KIB = 1024
MIB = 1024 * KIB
EARLY_S = 0.001
"""How early a timer may fire: event loops that count in whole milliseconds cut off what lies between."""

_PART = r"(\d+(?:\.\d*)?|\.\d+)\s*(us|ms|s|m|h)?"
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}


def parse_duration(text: str) -> float:
    """Seconds from ``"40s"``, ``"10m"``, ``"1m30s"``, ``"250ms"`` or a plain number of seconds.

    Raises:
        ValueError: the text is not a duration, or is not above zero.
    """
    if not re.fullmatch(f"(?>{_PART})+", text.strip()):
        raise ValueError(f"{text!r} is not a duration; write 40s, 10m, 1m30s or 250ms")
    total = sum(float(number) * _SECONDS[unit] for number, unit in re.findall(_PART, text))
    if total <= 0:
        raise ValueError(f"{text!r} is not a duration above zero")
    return total


def format_duration(seconds: float) -> str:
    """``"3m 20s"``, ``"24 s"``, ``"0.8 s"``, ``"12 ms"``: two significant units at most."""
    if seconds >= 3600:
        hours, minutes = divmod(round(seconds / 60), 60)
        return f"{hours}h {minutes:02d}m"
    if seconds >= 60:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes}m {rest:02d}s"
    if seconds >= 10:
        return f"{seconds:.0f} s"
    if seconds >= 0.1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1e3:.3g} ms"


def number_of(count: int, noun: str, plural: str = "") -> str:
    """``1 block``, ``1,200 blocks``; ``plural`` where that is not the noun with an s."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def significant(value: float, digits: int = 2) -> str:
    """``value`` to so many significant digits, in plain notation with thousands separators."""
    if value == 0 or value != value or value in (float("inf"), float("-inf")):
        return f"{value:g}"
    rounded = float(f"{value:.{digits - 1}e}")
    exponent = int(f"{abs(rounded):e}".partition("e")[2])
    return f"{rounded:,.{max(0, digits - 1 - exponent)}f}"
