"""``harness verify``: the contract, or with ``--features`` the capabilities, against live targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import Json, Quiet, Targets
from harness.cli.output import errors, print_json, print_lines, print_table

if TYPE_CHECKING:
    from harness.model import Feature, Target
    from harness.verify import Checked

MOST_NAMED = 6
MOST_SHOWN = 20


def verify(
    target: Targets = [],  # noqa: B006
    features: Annotated[bool, typer.Option("--features", help="Test what each target can do instead.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Check every endpoint and case of the contract, or every declared capability, against running targets.

    Exit codes: 0 all as declared; 1 something differs; 3 a target did not start.
    """
    from harness.prepare.choose import chosen_targets
    from harness.prepare.probe import ask_each
    from harness.report.language.catalogue import ENGLISH
    from harness.verify import verify_all
    from harness.verify.features import probe

    say = errors(quiet).print
    targets, skipped = chosen_targets(target)
    for each in targets:
        if not each.endpoints:
            say(f"{each.name}: no endpoints are declared for {each.application}")
    if features:
        probed, failures = ask_each(targets, probe, say)
        document = {"features": [{**asdict(f), "as_declared": f.as_declared} for f in probed]}
        different = any(not feature.as_declared for feature in probed)
    else:
        checked, failures = ask_each(targets, verify_all, say)
        document = {"checked": [asdict(entry) for entry in checked]}
        different = any(entry.difference for entry in checked)
    failures = [*skipped, *failures]
    if as_json:
        print_json({**document, "failures": [asdict(failure) for failure in failures]})
    else:
        if features:
            _show_features(targets, probed)
        else:
            _show(targets, checked)
        for failure in failures:
            text = ENGLISH.reason(failure.reason.plus(side=failure.target))
            print_lines([text, *(f"    {line}" for line in failure.log)])
    if any(failure.reason.code == "not-ready" for failure in failures):
        return 3
    return 1 if different else 0


def _show(targets: Sequence[Target], checked: Sequence[Checked]) -> None:
    from harness.verify import lacks_case

    rows, lines = [], []
    for target in targets:
        mine = [entry for entry in checked if entry.target == target.name]
        equal = sum(not entry.difference and not lacks_case(target, entry) for entry in mine)
        counts = (len({entry.endpoint for entry in mine}), len(mine), equal)
        lacks = ", ".join(target.lacks) if len(target.lacks) <= MOST_NAMED else f"{len(target.lacks)} capabilities"
        rows.append((target.name, target.interface, target.server, *map(str, counts), lacks))
        different = [entry for entry in mine if entry.difference]
        lines += [f"{each.target}: {each.endpoint} ({each.case}): {each.difference}" for each in different[:MOST_SHOWN]]
        if len(different) > MOST_SHOWN:
            lines.append(f"{target.name}: and {len(different) - MOST_SHOWN} more; --json lists all")
    print_table(("target", "interface", "server", "endpoints", "cases", "equal", "lacks"), rows)
    print_lines(lines)


def _show_features(targets: Sequence[Target], probed: Sequence[Feature]) -> None:
    from harness.report.language.catalogue import ENGLISH
    from harness.verify.features import CAPABILITIES

    marks = {
        (each.target, each.capability): ("yes" if each.present else "no") + " (!)" * (not each.as_declared)
        for each in probed
    }
    known = [name for name in (target.name for target in targets) if any(key[0] == name for key in marks)]
    print_table(
        ("target", *CAPABILITIES),
        ((name, *(marks.get((name, each), "") for each in CAPABILITIES)) for name in known),
    )
    for each in probed:
        if not each.as_declared:
            wrong = "is refused" if each.declared else "is present, but declared as lacking"
            why = ENGLISH.reason(each.detail) if each.detail else each.why
            print_lines([f"{each.target}: {each.capability} {wrong}: {why}"])
