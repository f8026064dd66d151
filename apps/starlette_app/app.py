"""The contract in Starlette, in one file with one list of routes, as Starlette's documentation teaches it.

The pages that it follows, at https://starlette.dev: Applications, Requests, Responses, WebSockets, Routing, Endpoints,
Middleware, Lifespan, Exceptions, Authentication, Templates. Starlette validates nothing; Pydantic's models do that, as
Pydantic's documentation teaches (https://docs.pydantic.dev: Models).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, AuthenticationBackend, AuthenticationError, SimpleUser
from starlette.datastructures import UploadFile
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.templating import Jinja2Templates
from starlette.websockets import WebSocket

from apps.backends import awaiting, blocking
from apps.backends.async_database import Database
from apps.backends.async_upstream import Upstream
from apps.contract import domain, inbound, openapi, pages, security, transfer
from apps.contract.inbound import DETAILS, MAX_BODY_BYTES, MAX_UPLOAD_BODY_BYTES, Refused
from apps.contract.inputs import (
    DownloadQuery,
    EventsQuery,
    FileQuery,
    NewProduct,
    PasswordForm,
    ProductPath,
    ProductsQuery,
    UpstreamQuery,
)
from apps.contract.models import CpuQuery, FullOrder, ItemPath, ItemQuery, Order, PageQuery, RowsQuery, WaitQuery
from apps.contract.operations import EVENTS, TEXT
from apps.contract.replies import Rows, serialized
from apps.contract.settings import settings

Handler = Callable[[Request], Awaitable[Response]]

database = Database()
upstream = Upstream()
templates = Jinja2Templates(Path(__file__).with_name("templates"))


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Everything is opened when it is first needed."""
    yield
    await database.close()
    await upstream.close()


async def http_error(request: Request, exc: HTTPException) -> JSONResponse:
    return JSONResponse({"detail": exc.detail}, status_code=exc.status_code, headers=exc.headers)


async def invalid(request: Request, exc: ValidationError) -> JSONResponse:
    source = "body" if request.method == "POST" else "query"
    return JSONResponse({"detail": inbound.faults(exc, source, request.path_params)}, status_code=422)


async def refused(request: Request, exc: Refused) -> JSONResponse:
    return JSONResponse({"detail": exc.detail}, status_code=exc.status, headers=dict(exc.headers))


async def crashed(request: Request, exc: Exception) -> JSONResponse:
    return JSONResponse({"detail": DETAILS[500]}, status_code=500)


async def read_json(request: Request) -> Any:
    """The body's JSON value."""
    inbound.check_media_type(request.headers.get("content-type"))
    return inbound.load_json(await request.body())


def check_media_type(request: Request, wanted: str) -> None:
    if request.headers.get("content-type", "").partition(";")[0] != wanted:
        raise HTTPException(415)


async def health(request: Request) -> JSONResponse:
    return JSONResponse(domain.health())


async def plaintext(request: Request) -> PlainTextResponse:
    return PlainTextResponse(domain.GREETING)


async def greeting(request: Request) -> JSONResponse:
    return JSONResponse(domain.greeting())


async def read_item(request: Request) -> JSONResponse:
    path = ItemPath.model_validate(request.path_params)
    query = ItemQuery.model_validate({**request.query_params, "tags": request.query_params.getlist("tags")})
    return JSONResponse(domain.item(path.item_id, query))


async def cpu(request: Request) -> JSONResponse:
    query = CpuQuery.model_validate(dict(request.query_params))
    return JSONResponse(domain.burn(query.units))


async def rows(request: Request) -> Response:
    query = RowsQuery.model_validate(dict(request.query_params))
    return Response(serialized(Rows, {"rows": domain.rows(query.n)}), media_type="application/json")


async def rows_raw(request: Request) -> JSONResponse:
    query = RowsQuery.model_validate(dict(request.query_params))
    return JSONResponse({"rows": domain.rows(query.n)})


async def page(request: Request) -> Response:
    query = PageQuery.model_validate(dict(request.query_params))
    return templates.TemplateResponse(request, "page.html", {"rows": domain.rows(query.rows)})


async def order_raw(request: Request) -> JSONResponse:
    return JSONResponse(domain.raw_totals(await read_json(request)))


async def order_validated(request: Request) -> JSONResponse:
    order = Order.model_validate(await read_json(request))
    return JSONResponse(domain.totals(order))


async def order_full(request: Request) -> Response:
    order = Order.model_validate(await read_json(request))
    return Response(serialized(FullOrder, domain.full_order(order)), media_type="application/json")


def with_pricing(handler: Handler) -> Handler:
    """Puts what prices an order into ``request.state.price``: Starlette has no dependencies of its own."""

    @wraps(handler)
    async def priced(request: Request) -> Response:
        request.state.price = domain.pricing()
        return await handler(request)

    return priced


@with_pricing
async def order_injected(request: Request) -> Response:
    order = Order.model_validate(await read_json(request))
    return Response(serialized(FullOrder, request.state.price(order)), media_type="application/json")


async def sleep(request: Request) -> JSONResponse:
    query = WaitQuery.model_validate(dict(request.query_params))
    await awaiting.wait(query.ms)
    return JSONResponse(domain.waited(query.ms))


async def block(request: Request) -> JSONResponse:
    query = WaitQuery.model_validate(dict(request.query_params))
    blocking.wait(query.ms)
    return JSONResponse(domain.waited(query.ms))


async def call_upstream(request: Request) -> JSONResponse:
    query = UpstreamQuery.model_validate(dict(request.query_params))
    return JSONResponse(transfer.upstream_sum(await upstream.delays(query.ms, query.calls)))


