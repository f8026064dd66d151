"""Every chosen target asked in turn, while it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from harness.errors import LaunchError
from harness.model import Failure, Feature, Reason, Target
from harness.serve import Running, serving
from harness.serve.services import needs_of, services
from harness.verify import Checked, endpoints_of, verify_all
from harness.verify.features import probe

Found = TypeVar("Found")
Say = Callable[[str], None]


def verify_each(targets: Sequence[Target], say: Say) -> tuple[list[Checked], list[Failure]]:
    """Every case of the contract against every target, and the targets that did not start."""
    return _each(targets, verify_all, say)


def probe_each(targets: Sequence[Target], say: Say) -> tuple[list[Feature], list[Failure]]:
    """What every target can do, and the targets that did not start."""
    return _each(targets, probe, say)


def _each(
    targets: Sequence[Target], ask: Callable[[Running], list[Found]], say: Say
) -> tuple[list[Found], list[Failure]]:
    found: list[Found] = []
    failures: list[Failure] = []
    needs = needs_of(name for target in targets for name in endpoints_of(target))
    with services(needs) as around:
        for number, target in enumerate(targets, start=1):
            say(f"[{number}/{len(targets)}] {target.name}")
            around.restore()
            try:
                with serving(target, environment=around.environment) as running:
                    found += ask(running)
            except LaunchError as error:
                failures.append(Failure(target.name, "", Reason("not-ready", {"text": str(error)}), error.log))
    return found, failures
