"""The profiles of ``harness run``: how much is measured, and in what time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Detail = Literal["full", "quick", "corner"]


@dataclass(frozen=True, slots=True)
class Profile:
    """How a run spends its time.

    Attributes:
        budget_s: wall time of the whole run, server starts included.
        blocks: repetitions with fresh servers.
        min_rounds: rounds that every slot has at least.
        detail: which of a scenario's settings are measured: ``full`` (the whole matrix), ``quick`` (its ``quick``
            values) or ``corner`` (the last of each ``quick`` value).
        scenarios: globs of the scenarios that are run when none are named.
        references_only: whether only the frameworks' reference targets are run when none are named.
        without: globs of the targets that are left out when none are named.
    """

    name: str
    budget_s: float
    blocks: int
    min_rounds: int
    detail: Detail
    scenarios: tuple[str, ...] = ("*",)
    references_only: bool = False
    without: tuple[str, ...] = ()


QUICK = ("json", "plaintext", "items", "orders-*", "io-sleep")
PROFILES = {
    profile.name: profile
    for profile in (
        Profile("smoke", 28, 2, 1, "corner", scenarios=("json", "orders-*", "io-sleep"), references_only=True),
        Profile("quick", 232, 5, 2, "quick", scenarios=QUICK, without=("*-sync",)),
        Profile("standard", 25 * 60, 5, 2, "full"),
        Profile("thorough", 60 * 60, 12, 3, "full"),
    )
}
