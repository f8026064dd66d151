"""The profiles of ``harness run``: how much is measured, and in what time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from harness.model import Target

Detail = Literal["full", "quick", "corner", "grid"]


@dataclass(frozen=True, slots=True)
class Profile:
    """How a run spends its time.

    Attributes:
        budget_s: wall time of the whole run, server starts included.
        blocks: repetitions with fresh servers.
        min_rounds: rounds that every window has at least, while the run keeps to its plan; fewer where it is late.
        detail: which of a scenario's settings are measured: ``full`` (the whole matrix), ``quick`` (its ``quick``
            values), ``corner`` (the last of each ``quick`` value) or ``grid`` (its ``grid`` values, else ``quick``).
        scenarios: globs of the scenarios that are run when none are named.
        references_only: whether only the frameworks' reference targets are run when none are named.
        without: globs of the targets that are left out when none are named.
        targets: globs of the targets that are measured when none are named; empty for all.
        reserve: share of the budget that is not planned, for what must be repeated, is undecided, or is added.
        bisect: whether waits are added where a contrast changes its sign.
        longest_turn_s: sides whose turn would take longer are left out, with the reason.
        studies_s: of the budget, what is reserved for studies of one target alone.
        waiting_blocks: blocks in which the memory of waiting requests is measured, where the run has waits.
        variants: globs of the scenarios that targets marked ``variant`` are measured in when no target is named.
        studies: globs of names of studies' scenarios that run in ``studies_s``; where that is 0, only named ones do.
        instruments: whether instructions are counted, and servers sampled, where that is possible.
    """

    name: str
    budget_s: float
    blocks: int
    min_rounds: int
    detail: Detail
    scenarios: tuple[str, ...] = ("*",)
    references_only: bool = False
    without: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    reserve: float = 0.15
    bisect: bool = False
    longest_turn_s: float = math.inf
    studies_s: float = 0.0
    waiting_blocks: int = 0
    variants: tuple[str, ...] = ()
    studies: tuple[str, ...] = ("*",)
    instruments: bool = True


SMOKE = ("json", "orders-*", "io-sleep")
QUICK = ("json", "items", "orders-*", "io-sleep")
VARIANTS = ("*-sync-2", "*-gthread-1", "*-gthread-32")
"""Targets that differ from others in their number of threads or workers alone: of interest where requests wait."""
SERVER_SCENARIOS = ("json", "orders-validated")
"""Scenarios in which every server is measured."""
MAP = (
    "django-uvicorn",
    "django-gunicorn-gthread*",
    "django-gunicorn-sync-2",
    "flask-gunicorn-gthread",
    "flask-gunicorn-gthread-32",
    "fastapi-uvicorn",
    "tornado-native",
)
PROFILES = {
    profile.name: profile
    for profile in (
        Profile("smoke", 28, 2, 1, "corner", scenarios=SMOKE, references_only=True, instruments=False),
        Profile("quick", 240, 5, 2, "quick", scenarios=QUICK, without=VARIANTS, reserve=0.08),
        Profile("standard", 30 * 60, 5, 2, "full", without=VARIANTS, waiting_blocks=3, variants=SERVER_SCENARIOS),
        Profile("thorough", 60 * 60, 12, 3, "full", without=VARIANTS, waiting_blocks=5, variants=SERVER_SCENARIOS),
        Profile(
            "async",
            30 * 60,
            5,
            1,
            "grid",
            scenarios=("io-sleep", "io-db", "io-upstream"),
            targets=MAP,
            reserve=0.2,
            bisect=True,
            longest_turn_s=2.0,
            studies_s=12 * 60,
            studies=("neighbours", "fan-out", "latency", "capacity", "connections"),
            instruments=False,
        ),
    )
}


def default_targets(profile: Profile, targets: Sequence[Target]) -> tuple[Target, ...]:
    """Those that are measured when none are named; all but ``without``, where the profile's own choice has none."""
    chosen = tuple(target for target in targets if not _named(target, profile.without))
    if not profile.variants:
        chosen = tuple(target for target in chosen if not target.variant) or chosen
    if profile.references_only:
        chosen = tuple(target for target in chosen if target.reference) or chosen
    return tuple(target for target in chosen if _named(target, profile.targets)) or chosen


def _named(target: Target, globs: Sequence[str]) -> bool:
    return any(fnmatchcase(target.name, glob) for glob in globs)
