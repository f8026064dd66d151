"""The contract in Flask."""

from __future__ import annotations

from flask import Flask, Response
from flask_cors import CORS

from apps.contract.inbound import MAX_BODY_BYTES
from apps.contract.settings import ALLOWED_ORIGIN, CORS_HEADERS, CORS_METHODS
from apps.flask_app import basics, documents, errors, io, orders, products, streams, upload, users, waits
from apps.flask_app.resources import database


def create_app(store: products.Store = database) -> Flask:
    """The application, with its blueprints and error handlers.

    Args:
        store: what keeps the products: a driver or an ORM.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.extensions[products.STORE] = store
    CORS(
        app,
        origins=[ALLOWED_ORIGIN],
        methods=list(CORS_METHODS),
        allow_headers=list(CORS_HEADERS),
        always_send=False,
    )
    app.after_request(vary_by_origin)
    errors.register(app)
    for module in (basics, orders, waits, io, products, users, upload, streams, documents):
        app.register_blueprint(module.blueprint)
    return app


def vary_by_origin(response: Response) -> Response:
    """What a cache must know; Flask-CORS says so only where it admits several origins."""
    response.headers["Vary"] = "Origin"
    return response


app = create_app()
