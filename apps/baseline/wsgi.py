"""A raw WSGI application."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from apps.backends import blocking
from apps.baseline import replies
from apps.contract import domain
from apps.contract.inbound import Refused


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    if method == "GET" and path == "/io/sleep":
        status, media_type, body = _sleep(environ.get("QUERY_STRING", ""))
    else:
        status, media_type, body = replies.simple(method, path)
    headers = [("Content-Type", media_type), ("Content-Length", str(len(body)))]
    start_response(f"{status} {HTTPStatus(status).phrase}", headers)
    return [body]


def _sleep(query_string: str) -> replies.Reply:
    try:
        query = replies.wait_query(query_string)
    except Refused as refused:
        return replies.refusal(refused)
    blocking.wait(query.ms)
    return replies.as_json(domain.waited(query.ms))
