"""A value with its uncertainty, as every part of a summary has it."""

from __future__ import annotations

from dataclasses import dataclass


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
