"""``harness selftest``."""

from __future__ import annotations

from harness.cli.options import RESULTS, Json, Quiet
from harness.cli.output import errors, print_json, print_lines


def selftest(as_json: Json = False, quiet: Quiet = False) -> int:
    """Check the harness against what is known to be true, and say what this machine can resolve (three minutes).

    Exit codes: 0 all checks passed; 1 some failed.
    """
    from harness.selftest.checks import check_machine, document, keep, line

    checks, resolution = check_machine(errors(quiet).print)
    result = document(checks, resolution)
    keep(result, RESULTS)
    if as_json:
        print_json(result)
    else:
        print_lines(map(line, checks))
        print_lines([f"This machine resolves, in CPU cost, {resolution.sentence()}."])
    return 0 if all(check.passed for check in checks) else 1
