"""A reply that its own model refuses is the app's fault and answered with 500; only faults of a request are 422."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from importlib import import_module
from typing import Any

import pytest

from apps.contract import domain
from apps.contract.endpoints import ENDPOINTS
from benchmarks.calls import KINDS
from harness.verify import endpoints_of
from tests.contract.conftest import TARGETS

pytestmark = pytest.mark.live

ENDPOINTS_OF = {
    name: [one for one in ("rows", "orders-full", "orders-injected") if one in endpoints_of(target)]
    for name, target in TARGETS.items()
}


def statuses(interface: str, application: str, *endpoints: str) -> list[int]:
    """Of each endpoint's first case, when amounts are negative and rows have nothing of what their model asks for."""
    domain.line_amounts = lambda *line: (-1, 0)
    domain.rows = lambda n: [{}]
    module, _, name = application.partition(":")
    app = getattr(import_module(module), name)

    async def caught(*scope: Any) -> None:
        # Starlette answers an exception, and raises it again for the server to log.
        with contextlib.suppress(Exception):
            await app(*scope)

    async def ask() -> list[int]:
        kind = {"native": "tornado"}.get(interface, interface)
        sends = [KINDS[kind](caught if kind == "asgi" else app, ENDPOINTS[name].cases[0]) for name in endpoints]
        return [(await send())[0] for send in sends]

    return asyncio.run(ask())


@pytest.mark.parametrize("name", [name for name, endpoints in ENDPOINTS_OF.items() if endpoints])
def test_a_reply_that_its_model_refuses_is_a_500(name: str) -> None:
    """In a process of its own, as Django takes its settings but once."""
    target, endpoints = TARGETS[name], ENDPOINTS_OF[name]
    arguments = ", ".join(map(repr, (target.interface, target.application, *endpoints)))
    program = f"from tests.contract.test_wrong_replies import statuses; print(statuses({arguments}))"
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **target.environment}, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1:] == [str([500] * len(endpoints))], done.stderr
