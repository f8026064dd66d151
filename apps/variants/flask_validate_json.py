"""The app with its orders parsed and validated in one go: ``model_validate_json`` instead of ``model_validate``.

After Pydantic's documentation: Performance, "In general, use ``model_validate_json()``", https://docs.pydantic.dev/.
"""

from __future__ import annotations

from typing import Any

from flask import Response, abort, request
from pydantic import ValidationError

from apps.contract import domain
from apps.contract.models import FullOrder, Order
from apps.flask_app.app import app, invalid, json_response, malformed


def read_order() -> Order:
    if not request.is_json:
        abort(415)
    return Order.model_validate_json(request.get_data())


def order_validated() -> dict[str, Any]:
    return domain.totals(read_order())


def order_full() -> Response:
    return json_response(FullOrder, domain.full_order(read_order()))


@app.errorhandler(ValidationError)
def invalid_or_malformed(error: ValidationError) -> tuple[dict[str, Any], int]:
    """Pydantic counts malformed JSON as a fault of the value."""
    return malformed(error) if error.errors()[0]["type"] == "json_invalid" else invalid(error)


app.view_functions.update(order_validated=order_validated, order_full=order_full)
