"""Every chosen target asked in turn, while it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from harness.errors import LaunchError
from harness.model import Failure, Reason, Target
from harness.serve import Running, serving
from harness.serve.services import needs_of, services
from harness.verify import endpoints_of

Found = TypeVar("Found")


def ask_each(
    targets: Sequence[Target], ask: Callable[[Running], list[Found]], say: Callable[[str], None]
) -> tuple[list[Found], list[Failure]]:
    """What was found of all targets, and those that did not start; ``say`` takes a line for each."""
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
