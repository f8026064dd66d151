"""``harness compare BASE NEW``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from rich.console import Console

from harness.analyse.compare import Measured, compare, measured
from harness.analyse.comparison import Comparison
from harness.commands.select import RESULTS
from harness.errors import RecordError, UsageError, nearest
from harness.record import Run, find_run
from harness.render.compare import lines, markdown


def run(base: str, new: str, anchor: str, as_json: bool, as_markdown: bool) -> int:
    """Prints the comparison; 4 where the new run lacks a number that the base has."""
    if as_json and as_markdown:
        raise UsageError("--json and --markdown exclude each other")
    found = compared(read(base), read(new), anchor)
    if as_json:
        sys.stdout.write(json.dumps(asdict(found), indent=1, allow_nan=False) + "\n")
    elif as_markdown:
        sys.stdout.write(markdown(found))
    else:
        out = Console(file=sys.stdout, highlight=False)
        for line in lines(found):
            out.print(line, markup=False, soft_wrap=True)
    return 4 if found.only_base else 0


def compared(base: Measured, new: Measured, anchor: str) -> Comparison:
    """Raises ``UsageError`` where the anchor is not in both runs."""
    both = [name for name in new.targets if name in base.targets]
    if anchor and anchor not in both:
        raise UsageError(
            f"--anchor {anchor!r} is not in both runs", hint=nearest(anchor, both) or f"both have {', '.join(both)}"
        )
    return compare(base, new, anchor=anchor)


def read(name: str) -> Measured:
    """The run's block values.

    Raises:
        RecordError: there is no such run, or nothing was measured in it.
    """
    opened = Run.open(find_run(name, RESULTS))
    if not opened.slots():
        raise RecordError(f"{opened.folder} has no measured slot yet", hint=f"harness run --resume {opened.folder}")
    return measured(opened.manifest, opened.slots(), opened.samples)
