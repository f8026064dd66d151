"""What the schema cannot say: loaded into Schemathesis by ``SCHEMATHESIS_HOOKS``."""

from __future__ import annotations

import json

import schemathesis
from pydantic import ValidationError

from apps.contract.inbound import MULTIPART
from apps.contract.operations import JSON, OPERATIONS

SHORTENED = {"ms": (20, 10_000), "interval_ms": (1, 1_000), "n": (40, 1_000), "calls": (3, 20), "units": (20, 1_000)}
"""Number that costs time → what is sent for larger ones, up to the largest that any operation allows."""

MODELS = {
    (operation.method, operation.path): operation.body
    for operation in OPERATIONS
    if operation.body is not None and operation.body_media == JSON and operation.name != "orders-raw"
}
"""Method and path → what a JSON body must be; the control takes anything."""


@schemathesis.hook
def before_call(context, case, kwargs):
    """Shortens waits and work that the schema allows: their length changes no reply's shape."""
    for name, (longest, allowed) in SHORTENED.items():
        value = str((case.query or {}).get(name))
        if value.isdecimal() and longest < int(value) <= allowed:
            case.query[name] = type(case.query[name])(longest)
    if case.media_type == MULTIPART and isinstance(case.body, dict):
        # The name of a part stands in a header, where HTTP allows no control characters; Tornado refuses them.
        case.body = {name: value for name, value in case.body.items() if name.isprintable()}


@schemathesis.check
def accepts_what_the_model_accepts(ctx, response, case):
    """A JSON body is taken exactly where the shared model takes it.

    Stronger than ``negative_data_rejection`` for these: the model takes numbers written as texts, which the schema does
    not allow.
    """
    model = MODELS.get((case.method, case.operation.path))
    request = response.request
    if model is None or request.headers.get("Content-Type") != JSON:
        return
    try:
        model.model_validate(json.loads(request.body or b""))
        accepted = True
    except (ValidationError, ValueError, RecursionError):
        accepted = False
    taken = response.status_code not in (400, 422)
    assert taken == accepted, f"status {response.status_code}, but the model {'takes' if accepted else 'refuses'} it"
