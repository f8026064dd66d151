"""The app with its calls to the upstream service in threads of their own, all at the same time."""

from __future__ import annotations

from typing import Any

from flask import request

from apps.backends.sync_upstream import UpstreamInThreads
from apps.contract import transfer
from apps.contract.inputs import UpstreamQuery
from apps.flask_app.app import app

upstream = UpstreamInThreads()


def call_upstream() -> dict[str, Any]:
    query = UpstreamQuery.model_validate(request.args.to_dict())
    return transfer.upstream_sum(upstream.delays(query.ms, query.calls))


app.view_functions["call_upstream"] = call_upstream
