"""``harness check RUN``: gates for a pipeline."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.console import Console

from harness.analyse.check import Checked, Limits, check, check_against
from harness.analyse.compare import measured
from harness.analyse.gate import FORM, parse_rule
from harness.analyse.summarise import summarise
from harness.commands.compare import compared, read
from harness.commands.inputs import share
from harness.commands.select import RESULTS
from harness.commands.step_summary import append
from harness.errors import RecordError, UsageError
from harness.record import Run, find_run
from harness.render.check import lines, markdown


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """The options of ``harness check`` as the user gave them."""

    run: str = "latest"
    gates: tuple[str, ...] = ()
    against: str = ""
    max_slower: str = ""
    max_p99: str = ""
    anchor: str = ""
    strict: bool = False
    as_json: bool = False
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class CheckDocument:
    """What ``harness check --json`` prints."""

    run: str
    against: str
    strict: bool
    exit_code: int
    warnings: tuple[str, ...]
    checks: tuple[Checked, ...]
    schema: int = 1


def run(request: CheckRequest) -> int:
    """Prints every check; returns 1 where one failed, 4 where one has no number to judge."""
    rules = [parse_rule(text) for text in request.gates]
    if not rules and not request.against:
        raise UsageError("there is nothing to check: give --gate or --against", hint=FORM)
    limits = Limits(share("--max-slower", request.max_slower), share("--max-p99", request.max_p99))
    if not request.against and (request.max_slower or request.max_p99 or request.anchor):
        raise UsageError("--max-slower, --max-p99 and --anchor need a baseline", hint="name it with --against")
    opened = Run.open(find_run(request.run, RESULTS))
    slots = opened.slots()
    if not slots:
        raise RecordError(f"{opened.folder} has no measured slot yet", hint=f"harness run --resume {opened.folder}")
    found = measured(opened.manifest, slots, opened.samples)
    summary = summarise(opened.manifest, slots, opened.samples)
    checked = list(check(found, summary, opened.samples, rules))
    warnings = [f"do not cite: {reason}" for reason in summary.reasons] if summary.badge == "do-not-cite" else []
    if request.against:
        comparison = compared(read(request.against), found, request.anchor)
        warnings += comparison.warnings
        checked += check_against(comparison, limits)
        if not comparison.changes and not comparison.only_base:
            raise UsageError(f"{request.run} and {request.against} have no target at a point in common")
    code = exit_code(checked, request.strict)
    title = f"harness check {opened.manifest.run}" + (f" against {request.against}" if request.against else "")
    append(markdown(title, checked, warnings, request.strict))
    if request.as_json:
        document = CheckDocument(
            opened.manifest.run, request.against, request.strict, code, tuple(warnings), tuple(checked)
        )
        sys.stdout.write(json.dumps(asdict(document), indent=1, allow_nan=False) + "\n")
        return code
    out = Console(file=sys.stdout, highlight=False)
    said = lines(checked, warnings, request.strict)
    for line in said[-1:] if request.quiet and not code else said:
        out.print(line, markup=False, soft_wrap=True)
    return code


def exit_code(checked: Sequence[Checked], strict: bool) -> int:
    """1 before 4: what is known to be too slow is the graver."""
    outcomes = {each.outcome for each in checked}
    if "failed" in outcomes or (strict and "undecided" in outcomes):
        return 1
    return 4 if "missing" in outcomes else 0
