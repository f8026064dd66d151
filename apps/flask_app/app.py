"""The contract in Flask, in one file.

After Flask's documentation: Quickstart, Handling Application Errors ("Returning API Errors as JSON"), View Decorators,
Uploading Files, Streaming Contents and Configuration Handling (``MAX_CONTENT_LENGTH``), https://flask.palletsprojects.com/,
and Pydantic's: Models, https://docs.pydantic.dev/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from flask import Flask, Request, Response, abort, g, render_template, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge

from apps.backends import blocking
from apps.backends.sync_database import Database
from apps.backends.sync_upstream import Upstream
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

Reply = dict[str, Any]


class LimitedRequest(Request):
    """Refuses a chunked body that goes on past the limit: Werkzeug cuts it off there without an error."""

    def get_data(self, *args: Any, **kwargs: Any) -> Any:
        data = super().get_data(*args, **kwargs)
        if len(data) == inbound.MAX_BODY_BYTES and self.content_length is None and self.input_stream.read(1):
            raise RequestEntityTooLarge
        return data


app = Flask(__name__, static_folder=None)
app.request_class = LimitedRequest
app.config["MAX_CONTENT_LENGTH"] = inbound.MAX_BODY_BYTES
app.extensions["products"] = database = Database()
upstream = Upstream()


@app.errorhandler(HTTPException)
def http_error(error: HTTPException) -> Response:
    """What Flask or a view refuses; an exception that nobody caught comes here as 500."""
    response = error.get_response()
    response.data = app.json.dumps({"detail": inbound.DETAILS.get(response.status_code, error.name)})
    response.content_type = "application/json"
    return response


@app.errorhandler(BadRequest)
@app.errorhandler(RecursionError)
def malformed(error: Exception) -> tuple[Reply, int]:
    """JSON that cannot be parsed; the parser of one nested too deeply ends in a RecursionError."""
    return {"detail": inbound.MALFORMED_JSON}, 400


@app.errorhandler(ValidationError)
def invalid(error: ValidationError) -> tuple[Reply, int]:
    source = "body" if request.method == "POST" else "query"
    return {"detail": inbound.faults(error, source, request.view_args)}, 422


@app.errorhandler(inbound.Refused)
def refused(error: inbound.Refused) -> tuple[Reply, int, list[tuple[str, str]]]:
    return {"detail": error.detail}, error.status, list(error.headers)


def token_required(view: Callable[..., Any]) -> Callable[..., Any]:
    """Lets the view be reached with a Bearer token only; whose it is is in ``g.account``."""

    @wraps(view)
    def wrapped_view(*args: Any, **kwargs: Any) -> Any:
        token = security.bearer(request.headers.get("Authorization"))
        g.account = security.account_of(token, settings().jwt_secret)
        return view(*args, **kwargs)

    return wrapped_view


def json_response(model: type[BaseModel], value: Reply) -> Response:
    return Response(replies.serialized(model, value), mimetype="application/json")


def with_pricing(view: Callable[..., Any]) -> Callable[..., Any]:
    """Puts what prices an order into ``g.price``."""

    @wraps(view)
    def wrapped_view(*args: Any, **kwargs: Any) -> Any:
        g.price = domain.pricing()
        return view(*args, **kwargs)

    return wrapped_view


@app.get(pages.OPENAPI_URL)
def openapi_document() -> Reply:
    return openapi.document()


@app.get("/health")
def health() -> Reply:
    return domain.health()


@app.get("/plaintext")
def plaintext() -> Response:
    return Response(domain.GREETING, mimetype="text/plain")


@app.get("/json")
def greeting() -> Reply:
    return domain.greeting()


@app.get("/items/<item_id>")
def item(item_id: str) -> Reply:
    path = ItemPath.model_validate({"item_id": item_id})
    query = ItemQuery.model_validate(request.args.to_dict() | {"tags": request.args.getlist("tags")})
    return domain.item(path.item_id, query)


@app.get("/cpu")
def cpu() -> Reply:
    query = CpuQuery.model_validate(request.args.to_dict())
    return domain.burn(query.units)


@app.get("/rows")
def rows() -> Response:
    query = RowsQuery.model_validate(request.args.to_dict())
    return json_response(replies.Rows, {"rows": domain.rows(query.n)})


@app.get("/rows/raw")
def rows_raw() -> Reply:
    query = RowsQuery.model_validate(request.args.to_dict())
    return {"rows": domain.rows(query.n)}


@app.get("/page")
def page() -> str:
    query = PageQuery.model_validate(request.args.to_dict())
    return render_template("page.html", rows=domain.rows(query.rows))


@app.post("/orders/raw")
def order_raw() -> Reply:
    return domain.raw_totals(request.get_json())


@app.post("/orders/validated")
def order_validated() -> Reply:
    order = Order.model_validate(request.get_json())
    return domain.totals(order)


@app.post("/orders/full")
def order_full() -> Response:
    order = Order.model_validate(request.get_json())
    return json_response(FullOrder, domain.full_order(order))


@app.post("/orders/injected")
@with_pricing
def order_injected() -> Response:
    order = Order.model_validate(request.get_json())
    return json_response(FullOrder, g.price(order))


@app.get("/io/sleep")
def sleep() -> Reply:
    query = WaitQuery.model_validate(request.args.to_dict())
    blocking.wait(query.ms)
    return domain.waited(query.ms)


@app.get("/io/blocking")
def block() -> Reply:
    """Under WSGI the same: a wait holds its thread either way."""
    return sleep()


@app.get("/io/upstream")
def call_upstream() -> Reply:
    query = UpstreamQuery.model_validate(request.args.to_dict())
    return transfer.upstream_sum(upstream.delays(query.ms, query.calls))


@app.get("/io/db")
def sleep_in_database() -> Reply:
    query = WaitQuery.model_validate(request.args.to_dict())
    return transfer.database_row(query.ms, database.slept(query.ms))


@app.get("/io/file")
def read_file() -> Reply:
    query = FileQuery.model_validate(request.args.to_dict())
    return blocking.file_sum(query.name)


@app.get("/products/<product_id>")
def product(product_id: str) -> Reply:
    path = ProductPath.model_validate({"product_id": product_id})
    return app.extensions["products"].product(path.product_id)


@app.get("/products")
def products() -> Reply:
    query = ProductsQuery.model_validate(request.args.to_dict())
    return transfer.product_page(query, app.extensions["products"].products(query.limit, query.offset))


@app.post("/products")
def insert_product() -> tuple[Reply, int]:
    new = NewProduct.model_validate(request.get_json())
    return app.extensions["products"].add(new), 201


@app.post("/auth/token")
def sign_in() -> Reply:
    if request.mimetype != inbound.FORM:
        abort(415)
    form = PasswordForm.model_validate(request.form.to_dict())
    account = blocking.authenticate(form.username, form.password)
    return security.issue(account, settings().jwt_secret)


@app.get("/users/me")
@token_required
def me() -> Reply:
    return security.profile(g.account)


@app.post("/upload")
def upload() -> Reply:
    if request.mimetype != inbound.MULTIPART:
        abort(415)
    request.max_content_length = inbound.MAX_UPLOAD_BODY_BYTES
    file = request.files.get("file")
    content = inbound.check_file(file.read() if file else None)
    return transfer.file_sum(file.filename, content)


@app.get("/download")
def download() -> Response:
    query = DownloadQuery.model_validate(request.args.to_dict())
    return Response(transfer.chunks(query.kb), mimetype="text/plain")


@app.get("/stream/events")
def events() -> Response:
    query = EventsQuery.model_validate(request.args.to_dict())

    def generate() -> Iterator[bytes]:
        for number in range(query.n):
            if number and query.interval_ms:
                blocking.wait(query.interval_ms)
            yield transfer.event(number)

    return Response(generate(), mimetype="text/event-stream", headers=transfer.EVENT_HEADERS)


@app.get("/docs")
def docs() -> str:
    return pages.SWAGGER_PAGE


@app.get("/redoc")
def redoc() -> str:
    return pages.REDOC_PAGE


@app.get(f"{pages.ASSETS_URL}/<name>")
def asset(name: str) -> Response:
    content, media_type = pages.asset(name)
    return Response(content, mimetype=media_type)
