"""Validation errors as 422 with a list of faults, in the serializers' own words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler

Place = tuple[str | int, ...]


def checked(**serializers: Serializer) -> list[dict[str, Any]]:
    """The validated data of serializers, called by what they read: ``path``, ``query`` or ``body``."""
    if errors := {where: one.errors for where, one in serializers.items() if not one.is_valid()}:
        raise ValidationError(errors)
    return [one.validated_data for one in serializers.values()]


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    if isinstance(error, ValidationError):
        return Response({"detail": list(_faults(error.get_full_details(), ()))}, status=422)
    return exception_handler(error, context)


def _faults(details: Any, place: Place) -> Iterator[dict[str, Any]]:
    if isinstance(details, list):
        details = dict(enumerate(details))
    elif "code" in details:
        yield {"loc": place, "msg": details["message"], "type": details["code"]}
        return
    for key, inner in details.items():
        is_message = key == api_settings.NON_FIELD_ERRORS_KEY or "code" in inner
        yield from _faults(inner, place if is_message else (*place, key))
