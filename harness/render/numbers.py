"""Numbers as they are shown: the rounded text, the exact value, and where in ``summary.json`` it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from harness.analyse.summary import Estimate
from harness.units import KIB, MIB, significant


@dataclass(frozen=True, slots=True)
class Figure:
    """One shown number.

    Attributes:
        text: what is read; rounded, with its unit where the sentence needs it.
        value: the summary's own number, in full precision and in the summary's unit.
        path: where it stands in ``summary.json``, as keys and indices joined by dots. A last part ``half`` means
            half the width of the interval of the estimate named before it.
    """

    text: str
    value: float
    path: str


Sentence = tuple[str | Figure, ...]
"""Text and figures in order, so that each rendering can mark the numbers up in its own way."""


def plain(sentence: Sentence) -> str:
    """The sentence as text."""
    return "".join(part if isinstance(part, str) else part.text for part in sentence)


@dataclass(frozen=True, slots=True)
class Measured:
    """An estimate as shown in a cell: the value and, where there is an interval, its half-width."""

    value: Figure
    half: Figure | None


def measured(estimate: Estimate, path: str) -> Measured:
    """Three significant digits for the value, two for the half-width."""
    value = Figure(significant(estimate.value, 3), estimate.value, f"{path}.value")
    if estimate.ci_low is None or estimate.ci_high is None:
        return Measured(value, None)
    half = (estimate.ci_high - estimate.ci_low) / 2
    return Measured(value, Figure(significant(half), half, f"{path}.half"))


def times(ratio: float, path: str) -> Figure:
    """A ratio near one needs the digits that differ from one: ``1.0032``, ``0.262``, ``2.4``."""
    return Figure(ratio_text(ratio), ratio, path)


def ratio_text(ratio: float) -> str:
    distance = abs(ratio - 1)
    if 0 < distance < 0.995:
        exponent = int(f"{distance:.1e}".partition("e")[2])
        decimals = min(6, max(2, 1 - exponent))
        return f"{ratio:.{decimals}f}" if ratio > 0.1 else significant(ratio)
    return significant(ratio, 3)


def share(value: float, path: str) -> Figure:
    """A share of one as a percentage of two significant digits."""
    return Figure(f"{significant(value * 100)}%", value, path)


def excess(ratio: float, path: str, *, sign: int = 1) -> Figure:
    """How far ``ratio`` lies from one, in percent; ``sign`` −1 reads the distance downwards."""
    return Figure(signed(sign * (ratio - 1) * 100), ratio, path)


def signed(value: float, digits: int = 2) -> str:
    """``significant`` with a typographic minus."""
    return significant(value, digits).replace("-", "−")


def microseconds(value: float, path: str, *, sign: int = 1) -> Figure:
    return Figure(signed(sign * value), value, path)


def mebibytes(value: float, path: str) -> Figure:
    return Figure(significant(value / MIB, 3), value, path)


def kibibytes(value: float, path: str) -> Figure:
    return Figure(signed(value / KIB), value, path)
