"""What the shell offers for names: targets, scenarios, profiles, runs. A fault here offers nothing and says nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

RESULTS = Path("results")


def _names(read: Callable[[], Iterable[str]], incomplete: str) -> list[str]:
    # A shell in the middle of a line is no place for an error message, whatever a file of the project holds.
    with suppress(Exception):
        return [name for name in read() if name.startswith(incomplete)]
    return []


def targets(incomplete: str) -> list[str]:
    def read() -> Iterable[str]:
        from harness.declare import load_declarations

        return (target.name for target in load_declarations().targets)

    return _names(read, incomplete)


def scenarios(incomplete: str) -> list[str]:
    def read() -> Iterable[str]:
        from harness.declare import load_declarations

        return (scenario.name for scenario in load_declarations().scenarios)

    return _names(read, incomplete)


def profiles(incomplete: str) -> list[str]:
    def read() -> Iterable[str]:
        from harness.plan.profiles import PROFILES

        return PROFILES

    return _names(read, incomplete)


def runs(incomplete: str) -> list[str]:
    def read() -> Iterable[str]:
        found = sorted(RESULTS.glob("*/manifest.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        return ["latest", *(path.parent.name for path in found)]

    return _names(read, incomplete)


def choice(*values: str) -> Callable[[str], list[str]]:
    """Offers the values themselves."""

    def offered(incomplete: str) -> list[str]:
        return _names(lambda: values, incomplete)

    return offered
