"""Forms: their type, and how long they may be."""

from __future__ import annotations

from flask import request

from apps.contract import inbound


def check_form(media: str) -> None:
    """Refuses a body that is not of this type, and makes Flask refuse one that is too long."""
    inbound.check_form(request.headers.get("content-type"), request.headers.get("content-length"), media)
    if media == inbound.MULTIPART:
        request.max_content_length = inbound.MAX_UPLOAD_BODY_BYTES
