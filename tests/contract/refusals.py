"""What an app answers when its models refuse what it made; imports little, for the process that each app has."""

from __future__ import annotations

import asyncio
import contextlib
from importlib import import_module
from typing import Any

from apps.contract import domain
from apps.contract.endpoints import ENDPOINTS
from benchmarks.calls import KINDS


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
