"""The contract in FastAPI, in one file, as FastAPI's documentation teaches it.

The pages that it follows, at https://fastapi.tiangolo.com:

- /tutorial/: First Steps, Path Parameters and Numeric Validations, Query Parameter Models, Request Body, Response
  Model, Request Files, Handling Errors, Dependencies, Simple OAuth2 with Password and Bearer, Server-Sent Events;
- /advanced/: Request Body Limits, Using the Request Directly, Custom Response, Stream Data, Return a Response Directly,
  Additional Responses in OpenAPI, Templates, WebSockets, Lifespan Events;
- /how-to/: Custom Docs UI Static Assets.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path as FilePath
from typing import Annotated, Any, Protocol

from fastapi import Depends, FastAPI, Path, Query, Request, UploadFile, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from fastapi.sse import EventSourceResponse, ServerSentEvent
from fastapi.templating import Jinja2Templates
from starlette.datastructures import FormData

from apps.backends import awaiting, blocking
from apps.backends.async_database import Database
from apps.backends.async_upstream import Upstream
from apps.contract import domain, pages, security, transfer
from apps.contract.inbound import (
    DETAILS,
    FORM,
    MALFORMED_JSON,
    MAX_BODY_BYTES,
    MAX_UPLOAD_BODY_BYTES,
    MULTIPART,
    Refused,
)
from apps.contract.inputs import DownloadQuery, EventsQuery, FileQuery, NewProduct, ProductsQuery, UpstreamQuery
from apps.contract.models import CpuQuery, FullOrder, ItemId, ItemQuery, Order, PageQuery, RowsQuery, WaitQuery
from apps.contract.openapi import TITLE, TOKEN_URL, VERSION
from apps.contract.operations import TEXT
from apps.contract.replies import (
    Burnt,
    DatabaseRow,
    FileSum,
    Greeting,
    Health,
    Item,
    OrderTotals,
    Problem,
    Product,
    ProductPage,
    Rows,
    Slept,
    Tick,
    Token,
    UpstreamSum,
    User,
)
from apps.contract.settings import settings


class Products(Protocol):
    """What keeps the products: a driver or an ORM."""

    async def product(self, product_id: int) -> dict[str, Any]: ...

    async def products(self, limit: int, offset: int) -> list[dict[str, Any]]: ...

    async def add(self, new: NewProduct) -> dict[str, Any]: ...

    async def close(self) -> None: ...


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Everything is opened when it is first needed."""
    yield
    for resource in (app.state.database, app.state.products, app.state.upstream):
        await resource.close()


app = FastAPI(title=TITLE, version=VERSION, docs_url=None, redoc_url=None, lifespan=lifespan)
app.state.database = app.state.products = Database()
app.state.upstream = Upstream()
templates = Jinja2Templates(FilePath(__file__).with_name("templates"))
oauth2_scheme = OAuth2PasswordBearer(TOKEN_URL)


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route's ``responses`` say of these statuses; FastAPI documents 422 by itself."""
    return {status: {"model": Problem} for status in statuses}


BODY_REFUSALS = {**refusals(400, 415), 413: {"description": DETAILS[413]}}


async def get_database(request: Request) -> Database:
    return request.app.state.database


async def get_products(request: Request) -> Products:
    return request.app.state.products


async def get_upstream(request: Request) -> Upstream:
    return request.app.state.upstream


async def get_pricing() -> domain.Pricing:
    return domain.pricing()


async def get_current_account(token: Annotated[str, Depends(oauth2_scheme)]) -> security.Account:
    return security.account_of(token, settings().jwt_secret)


