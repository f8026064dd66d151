"""``harness verify``: the contract, or with ``--features`` the capabilities, against live targets."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from harness.commands.select import chosen_targets
from harness.declare import load_declarations
from harness.errors import LaunchError
from harness.launch import Running, serving
from harness.model import Failure, Feature, Target
from harness.services import needs_of, services
from harness.verify import Checked, endpoints_of, verify_all
from harness.verify.features import CAPABILITIES, probe

MOST_NAMED = 6
MOST_SHOWN = 20
Found = TypeVar("Found")


def run(patterns: Sequence[str], as_json: bool, quiet: bool, *, features: bool = False) -> int:
    """Asks every chosen target; returns the exit code."""
    declarations = load_declarations()
    targets, skipped = chosen_targets(patterns, declarations)
    targets = tuple(_known(target, declarations.targets) for target in targets)
    errors = Console(stderr=True, quiet=quiet)
    for target in targets:
        if not target.endpoints:
            errors.print(f"{target.name}: no endpoints are declared for {target.application}", markup=False)
    if features:
        probed, failures = _each(targets, _probe, errors)
        failures = [*skipped, *failures]
        document = {"features": [{**asdict(f), "as_declared": f.as_declared} for f in probed]}
        different = any(not feature.as_declared for feature in probed)
    else:
        checked, failures = _each(targets, _verify, errors)
        failures = [*skipped, *failures]
        document = {"checked": [asdict(entry) for entry in checked]}
        different = any(entry.difference for entry in checked)
    if as_json:
        document["failures"] = [asdict(failure) for failure in failures]
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
    else:
        out = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 200)
        if features:
            _show_features(out, targets, probed)
        else:
            _show(out, targets, checked)
        _show_failures(out, failures)
    if any(failure.kind == "not-ready" for failure in failures):
        return 3
    return 1 if different else 0


def _known(target: Target, declared: Sequence[Target]) -> Target:
    """A target spelled out, with the endpoints of the targets that serve the same app, and what all of them lack."""
    same = [each for each in declared if each.application == target.application]
    if target.endpoints or not same:
        return target
    lacks = {name: why for name, why in same[0].lacks.items() if all(name in each.lacks for each in same)}
    return replace(target, endpoints=same[0].endpoints, lacks=lacks)


def _verify(running: Running) -> list[Checked]:
    return verify_all(running.target, running.bind, running.secret)


def _probe(running: Running) -> list[Feature]:
    return probe(running.target, running.bind, running.secret)


def _each(
    targets: Sequence[Target], ask: Callable[[Running], list[Found]], errors: Console
) -> tuple[list[Found], list[Failure]]:
    """What ``ask`` finds at each target while it runs, with the seeded rows restored before, and who did not run."""
    found: list[Found] = []
    failures: list[Failure] = []
    needs = needs_of(name for target in targets for name in endpoints_of(target))
    with services(needs) as around:
        for number, target in enumerate(targets, start=1):
            errors.print(f"[{number}/{len(targets)}] {target.name}", markup=False, highlight=False)
            around.restore()
            try:
                with serving(target, environment=around.environment) as running:
                    found += ask(running)
            except LaunchError as error:
                failures.append(Failure(target.name, "", "not-ready", str(error), error.log))
    return found, failures


def _show(out: Console, targets: Sequence[Target], checked: Sequence[Checked]) -> None:
    table = Table("target", "interface", "server", "endpoints", "cases", "equal", "lacks", box=None, pad_edge=False)
    for target in targets:
        mine = [entry for entry in checked if entry.target == target.name]
        equal = sum(not entry.difference and f"{entry.endpoint}/{entry.case}" not in target.lacks for entry in mine)
        endpoints = len({entry.endpoint for entry in mine})
        table.add_row(
            target.name, target.interface, target.server, str(endpoints), str(len(mine)), str(equal), _lacks(target)
        )
    out.print(table)
    for target in targets:
        different = [entry for entry in checked if entry.target == target.name and entry.difference]
        for entry in different[:MOST_SHOWN]:
            text = f"{entry.target}: {entry.endpoint} ({entry.case}): {entry.difference}"
            out.print(text, markup=False, soft_wrap=True)
        if len(different) > MOST_SHOWN:
            out.print(f"{target.name}: and {len(different) - MOST_SHOWN} more; --json lists all", markup=False)


def _lacks(target: Target) -> str:
    names = tuple(target.lacks)
    return ", ".join(names) if len(names) <= MOST_NAMED else f"{len(names)} capabilities"


def _show_features(out: Console, targets: Sequence[Target], probed: Sequence[Feature]) -> None:
    table = Table("target", *CAPABILITIES, box=None, pad_edge=False)
    for target in targets:
        mine = [feature for feature in probed if feature.target == target.name]
        if mine:
            table.add_row(target.name, *(_mark(feature) for feature in mine))
    out.print(table)
    for feature in probed:
        if not feature.as_declared:
            wrong = "is refused" if feature.declared else "is present, but declared as lacking"
            out.print(f"{feature.target}: {feature.capability} {wrong}: {feature.detail or feature.why}", markup=False)


def _mark(feature: Feature) -> str:
    return ("yes" if feature.present else "no") + ("" if feature.as_declared else " (!)")


def _show_failures(out: Console, failures: Sequence[Failure]) -> None:
    for failure in failures:
        out.print(f"{failure.target}: {failure.message}", markup=False)
        for line in failure.log:
            out.print(f"    {line}", markup=False)
