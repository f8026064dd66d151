"""``harness doctor``."""

from __future__ import annotations

from harness.cli.options import RESULTS, Json
from harness.cli.output import print_result


def doctor(as_json: Json = False) -> int:
    """Say whether this machine is fit to measure on, and why not.

    Exit codes: 0 fit, perhaps with warnings; 3 not fit.
    """
    from harness.config.placement import detect
    from harness.report.language.catalogue import ENGLISH
    from harness.serve import environment

    placement = detect()
    machine, findings = environment.describe(placement), environment.examine(placement, RESULTS)
    output = [*(f"{key:<14} {value}" for key, value in machine.items()), ""]
    output += [f"{each.level:<7}  {each.subject}: {ENGLISH.reason(each.reason)}" for each in findings]
    print_result({"machine": machine, "findings": findings}, output, as_json)
    return 3 if any(finding.level == "problem" for finding in findings) else 0