@app.exception_handler(RequestValidationError)
async def invalid(request: Request, exc: RequestValidationError) -> JSONResponse:
    """Every fault, without the input that FastAPI repeats; a body of another type is 415, one that is no JSON 400."""
    media_type = request.headers.get("content-type", "").partition(";")[0]
    is_other_form = isinstance(exc.body, FormData) and media_type not in (FORM, MULTIPART)
    if is_other_form or isinstance(exc.body, bytes):
        return JSONResponse({"detail": DETAILS[415]}, status_code=415)
    faults = [{key: error[key] for key in ("loc", "msg", "type")} for error in exc.errors()]
    if faults[0]["type"] == "json_invalid" or (faults[0]["loc"] == ("body",) and exc.body is None):
        return JSONResponse({"detail": MALFORMED_JSON}, status_code=400)
    return JSONResponse({"detail": faults}, status_code=422)


@app.exception_handler(Refused)
async def refused(request: Request, exc: Refused) -> JSONResponse:
    return JSONResponse({"detail": exc.detail}, status_code=exc.status, headers=dict(exc.headers))


@app.exception_handler(Exception)
async def crashed(request: Request, exc: Exception) -> JSONResponse:
    return JSONResponse({"detail": DETAILS[500]}, status_code=500)


@app.get("/health")
async def health() -> Health:
    return Health(**domain.health())


@app.get("/plaintext", response_class=PlainTextResponse)
async def plaintext() -> str:
    return domain.GREETING


@app.get("/json")
async def greeting() -> Greeting:
    return Greeting(**domain.greeting())


@app.get("/items/{item_id}")
async def read_item(item_id: Annotated[ItemId, Path()], query: Annotated[ItemQuery, Query()]) -> Item:
    return Item(**domain.item(item_id, query))


@app.get("/cpu")
async def cpu(query: Annotated[CpuQuery, Query()]) -> Burnt:
    return Burnt(**domain.burn(query.units))


@app.get("/rows")
async def rows(query: Annotated[RowsQuery, Query()]) -> Rows:
    return Rows.model_validate({"rows": domain.rows(query.n)})


@app.get("/rows/raw", responses={200: {"model": Rows}})
async def rows_raw(query: Annotated[RowsQuery, Query()]) -> JSONResponse:
    return JSONResponse({"rows": domain.rows(query.n)})


@app.get("/page", response_class=HTMLResponse)
async def page(request: Request, query: Annotated[PageQuery, Query()]) -> Response:
    return templates.TemplateResponse(request, "page.html", {"rows": domain.rows(query.rows)})


@app.post("/orders/raw", responses={**BODY_REFUSALS, **refusals(500)}, max_body_size=MAX_BODY_BYTES)
async def order_raw(order: dict[str, Any]) -> OrderTotals:
    return OrderTotals(**domain.raw_totals(order))


@app.post("/orders/validated", responses=BODY_REFUSALS, max_body_size=MAX_BODY_BYTES)
async def order_validated(order: Order) -> OrderTotals:
    return OrderTotals(**domain.totals(order))


@app.post("/orders/full", responses=BODY_REFUSALS, max_body_size=MAX_BODY_BYTES)
async def order_full(order: Order) -> FullOrder:
    return FullOrder.model_validate(domain.full_order(order))


@app.post("/orders/injected", responses=BODY_REFUSALS, max_body_size=MAX_BODY_BYTES)
async def order_injected(order: Order, price: Annotated[domain.Pricing, Depends(get_pricing)]) -> FullOrder:
    return FullOrder.model_validate(price(order))


@app.get("/io/sleep")
async def sleep(query: Annotated[WaitQuery, Query()]) -> Slept:
    await awaiting.wait(query.ms)
    return Slept(**domain.waited(query.ms))


@app.get("/io/blocking")
async def block(query: Annotated[WaitQuery, Query()]) -> Slept:
    blocking.wait(query.ms)
    return Slept(**domain.waited(query.ms))


@app.get("/io/upstream", responses=refusals(503))
async def call_upstream(
    query: Annotated[UpstreamQuery, Query()], upstream: Annotated[Upstream, Depends(get_upstream)]
) -> UpstreamSum:
    return UpstreamSum(**transfer.upstream_sum(await upstream.delays(query.ms, query.calls)))


