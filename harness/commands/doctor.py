"""``harness doctor``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from rich.console import Console

from harness import environment
from harness.commands.select import RESULTS
from harness.placement import detect

SIGNS = {"ok": "ok     ", "warning": "warning", "problem": "problem"}


def run(as_json: bool) -> int:
    placement = detect()
    findings = environment.examine(placement, RESULTS)
    if as_json:
        document = {"machine": environment.describe(placement), "findings": [asdict(finding) for finding in findings]}
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
    else:
        out = Console(file=sys.stdout, highlight=False)
        for key, value in environment.describe(placement).items():
            out.print(f"{key:<14} {value}", markup=False)
        out.print()
        for finding in findings:
            out.print(f"{SIGNS[finding.level]}  {finding.subject}: {finding.message}", markup=False, soft_wrap=True)
    return 3 if any(finding.level == "problem" for finding in findings) else 0
