"""The contract in Tornado, in one file.

After Tornado's user's guide (Structure of a Tornado web application, Templates and UI, Authentication and security),
its reference of ``tornado.web``, ``tornado.routing`` and ``tornado.websocket``, https://www.tornadoweb.org/, and
Pydantic's documentation: Models, https://docs.pydantic.dev/.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from tornado.escape import json_decode
from tornado.httputil import HTTPServerRequest
from tornado.iostream import StreamClosedError
from tornado.web import Application, HTTPError, RequestHandler, authenticated, stream_request_body
from tornado.websocket import WebSocketHandler

from apps.backends import awaiting, blocking
from apps.backends.async_database import Database
from apps.backends.async_upstream import Upstream
from apps.contract import domain, inbound, openapi, pages, replies, security, transfer
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
from apps.contract.models import (
    CpuQuery,
    FullOrder,
    ItemPath,
    ItemQuery,
    Order,
    PageQuery,
    RowsQuery,
    WaitQuery,
)
from apps.contract.settings import settings

database = Database()
upstream = Upstream()


class ApiHandler(RequestHandler):
    """Reads queries and JSON bodies, and answers errors with JSON."""

    def compute_etag(self) -> None:
        """No Etag, for which Tornado hashes every reply: the other frameworks send one only on request."""

    def query(self) -> dict[str, str]:
        return {name: self.get_query_argument(name, strip=False) for name in self.request.query_arguments}

    def json_body(self) -> Any:
        if not self.request.headers.get("Content-Type", "").startswith("application/json"):
            raise HTTPError(415)
        try:
            return json_decode(self.request.body)
        except (ValueError, RecursionError) as error:
            raise inbound.Refused(400, inbound.MALFORMED_JSON) from error

    def write_json(self, model: type[BaseModel], value: dict[str, Any]) -> None:
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.write(replies.serialized(model, value))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        _, error, _ = kwargs.get("exc_info", (None, None, None))
        detail: Any = inbound.DETAILS.get(status_code, self._reason)
        if isinstance(error, ValidationError):
            self.set_status(422)
            source = "body" if self.request.method == "POST" else "query"
            detail = inbound.faults(error, source, self.path_kwargs)
        elif isinstance(error, inbound.Refused):
            self.set_status(error.status)
            detail = error.detail
            for name, value in error.headers:
                self.set_header(name, value)
        elif status_code == 405:
            methods = (name for name in self.SUPPORTED_METHODS if self.implements(name.lower()))
            self.set_header("Allow", ", ".join(methods))
        self.finish({"detail": detail})

    def implements(self, method: str) -> bool:
        return getattr(type(self), method) is not getattr(RequestHandler, method)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, (ValidationError, inbound.Refused)):
            super().log_exception(typ, value, tb)


class NotFound(ApiHandler):
    """Paths that no route matches."""

    def prepare(self) -> None:
        raise HTTPError(404)


@stream_request_body
class TooLarge(ApiHandler):
    """Refuses a body before it is read, and closes the connection, since the rest of the body is never read."""

    def set_default_headers(self) -> None:
        self.set_header("Connection", "close")

    def prepare(self) -> None:
        raise HTTPError(413)


class ContractApplication(Application):
    """Limits bodies by path: the server's own ``max_body_size`` is one for all paths, and its answer an empty 400."""

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        if request.method == "POST":
            limit = inbound.MAX_UPLOAD_BODY_BYTES if request.path == "/upload" else inbound.MAX_BODY_BYTES
            length = request.headers.get("Content-Length", "")
            if length.isdecimal() and int(length) > limit:
                return self.get_handler_delegate(request, TooLarge)
            request.connection.set_max_body_size(limit)
        return super().find_handler(request, **kwargs)


class OpenapiDocument(ApiHandler):
    def get(self) -> None:
        self.write(openapi.document())


class Health(ApiHandler):
    def get(self) -> None:
        self.write(domain.health())


