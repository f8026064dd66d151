"""Shell completion of names; on any error it offers nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

RESULTS = Path("results")


def targets(incomplete: str) -> list[str]:
    from harness.config import load_declarations

    return _offered(lambda: (target.name for target in load_declarations().targets), incomplete)


def scenarios(incomplete: str) -> list[str]:
    from harness.config import load_declarations

    return _offered(lambda: (scenario.name for scenario in load_declarations().scenarios), incomplete)


def profiles(incomplete: str) -> list[str]:
    from harness.plan.profiles import PROFILES

    return _offered(lambda: PROFILES, incomplete)


def runs(incomplete: str) -> list[str]:
    def names() -> list[str]:
        manifests = sorted(RESULTS.glob("*/manifest.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        return ["latest", *(path.parent.name for path in manifests)]

    return _offered(names, incomplete)


def _offered(names: Callable[[], Iterable[str]], incomplete: str) -> list[str]:
    # A shell in the middle of a line is no place for an error message, whatever a file of the project holds.
    with suppress(Exception):
        return [name for name in names() if name.startswith(incomplete)]
    return []
