"""The contract in Flask."""

from __future__ import annotations

from flask import Flask

from apps.contract.inbound import MAX_BODY_BYTES
from apps.flask_app import basics, errors, orders, waits


def create_app() -> Flask:
    """The application, with its blueprints and error handlers."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    errors.register(app)
    app.register_blueprint(basics.blueprint)
    app.register_blueprint(orders.blueprint)
    app.register_blueprint(waits.blueprint)
    return app


app = create_app()