@app.get("/io/db", responses=refusals(503))
async def sleep_in_database(
    query: Annotated[WaitQuery, Query()], database: Annotated[Database, Depends(get_database)]
) -> DatabaseRow:
    return DatabaseRow(**transfer.database_row(query.ms, await database.slept(query.ms)))


@app.get("/io/file", responses=refusals(404))
async def read_file(query: Annotated[FileQuery, Query()]) -> FileSum:
    return FileSum(**await awaiting.file_sum(query.name))


@app.get("/products/{product_id}", responses=refusals(404, 503))
async def read_product(
    product_id: Annotated[ItemId, Path()], products: Annotated[Products, Depends(get_products)]
) -> Product:
    return Product(**await products.product(product_id))


@app.get("/products", responses=refusals(503))
async def list_products(
    query: Annotated[ProductsQuery, Query()], products: Annotated[Products, Depends(get_products)]
) -> ProductPage:
    rows = await products.products(query.limit, query.offset)
    return ProductPage(**transfer.product_page(query, rows))


@app.post("/products", status_code=201, responses={**BODY_REFUSALS, **refusals(409, 503)}, max_body_size=MAX_BODY_BYTES)
async def add_product(new: NewProduct, products: Annotated[Products, Depends(get_products)]) -> Product:
    return Product(**await products.add(new))


@app.post("/auth/token", responses={**BODY_REFUSALS, **refusals(401)}, max_body_size=MAX_BODY_BYTES)
async def login(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> Token:
    account = await awaiting.authenticate(form.username, form.password)
    return Token(**security.issue(account, settings().jwt_secret))


@app.get("/users/me", responses=refusals(401))
async def me(account: Annotated[security.Account, Depends(get_current_account)]) -> User:
    return User(**security.profile(account))


@app.post("/upload", responses=BODY_REFUSALS, max_body_size=MAX_UPLOAD_BODY_BYTES)
async def upload(file: UploadFile) -> FileSum:
    return FileSum(**transfer.file_sum(file.filename or "", await file.read()))


class TextStream(StreamingResponse):
    media_type = TEXT


@app.get("/download", response_class=TextStream)
async def download(query: Annotated[DownloadQuery, Query()]) -> AsyncIterable[bytes]:
    for chunk in transfer.chunks(query.kb):
        yield chunk


@app.get("/stream/events", response_class=EventSourceResponse)
async def events(query: Annotated[EventsQuery, Query()]) -> AsyncIterable[ServerSentEvent]:
    for number in range(query.n):
        if number and query.interval_ms:
            await awaiting.wait(query.interval_ms)
        yield ServerSentEvent(data=Tick(n=number), event="tick", id=str(number))


@app.websocket("/ws/echo")
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


@app.get("/docs", include_in_schema=False)
async def docs() -> HTMLResponse:
    """Swagger UI, with its scripts from disk instead of the CDN that FastAPI names by default."""
    return get_swagger_ui_html(
        openapi_url=pages.OPENAPI_URL,
        title=f"{TITLE} - Swagger UI",
        swagger_js_url=f"{pages.ASSETS_URL}/{pages.SCRIPT}",
        swagger_css_url=f"{pages.ASSETS_URL}/{pages.STYLE}",
        swagger_favicon_url=f"{pages.ASSETS_URL}/{pages.ICON}",
        swagger_ui_parameters={"validatorUrl": None},
    )


@app.get("/redoc", include_in_schema=False)
async def redoc() -> HTMLResponse:
    return get_redoc_html(
        openapi_url=pages.OPENAPI_URL,
        title=f"{TITLE} - ReDoc",
        redoc_js_url=f"{pages.ASSETS_URL}/{pages.REDOC}",
        redoc_favicon_url=f"{pages.ASSETS_URL}/{pages.ICON}",
        with_google_fonts=False,
    )


@app.get(pages.ASSETS_URL + "/{name}", include_in_schema=False)
async def asset(name: str) -> Response:
    content, media_type = pages.asset(name)
    return Response(content, media_type=media_type)
