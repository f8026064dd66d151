"""``harness selftest``."""

from __future__ import annotations

from harness.cli.options import RESULTS, Json, Quiet
from harness.cli.output import errors, print_result


def selftest(as_json: Json = False, quiet: Quiet = False) -> int:
    """Check the harness against what is known to be true, and say what this machine can resolve (three minutes).

    Exit codes: 0 all checks passed; 1 some failed.
    """
    from harness.selftest.checks import check_machine, document, line, save

    checks, resolution = check_machine(errors(quiet).print)
    result = document(checks, resolution)
    save(result, RESULTS)
    output = [*map(line, checks), f"This machine resolves, in CPU cost, {resolution.sentence()}."]
    print_result(result, output, as_json)
    return 0 if all(check.passed for check in checks) else 1
