"""The app with its calls to the upstream service one after the other, as a loop of ``await`` makes them."""

from __future__ import annotations

from apps.backends.async_upstream import UpstreamInTurn
from apps.fastapi_app import create_app
from apps.fastapi_app.resources import close_with, upstream

_upstream = UpstreamInTurn()
close_with(_upstream.close)


async def in_turn() -> UpstreamInTurn:
    return _upstream


app = create_app()
app.dependency_overrides[upstream] = in_turn
