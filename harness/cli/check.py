"""``harness check``: limits for a pipeline."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import completion
from harness.cli.compare import compared, measured
from harness.cli.options import Json, Quantity, Run, percent, text
from harness.cli.output import measured_run, print_result
from harness.errors import UsageError

GATE_HELP = """Such as 'fastapi-uvicorn json cpu < 120us' or 'new / old json throughput > -3%'; repeatable.
Metrics: cpu, throughput, instructions, p50, p90, p99, p999, errors; of studies also capacity, and what they measure by
its name in windows.jsonl: recovery_s, rss_bytes."""


def check(
    run: Run = "latest",
    gate: Annotated[list[str], text("'TARGET [POINT] METRIC < LIMIT'", GATE_HELP, by_line=True)] = [],  # noqa: B006
    against: Annotated[str, text("BASE", "The baseline: another run's folder or id.", complete=completion.runs)] = "",
    max_slower: Annotated[
        Quantity | None, percent("How much worse than BASE throughput and CPU may be. Default: the run's margin.")
    ] = None,
    max_p99: Annotated[Quantity | None, percent("How much worse than BASE p99 may be. Default: no limit.")] = None,
    anchor: Annotated[str, text("TARGET", "A target in both runs that did not change; see compare.")] = "",
    strict: Annotated[bool, typer.Option("--strict", help="Fail also if the interval contains the limit.")] = False,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="One line if nothing failed.")] = False,
) -> int:
    """Check a run against limits, and against a baseline; for CI.

    A gate fails only if the whole 99% interval lies beyond its limit. Gates can be listed in pyproject.toml, as
    gate = […] under [tool.harness.check].

    Exit codes: 0 none failed; 1 one failed (with --strict: or is undecided); 2 usage; 3 no such run; 4 a number is
    missing.
    """
    from harness.model import Reason
    from harness.report.check import lines, markdown
    from harness.report.files import summary_of
    from harness.report.step_summary import append
    from harness.results.check import CheckDocument, check, check_against, exit_code
    from harness.results.compare import block_values
    from harness.results.gate import FORM, parse_rule

    rules = [parse_rule(text) for text in gate]
    if not rules and not against:
        raise UsageError("there is nothing to check: give --gate or --against", hint=FORM)
    if not against and (max_slower is not None or max_p99 is not None or anchor):
        raise UsageError("--max-slower, --max-p99 and --anchor need a baseline", hint="name it with --against")
    opened = measured_run(run)
    values, summary = block_values(opened.manifest, opened.windows(), opened.samples), summary_of(opened)
    checked = list(check(values, summary, rules))
    warnings = list(summary.reasons) if summary.badge == "do-not-cite" else []
    if opened.manifest.status != "finished":
        planned = {window.id for window in opened.manifest.plan.windows}
        measured_ids = planned & {record.id for record in opened.windows()}
        warnings.append(Reason("unfinished-run", {"measured": len(measured_ids), "planned": len(planned)}))
    if against:
        comparison = compared(measured(against), values, anchor)
        if not comparison.changes and not comparison.only_base:
            raise UsageError(f"{run} and {against} have no target at a point in common")
        warnings += comparison.warnings
        checked += check_against(comparison, max_slower, max_p99)
    code = exit_code(checked, strict)
    title = f"harness check {opened.manifest.run}" + (f" against {against}" if against else "")
    append(markdown(title, checked, warnings, strict))
    document = CheckDocument(opened.manifest.run, against, strict, code, tuple(warnings), tuple(checked))
    output = lines(checked, warnings, strict)
    print_result(document, output[-1:] if quiet and not code else output, as_json)
    return code
