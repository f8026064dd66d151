"""Faults as the contract lists them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import ValidationError

# Where a model is an argument, the argument's name stands in every fault's place.
ARGUMENTS = frozenset({"order", "path", "query"})


def new_api() -> NinjaAPI:
    """An API whose validation errors carry ``loc``, ``msg`` and ``type`` only."""
    api = NinjaAPI(title="Contract", version="1.0.0", docs_url=None)

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        faults = [{"loc": _place(*fault["loc"]), "msg": fault["msg"], "type": fault["type"]} for fault in error.errors]
        return api.create_response(request, {"detail": faults}, status=422)

    return api


def _place(source: str, first: str | int, *rest: str | int) -> list[str | int]:
    return [source, *rest] if first in ARGUMENTS else [source, first, *rest]
