"""What the documentation says of every endpoint: parameters, bodies, replies and refusals, by their models."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from apps.contract import inputs, models, replies
from apps.contract.inbound import FORM, MULTIPART

JSON = "application/json"
TEXT = "text/plain"
HTML = "text/html"
EVENTS = "text/event-stream"
BODY_REFUSALS = (400, 413, 415)
"""Other statuses than 422 that refuse a body: it is malformed, too large, or of another type."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method and path.

    Attributes:
        reply: model of the reply; ``None`` where the reply is a text of type ``media``.
        body: model of the request's body, of type ``body_media``; ``None`` for a file in a multipart body too.
        refusals: statuses other than ``status``; 422 lists faults, the others have one sentence.
        secured: whether it takes a Bearer token.
    """

    name: str
    method: str
    path: str
    summary: str
    reply: type[BaseModel] | None
    status: int = 200
    media: str = JSON
    in_path: type[BaseModel] | None = None
    in_query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    body_media: str = ""
    refusals: tuple[int, ...] = ()
    secured: bool = False


def _get(name: str, path: str, summary: str, reply: type[BaseModel] | None, **more: object) -> Operation:
    return Operation(name, "GET", path, summary, reply, **more)  # type: ignore[arg-type]


def _post(name: str, path: str, summary: str, reply: type[BaseModel], **more: object) -> Operation:
    return Operation(name, "POST", path, summary, reply, **more)  # type: ignore[arg-type]


_WAIT = {"in_query": models.WaitQuery, "refusals": (422,)}
_ORDER = {"body": models.Order, "body_media": JSON}

OPERATIONS = (
    _get("health", "/health", "readiness", replies.Health),
    _get("plaintext", "/plaintext", "a short text", None, media=TEXT),
    _get("json", "/json", "a small JSON object", replies.Greeting),
    _get(
        "items",
        "/items/{item_id}",
        "typed path and query",
        replies.Item,
        in_path=models.ItemPath,
        in_query=models.ItemQuery,
        refusals=(422,),
    ),
    _get("cpu", "/cpu", "a set amount of work", replies.Burnt, in_query=models.CpuQuery, refusals=(422,)),
    _get("rows", "/rows", "a large reply", replies.Rows, in_query=models.RowsQuery, refusals=(422,)),
    _get(
        "rows-raw",
        "/rows/raw",
        "the same reply, without a model",
        replies.Rows,
        in_query=models.RowsQuery,
        refusals=(422,),
    ),
    _get("page", "/page", "a page of HTML", None, media=HTML, in_query=models.PageQuery, refusals=(422,)),
    _post(
        "orders-raw",
        "/orders/raw",
        "totals, nothing validated",
        replies.OrderTotals,
        body=models.AnyObject,
        body_media=JSON,
        refusals=(*BODY_REFUSALS, 422, 500),
    ),
    _post(
        "orders-validated",
        "/orders/validated",
        "order validated",
        replies.OrderTotals,
        **_ORDER,
        refusals=(*BODY_REFUSALS, 422),
    ),
    _post(
        "orders-full",
        "/orders/full",
        "order and reply validated",
        models.FullOrder,
        **_ORDER,
        refusals=(*BODY_REFUSALS, 422),
    ),
    _post(
        "orders-injected",
        "/orders/injected",
        "the same, through a dependency",
        models.FullOrder,
        **_ORDER,
        refusals=(*BODY_REFUSALS, 422),
    ),
    _get("io-sleep", "/io/sleep", "a wait that costs no CPU", replies.Slept, **_WAIT),
    _get("io-blocking", "/io/blocking", "a wait that blocks its thread", replies.Slept, **_WAIT),
    _get(
        "io-upstream",
        "/io/upstream",
        "calls to another service",
        replies.UpstreamSum,
        in_query=inputs.UpstreamQuery,
        refusals=(422, 503),
    ),
    _get("io-db", "/io/db", "a row, after a wait", replies.DatabaseRow, in_query=models.WaitQuery, refusals=(422, 503)),
    _get(
        "io-file",
        "/io/file",
        "size and hash of a file",
        replies.FileSum,
        in_query=inputs.FileQuery,
        refusals=(404, 422),
    ),
    _get(
        "product",
        "/products/{product_id}",
        "one product",
        replies.Product,
        in_path=inputs.ProductPath,
        refusals=(404, 422, 503),
    ),
    _get(
        "products",
        "/products",
        "a page of products",
        replies.ProductPage,
        in_query=inputs.ProductsQuery,
        refusals=(422, 503),
    ),
    _post(
        "product-insert",
        "/products",
        "a new product",
        replies.Product,
        status=201,
        body=inputs.NewProduct,
        body_media=JSON,
        refusals=(*BODY_REFUSALS, 409, 422, 503),
    ),
    _post(
        "auth-token",
        "/auth/token",
        "password in, token out",
        replies.Token,
        body=inputs.PasswordForm,
        body_media=FORM,
        refusals=(*BODY_REFUSALS, 401, 422),
    ),
    _get("users-me", "/users/me", "whose token it is", replies.User, refusals=(401,), secured=True),
    _post("upload", "/upload", "a file in", replies.FileSum, body_media=MULTIPART, refusals=(*BODY_REFUSALS, 422)),
    _get("download", "/download", "a streamed body", None, media=TEXT, in_query=inputs.DownloadQuery, refusals=(422,)),
    _get(
        "stream-events",
        "/stream/events",
        "server-sent events",
        None,
        media=EVENTS,
        in_query=inputs.EventsQuery,
        refusals=(422,),
    ),
)
"""Every operation of the contract that OpenAPI can describe; it has no word for WebSocket.

Their order is that of the routes in every app, so that no framework searches further for an endpoint than another.
"""
