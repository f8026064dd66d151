"""A value with its uncertainty, and the verdict of a comparison: the words of every summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["different", "different-size-open", "small", "same", "undecided", "not-measurable"]
DIFFERENT: frozenset[Verdict] = frozenset({"different", "different-size-open"})
"""The verdicts that say that there is a difference, and that do not call it smaller than the margin."""
REAL: frozenset[Verdict] = DIFFERENT | {"small"}
"""The verdicts that say that there is a difference, even if it is smaller than the margin."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its t interval over blocks.

    Attributes:
        blocks: how many blocks it rests on; with one block the interval is ``None``.
    """

    value: float
    ci_low: float | None
    ci_high: float | None
    blocks: int
