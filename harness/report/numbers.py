"""Numbers as they are shown: the rounded text, the exact value, and where in ``summary.json`` it comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from harness.model.units import KIB, MIB, MS, US, significant
from harness.results.summary import Estimate

Part = TypeVar("Part")
Placed = tuple[str, Part]
"""A part of the summary after where it stands there."""
Show = Callable[[Any, str], Any]
"""How a number is written, of it and of where it stands in the summary."""


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


def plain(sentence: str | Sentence) -> str:
    """The sentence as text."""
    return "".join(part if isinstance(part, str) else part.text for part in sentence)


def joined(separator: str, sentences: Iterable[Sentence]) -> Sentence:
    """All in one, with the separator between them."""
    return tuple(part for each in sentences for part in (separator, *each))[1:]


@dataclass(frozen=True, slots=True)
class Measured:
    """An estimate as shown in a cell: the value and, where there is an interval, its half-width.

    Attributes:
        note: a remark that is shown with it; ``None`` in a column without remarks.
    """

    value: Figure
    half: Figure | None
    note: Sentence | None = None

    @property
    def text(self) -> str:
        shown = f"{self.value.text} ± {self.half.text}" if self.half else self.value.text
        return f"{shown}; {plain(self.note)}" if self.note else shown


def measured(estimate: Estimate | None, path: str, unit: float = 1.0, *, negative: bool = False) -> Measured | None:
    """Three significant digits for the value, two for the half-width; shown in ``unit`` of the summary's own.

    The half-width of what is ``imprecise`` is shown as unknown, unless the value may be ``negative``.
    """
    if estimate is None:
        return None
    value = Figure(significant(estimate.value / unit, 3), estimate.value, f"{path}.value")
    if estimate.ci_low is None or estimate.ci_high is None:
        return Measured(value, None)
    half = (estimate.ci_high - estimate.ci_low) / 2
    text = significant(half / unit) if negative or not imprecise(estimate) else "?"
    return Measured(value, Figure(text, half, f"{path}.half"))


def imprecise(estimate: Estimate | None) -> bool:
    """Whether half of its interval is as wide as the value itself, which says nothing of a value above zero."""
    if estimate is None or estimate.ci_low is None or estimate.ci_high is None:
        return False
    return estimate.ci_high - estimate.ci_low >= 2 * abs(estimate.value)


@dataclass(frozen=True, slots=True)
class Format:
    """How a number is written; what is not there has no figure."""

    text: Callable[[float], str]

    @overload
    def __call__(self, value: float, path: str) -> Figure: ...

    @overload
    def __call__(self, value: float | None, path: str) -> Figure | None: ...

    def __call__(self, value: float | None, path: str) -> Figure | None:
        return None if value is None else Figure(self.text(value), value, path)


def ratio_text(ratio: float) -> str:
    """A ratio near one needs the digits that differ from one: ``1.0032``, ``0.262``, ``2.4``."""
    distance = abs(ratio - 1)
    if 0 < distance < 0.995:
        exponent = int(f"{distance:.1e}".partition("e")[2])
        decimals = min(6, max(2, 1 - exponent))
        return f"{ratio:.{decimals}f}" if ratio > 0.1 else significant(ratio)
    return significant(ratio, 3)


def signed(value: float, digits: int = 2) -> str:
    """``significant`` with a typographic minus."""
    return significant(value, digits).replace("-", "−")


def plus(value: float) -> str:
    """``signed``, with a plus for what is above zero."""
    return f"+{signed(value)}" if value > 0 else signed(value)


def ends(low: float | None, high: float | None, show: Callable[[float], str]) -> str:
    """`` [19, 24]``, the ends of an interval as plain text; empty where one is missing."""
    return "" if low is None or high is None else f" [{show(low)}, {show(high)}]"


times = Format(ratio_text)
count = Format(lambda value: f"{value:,.0f}")
number = Format(lambda value: significant(value, 3))
rough = Format(significant)
multiple = Format(lambda ratio: f"{ratio:.2f}" if 0.1 <= ratio < 1.2 else significant(ratio))
"""How many times as much: near one with the digit that matters."""
share = Format(lambda value: f"{significant(value * 100)}%")
"""A share of one, as a percentage."""
percent = Format(lambda value: significant(value * 100))
"""``share`` without its sign, for the first end of a range."""
microseconds = Format(signed)
milliseconds = Format(lambda us: significant(us / US * MS, 3))
"""A latency of the summary, which is in microseconds."""
delta = Format(lambda ratio: f"{significant(abs(ratio - 1) * 100)}%")
"""How far a ratio is from one."""
change = Format(lambda ratio: f"{plus((ratio - 1) * 100)}%")
"""What a ratio adds: ``+12%``."""
wait = Format(lambda ms: f"{ms:g}")
thousands = Format(lambda value: signed(value / 1e3, 3))
mib = Format(lambda value: significant(value / MIB, 3))
kib = Format(lambda value: signed(value / KIB))


def part_at(part: Any, path: str) -> Any:
    """What stands under keys and indices joined by dots; ``None`` where it, or what should hold it, is not there."""
    for key in path.split("."):
        if isinstance(part, Mapping):
            part = part.get(key)
        elif part is not None:
            part = part[int(key)] if isinstance(part, tuple) else getattr(part, key)
    return part


def shown(part: Any, path: str, name: str, show: Show = number) -> Any:
    """The figure of what stands under ``name`` in a part of the summary that itself stands at ``path``."""
    return show(part_at(part, name), f"{path}.{name}")


def by(name: str) -> Callable[[Placed[Any]], float]:
    """What parts of the summary are ordered by: the number under ``name``."""
    return lambda each: float(part_at(each[1], name))


def numbered(path: str, parts: Iterable[Part]) -> list[Placed[Part]]:
    return [(f"{path}.{index}", part) for index, part in enumerate(parts)]


def spanned(part: Any, path: str, name: str, show: Show, key: str) -> dict[str, Any]:
    """Fields of a text: the value of an estimate under ``key``, and its ends as ``low`` and ``high``."""
    fields = {key: "value", "low": "ci_low", "high": "ci_high"}
    return {field: shown(part, path, f"{name}.{end}", show) for field, end in fields.items()}
