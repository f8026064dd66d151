"""The app with its calls to the upstream service in threads of their own, all at the same time."""

from __future__ import annotations

from typing import Any

from flask import request

from apps.backends.sync_upstream import UpstreamInThreads
from apps.contract import inbound, transfer
from apps.contract.inputs import UpstreamQuery
from apps.flask_app import create_app

upstream = UpstreamInThreads()
app = create_app()


def call_upstream() -> dict[str, Any]:
    query = inbound.read_query(UpstreamQuery, request.args.getlist)
    return transfer.upstream_sum(upstream.delays(query.ms, query.calls))


app.view_functions["io.call_upstream"] = call_upstream
