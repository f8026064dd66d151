"""The app with its calls to the upstream service one after the other, as a loop of ``await`` makes them."""

from __future__ import annotations

from apps.backends.async_upstream import UpstreamInTurn
from apps.fastapi_app.variant import create_app

app = create_app()
app.state.upstream = UpstreamInTurn()
