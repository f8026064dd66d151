"""A reply that its own model refuses is the app's fault and answered with 500; only faults of a request are 422."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from harness.verify import endpoints_of
from tests.contract.conftest import TARGETS

pytestmark = pytest.mark.live

ENDPOINTS_OF = {
    name: [one for one in ("rows", "orders-full", "orders-injected") if one in endpoints_of(target)]
    for name, target in TARGETS.items()
}


@pytest.mark.parametrize("name", [name for name, endpoints in ENDPOINTS_OF.items() if endpoints])
def test_a_reply_that_its_model_refuses_is_a_500(name: str) -> None:
    """In a process of its own, as Django takes its settings but once."""
    target, endpoints = TARGETS[name], ENDPOINTS_OF[name]
    arguments = ", ".join(map(repr, (target.interface, target.application, *endpoints)))
    program = f"from tests.contract.refusals import statuses; print(statuses({arguments}))"
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **target.environment}, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1:] == [str([500] * len(endpoints))], done.stderr
