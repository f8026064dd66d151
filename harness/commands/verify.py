"""``harness verify``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from harness.commands.select import chosen_targets
from harness.errors import LaunchError
from harness.launch import serving
from harness.model import Failure, Target
from harness.services import needs_of, services
from harness.verify import Checked, endpoints_of, verify_all


def run(patterns: Sequence[str], as_json: bool, quiet: bool) -> int:
    """Sends every declared case to every chosen target; returns the exit code."""
    targets, skipped = chosen_targets(patterns)
    errors = Console(stderr=True, quiet=quiet)
    checked: list[Checked] = []
    failures: list[Failure] = list(skipped)
    needs = needs_of(name for target in targets for name in endpoints_of(target))
    with services(needs) as around:
        for number, target in enumerate(targets, start=1):
            errors.print(f"[{number}/{len(targets)}] {target.name}", markup=False, highlight=False)
            around.restore()
            try:
                with serving(target, environment=around.environment) as running:
                    checked += verify_all(target, running.bind, running.secret)
            except LaunchError as error:
                failures.append(Failure(target.name, "", "not-ready", str(error), error.log))
    differing = [entry for entry in checked if entry.difference]
    if as_json:
        document = {"checked": [asdict(entry) for entry in checked], "failures": [asdict(f) for f in failures]}
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
    else:
        _show(targets, checked, failures)
    if any(failure.kind == "not-ready" for failure in failures):
        return 3
    return 1 if differing else 0


def _show(targets: Sequence[Target], checked: Sequence[Checked], failures: Sequence[Failure]) -> None:
    out = Console(file=sys.stdout, highlight=False)
    table = Table("target", "interface", "server", "endpoints", "cases", "equal", "lacks", box=None, pad_edge=False)
    for target in targets:
        mine = [entry for entry in checked if entry.target == target.name]
        equal = sum(not entry.difference for entry in mine)
        endpoints = len({entry.endpoint for entry in mine})
        lacks = "; ".join(f"{name}: {why}" for name, why in target.lacks.items())
        table.add_row(target.name, target.interface, target.server, str(endpoints), str(len(mine)), str(equal), lacks)
    out.print(table)
    for entry in checked:
        if entry.difference:
            out.print(f"{entry.target}: {entry.endpoint} ({entry.case}): {entry.difference}", markup=False)
    for failure in failures:
        out.print(f"{failure.target}: {failure.message}", markup=False)
        for line in failure.log:
            out.print(f"    {line}", markup=False)
