"""Bodies that come piece by piece."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response, request

from apps.backends import blocking
from apps.contract import inbound, transfer
from apps.contract.inputs import DownloadQuery, EventsQuery
from apps.contract.operations import EVENTS, TEXT

blueprint = Blueprint("streams", __name__)


@blueprint.get("/download")
def download() -> Response:
    query = inbound.read_query(DownloadQuery, request.args.getlist)
    return Response(transfer.chunks(query.kb), mimetype=TEXT)


@blueprint.get("/stream/events")
def events() -> Response:
    query = inbound.read_query(EventsQuery, request.args.getlist)

    def body() -> Iterator[bytes]:
        for number in range(query.n):
            if number and query.interval_ms:
                blocking.wait(query.interval_ms)
            yield transfer.event(number)

    return Response(body(), mimetype=EVENTS, headers={"Cache-Control": "no-cache"})