async def sleep_in_database(request: Request) -> JSONResponse:
    query = WaitQuery.model_validate(dict(request.query_params))
    return JSONResponse(transfer.database_row(query.ms, await database.slept(query.ms)))


async def read_file(request: Request) -> JSONResponse:
    query = FileQuery.model_validate(dict(request.query_params))
    return JSONResponse(await awaiting.file_sum(query.name))


async def read_product(request: Request) -> JSONResponse:
    path = ProductPath.model_validate(request.path_params)
    return JSONResponse(await database.product(path.product_id))


class Products(HTTPEndpoint):
    async def get(self, request: Request) -> JSONResponse:
        query = ProductsQuery.model_validate(dict(request.query_params))
        return JSONResponse(transfer.product_page(query, await database.products(query.limit, query.offset)))

    async def post(self, request: Request) -> JSONResponse:
        new = NewProduct.model_validate(await read_json(request))
        return JSONResponse(await database.add(new), status_code=201)


async def login(request: Request) -> JSONResponse:
    check_media_type(request, inbound.FORM)
    async with request.form() as sent:
        form = PasswordForm.model_validate(dict(sent))
    account = await awaiting.authenticate(form.username, form.password)
    return JSONResponse(security.issue(account, settings().jwt_secret))


class BearerBackend(AuthenticationBackend):
    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, SimpleUser]:
        try:
            token = security.bearer(conn.headers.get("authorization"))
            account = security.account_of(token, settings().jwt_secret)
        except Refused as error:
            raise AuthenticationError(error.detail) from error
        return AuthCredentials(["authenticated"]), SimpleUser(account.username)


def denied(conn: HTTPConnection, error: Exception) -> Response:
    return JSONResponse({"detail": str(error)}, status_code=401, headers=dict(security.CHALLENGE))


async def me(request: Request) -> JSONResponse:
    return JSONResponse(security.profile(security.ACCOUNTS[request.user.username]))


async def upload(request: Request) -> JSONResponse:
    check_media_type(request, inbound.MULTIPART)
    async with request.form() as form:
        file = form.get("file")
        content = inbound.check_file(await file.read() if isinstance(file, UploadFile) else None)
        return JSONResponse(transfer.file_sum(file.filename or "", content))


async def download(request: Request) -> StreamingResponse:
    query = DownloadQuery.model_validate(dict(request.query_params))

    async def body() -> AsyncIterator[bytes]:
        for chunk in transfer.chunks(query.kb):
            yield chunk

    return StreamingResponse(body(), media_type=TEXT)


async def events(request: Request) -> StreamingResponse:
    query = EventsQuery.model_validate(dict(request.query_params))

    async def body() -> AsyncIterator[bytes]:
        for number in range(query.n):
            if number and query.interval_ms:
                await awaiting.wait(query.interval_ms)
            yield transfer.event(number)

    return StreamingResponse(body(), media_type=EVENTS, headers=transfer.EVENT_HEADERS)


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        if (text := message.get("text")) is not None:
            await websocket.send_text(text)
        else:
            await websocket.send_bytes(message["bytes"])


async def document(request: Request) -> JSONResponse:
    """Made from the contract, as the pages below are: Starlette has no such document of its own."""
    return JSONResponse(openapi.document())


async def docs(request: Request) -> HTMLResponse:
    return HTMLResponse(pages.SWAGGER_PAGE)


async def redoc(request: Request) -> HTMLResponse:
    return HTMLResponse(pages.REDOC_PAGE)


async def asset(request: Request) -> Response:
    content, media_type = pages.asset(request.path_params["name"])
    return Response(content, media_type=media_type)


authentication = Middleware(AuthenticationMiddleware, backend=BearerBackend(), on_error=denied)

routes = [
    Route(pages.OPENAPI_URL, document),
    Route("/health", health),
    Route("/plaintext", plaintext),
    Route("/json", greeting),
    Route("/items/{item_id}", read_item),
    Route("/cpu", cpu),
    Route("/rows", rows),
    Route("/rows/raw", rows_raw),
    Route("/page", page),
    Route("/orders/raw", order_raw, methods=["POST"], max_body_size=MAX_BODY_BYTES),
    Route("/orders/validated", order_validated, methods=["POST"], max_body_size=MAX_BODY_BYTES),
    Route("/orders/full", order_full, methods=["POST"], max_body_size=MAX_BODY_BYTES),
    Route("/orders/injected", order_injected, methods=["POST"], max_body_size=MAX_BODY_BYTES),
    Route("/io/sleep", sleep),
    Route("/io/blocking", block),
    Route("/io/upstream", call_upstream),
    Route("/io/db", sleep_in_database),
    Route("/io/file", read_file),
    Route("/products/{product_id}", read_product),
    Route("/products", Products, max_body_size=MAX_BODY_BYTES),
    Route("/auth/token", login, methods=["POST"], max_body_size=MAX_BODY_BYTES),
    Route("/users/me", me, middleware=[authentication]),
    Route("/upload", upload, methods=["POST"], max_body_size=MAX_UPLOAD_BODY_BYTES),
    Route("/download", download),
    Route("/stream/events", events),
    WebSocketRoute("/ws/echo", echo),
    Route("/docs", docs),
    Route("/redoc", redoc),
    Route(pages.ASSETS_URL + "/{name}", asset),
]
exception_handlers = {
    HTTPException: http_error,
    ValidationError: invalid,
    Refused: refused,
    Exception: crashed,
}

app = Starlette(routes=routes, exception_handlers=exception_handlers, lifespan=lifespan)