class Plaintext(ApiHandler):
    def get(self) -> None:
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.write(domain.GREETING)


class Greeting(ApiHandler):
    def get(self) -> None:
        self.write(domain.greeting())


class Item(ApiHandler):
    def get(self, item_id: str) -> None:
        path = ItemPath.model_validate({"item_id": item_id})
        query = ItemQuery.model_validate(self.query() | {"tags": self.get_query_arguments("tags", strip=False)})
        self.write(domain.item(path.item_id, query))


class Cpu(ApiHandler):
    def get(self) -> None:
        query = CpuQuery.model_validate(self.query())
        self.write(domain.burn(query.units))


class Rows(ApiHandler):
    def get(self) -> None:
        query = RowsQuery.model_validate(self.query())
        self.write_json(replies.Rows, {"rows": domain.rows(query.n)})


class RowsRaw(ApiHandler):
    def get(self) -> None:
        query = RowsQuery.model_validate(self.query())
        self.write({"rows": domain.rows(query.n)})


class Page(ApiHandler):
    def get(self) -> None:
        query = PageQuery.model_validate(self.query())
        self.render("page.html", rows=domain.rows(query.rows))


class OrderRaw(ApiHandler):
    def post(self) -> None:
        self.write(domain.raw_totals(self.json_body()))


class OrderValidated(ApiHandler):
    def post(self) -> None:
        order = Order.model_validate(self.json_body())
        self.write(domain.totals(order))


class OrderFull(ApiHandler):
    def post(self) -> None:
        order = Order.model_validate(self.json_body())
        self.write_json(FullOrder, domain.full_order(order))


def with_pricing(method: Callable[..., None]) -> Callable[..., None]:
    """Puts what prices an order into ``self.price``."""

    @wraps(method)
    def wrapper(self: Any, *args: str) -> None:
        self.price = domain.pricing()
        method(self, *args)

    return wrapper


class OrderInjected(ApiHandler):
    price: domain.Pricing

    @with_pricing
    def post(self) -> None:
        order = Order.model_validate(self.json_body())
        self.write_json(FullOrder, self.price(order))


class Sleep(ApiHandler):
    async def get(self) -> None:
        query = WaitQuery.model_validate(self.query())
        await awaiting.wait(query.ms)
        self.write(domain.waited(query.ms))


class Block(ApiHandler):
    """The mistake: nothing else runs on the loop meanwhile."""

    def get(self) -> None:
        query = WaitQuery.model_validate(self.query())
        blocking.wait(query.ms)
        self.write(domain.waited(query.ms))


class CallUpstream(ApiHandler):
    async def get(self) -> None:
        query = UpstreamQuery.model_validate(self.query())
        self.write(transfer.upstream_sum(await upstream.delays(query.ms, query.calls)))


class SleepInDatabase(ApiHandler):
    async def get(self) -> None:
        query = WaitQuery.model_validate(self.query())
        self.write(transfer.database_row(query.ms, await database.slept(query.ms)))


class ReadFile(ApiHandler):
    async def get(self) -> None:
        query = FileQuery.model_validate(self.query())
        self.write(await awaiting.file_sum(query.name))


class Product(ApiHandler):
    async def get(self, product_id: str) -> None:
        path = ProductPath.model_validate({"product_id": product_id})
        self.write(await database.product(path.product_id))


class Products(ApiHandler):
    async def get(self) -> None:
        query = ProductsQuery.model_validate(self.query())
        self.write(transfer.product_page(query, await database.products(query.limit, query.offset)))

    async def post(self) -> None:
        new = NewProduct.model_validate(self.json_body())
        row = await database.add(new)
        self.set_status(201)
        self.write(row)


