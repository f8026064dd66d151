"""``harness compare``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import completion, options as opt
from harness.cli.output import measured_run, print_json, print_lines, print_text
from harness.errors import UsageError, nearest

if TYPE_CHECKING:
    from harness.results.compare import Comparison, RunData


def compare(
    base: Annotated[str, opt.argument("BASE", "The earlier run: its folder or id, or 'latest'.", completion.runs)],
    new: opt.Run = "latest",
    anchor: Annotated[str, opt.text("TARGET", "A target in both runs that did not change. Default: a raw app.")] = "",
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print a table for a pull request.")] = False,
    as_json: opt.Json = False,
) -> int:
    """Say what changed between two runs, target by target and contrast by contrast.

    Values are taken relative to an anchor if both runs have one; otherwise the intervals allow for what the machine
    did in between. To compare two versions, harness versus is faster and more certain: both take turns.

    Exit codes: 0 compared; 3 no such run; 4 NEW lacks a number that BASE has.
    """
    from harness.report.compare import lines, markdown

    if as_json and as_markdown:
        raise UsageError("--json and --markdown exclude each other")
    comparison = compared(measured(base), measured(new), anchor)
    if as_json:
        print_json(comparison)
    elif as_markdown:
        print_text(markdown(comparison))
    else:
        print_lines(lines(comparison))
    return 4 if comparison.only_base else 0


def measured(name: str) -> RunData:
    """The block values of a run; raises as ``measured_run`` does."""
    from harness.results import compare

    run = measured_run(name)
    return compare.block_values(run.manifest, run.windows(), run.samples)


def compared(base: RunData, new: RunData, anchor: str) -> Comparison:
    """Raises ``UsageError`` if the anchor is not in both runs."""
    from harness.results import compare

    both = [name for name in new.targets if name in base.targets]
    if anchor and anchor not in both:
        hint = nearest(anchor, both) or f"both have {', '.join(both)}"
        raise UsageError(f"--anchor {anchor!r} is not in both runs", hint=hint)
    return compare.compare(base, new, anchor=anchor)
