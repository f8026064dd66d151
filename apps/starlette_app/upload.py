"""A file in."""

from __future__ import annotations

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from apps.contract import inbound, transfer
from apps.starlette_app.forms import read_form


async def upload(request: Request) -> JSONResponse:
    form = await read_form(request, inbound.MULTIPART)
    given = form.getlist("file")
    file = given[-1] if given else None
    is_file = isinstance(file, UploadFile)
    content = inbound.check_file(await file.read() if is_file else None, [] if file is None else ["text"])
    return JSONResponse(transfer.file_sum(file.filename or "", content))


routes = [Route("/upload", upload, methods=["POST"])]
