"""``harness doctor``."""

from __future__ import annotations

from dataclasses import asdict

from harness.cli.options import RESULTS, Json
from harness.cli.output import print_json, print_lines


def doctor(as_json: Json = False) -> int:
    """Say whether this machine is fit to measure on, and why not.

    Exit codes: 0 fit, perhaps with warnings; 3 not fit.
    """
    from harness.config.placement import detect
    from harness.report.language.catalogue import ENGLISH
    from harness.serve import environment

    placement = detect()
    machine, findings = environment.describe(placement), environment.examine(placement, RESULTS)
    if as_json:
        print_json({"machine": machine, "findings": [asdict(finding) for finding in findings]})
    else:
        print_lines([*(f"{key:<14} {value}" for key, value in machine.items()), ""])
        for finding in findings:
            print_lines([f"{finding.level:<7}  {finding.subject}: {ENGLISH.reason(finding.reason)}"])
    return 3 if any(finding.level == "problem" for finding in findings) else 0