class SignIn(ApiHandler):
    async def post(self) -> None:
        if not self.request.headers.get("Content-Type", "").startswith(inbound.FORM):
            raise HTTPError(415)
        values = {name: self.get_body_argument(name, strip=False) for name in self.request.body_arguments}
        form = PasswordForm.model_validate(values)
        account = await awaiting.authenticate(form.username, form.password)
        self.write(security.issue(account, settings().jwt_secret))


class Me(ApiHandler):
    def get_current_user(self) -> security.Account:
        token = security.bearer(self.request.headers.get("Authorization"))
        return security.account_of(token, settings().jwt_secret)

    @authenticated
    def get(self) -> None:
        self.write(security.profile(self.current_user))


class Upload(ApiHandler):
    def post(self) -> None:
        if not self.request.headers.get("Content-Type", "").startswith(inbound.MULTIPART):
            raise HTTPError(415)
        file = self.request.files.get("file", [None])[-1]
        content = inbound.check_file(file and file.body)
        self.write(transfer.file_sum(file.filename, content))


class Download(ApiHandler):
    async def get(self) -> None:
        query = DownloadQuery.model_validate(self.query())
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        try:
            for chunk in transfer.chunks(query.kb):
                self.write(chunk)
                await self.flush()
        except StreamClosedError:
            return


class Events(ApiHandler):
    async def get(self) -> None:
        query = EventsQuery.model_validate(self.query())
        self.set_header("Content-Type", "text/event-stream; charset=UTF-8")
        for name, value in transfer.EVENT_HEADERS.items():
            self.set_header(name, value)
        try:
            for number in range(query.n):
                if number and query.interval_ms:
                    await awaiting.wait(query.interval_ms)
                self.write(transfer.event(number))
                await self.flush()
        except StreamClosedError:
            return


class Echo(WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        await self.write_message(message, binary=isinstance(message, bytes))


class Documentation(ApiHandler):
    def initialize(self, text: str) -> None:
        self.text = text

    def get(self) -> None:
        self.write(self.text)


class Asset(ApiHandler):
    def get(self, name: str) -> None:
        content, media_type = pages.asset(name)
        self.set_header("Content-Type", media_type)
        self.write(content)


HANDLERS: list[tuple[Any, ...]] = [
    (pages.OPENAPI_URL, OpenapiDocument),
    (r"/health", Health),
    (r"/plaintext", Plaintext),
    (r"/json", Greeting),
    (r"/items/(?P<item_id>[^/]+)", Item),
    (r"/cpu", Cpu),
    (r"/rows", Rows),
    (r"/rows/raw", RowsRaw),
    (r"/page", Page),
    (r"/orders/raw", OrderRaw),
    (r"/orders/validated", OrderValidated),
    (r"/orders/full", OrderFull),
    (r"/orders/injected", OrderInjected),
    (r"/io/sleep", Sleep),
    (r"/io/blocking", Block),
    (r"/io/upstream", CallUpstream),
    (r"/io/db", SleepInDatabase),
    (r"/io/file", ReadFile),
    (r"/products/(?P<product_id>[^/]+)", Product),
    (r"/products", Products),
    (r"/auth/token", SignIn),
    (r"/users/me", Me),
    (r"/upload", Upload),
    (r"/download", Download),
    (r"/stream/events", Events),
    (r"/ws/echo", Echo),
    (r"/docs", Documentation, {"text": pages.SWAGGER_PAGE}),
    (r"/redoc", Documentation, {"text": pages.REDOC_PAGE}),
    (rf"{pages.ASSETS_URL}/([^/]+)", Asset),
]


def make_app(handlers: Sequence[tuple[Any, ...]] = HANDLERS, not_found: type[RequestHandler] = NotFound) -> Application:
    """The application; it logs no access.

    Args:
        handlers: the routes, in their order.
        not_found: answers where no route matches.
    """
    return ContractApplication(
        list(handlers),
        default_handler_class=not_found,
        log_function=lambda handler: None,
        template_path=Path(__file__).with_name("templates"),
    )


app = make_app()
