"""What the commands share: which targets and scenarios are meant, and where results and reports lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.declare import Declarations, load_declarations, match_names, select_targets
from harness.errors import UsageError
from harness.model import Failure, Journey, Scenario, Target
from harness.servers import backlog_of, how_to_install, interface_of, missing_for
from harness.swarm.journeys import find_journeys

RESULTS = Path("results")
REPORTS = Path("reports")


def chosen_targets(
    patterns: Sequence[str], declarations: Declarations | None = None
) -> tuple[tuple[Target, ...], tuple[Failure, ...]]:
    """The targets that are meant and can be started, and those left out with the reason.

    Raises:
        UsageError: an unknown name, or a target asked for by its exact name whose server is not installed.
    """
    targets = select_targets(declarations or load_declarations(), patterns, interface_of)
    usable, skipped = [], []
    for target in targets:
        missing = "" if target.python else missing_for(target)
        if not missing:
            usable.append(target)
            continue
        message = f"{missing} is not installed"
        if target.name in patterns or ("@" in "".join(patterns) and target.framework == "own"):
            raise UsageError(f"target {target.name!r}: {message}", hint=how_to_install(missing))
        skipped.append(Failure(target.name, "", "not-installed", f"{message}: {how_to_install(missing)}"))
    if not usable:
        raise UsageError("none of the chosen targets can be started: " + skipped[0].message)
    return tuple(_resolved(target) for target in usable), tuple(skipped)


def chosen_loads(
    patterns: Sequence[str], declarations: Declarations
) -> tuple[tuple[Scenario, ...], tuple[Journey, ...]]:
    """The scenarios and the journeys that are meant; all scenarios and no journey where there is no pattern.

    Raises:
        UsageError: a pattern names none.
    """
    if not patterns:
        return declarations.scenarios, ()
    scenarios, journeys = {scenario.name: scenario for scenario in declarations.scenarios}, find_journeys()
    names = dict.fromkeys(
        name for pattern in patterns for name in match_names(pattern, {**scenarios, **journeys}, "scenario")
    )
    plain = tuple(scenarios[name] for name in names if name in scenarios)
    return plain, tuple(journeys[name] for name in names if name in journeys)


def _resolved(target: Target) -> Target:
    """The backlog is the server's unless set; ``python`` may be a path relative to where the command runs."""
    target = replace(target, backlog=backlog_of(target))
    if not target.python:
        return target
    found = Path(target.python).expanduser()
    return replace(target, python=str(found.absolute() if found.exists() else target.python))
