"""Forms, refused before they are read whole where they are too long."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request

from apps.contract import inbound


async def read_form(request: Request, media: str = inbound.FORM) -> FormData:
    """The form of a body whose type must be ``media``."""
    inbound.check_form(request.headers.get("content-type"), request.headers.get("content-length"), media)
    limit = inbound.MAX_BODY_BYTES if media == inbound.FORM else inbound.MAX_UPLOAD_BODY_BYTES
    try:
        return await Request(request.scope, inbound.counted(request.receive, limit)).form()
    except HTTPException as error:
        raise inbound.Refused(400, inbound.MALFORMED_FORM) from error
