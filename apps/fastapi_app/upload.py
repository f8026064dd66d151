"""A file in."""

from __future__ import annotations

from fastapi import APIRouter, UploadFile

from apps.contract import transfer
from apps.contract.inbound import check_file
from apps.contract.operations import BODY_REFUSALS
from apps.contract.replies import FileReply
from apps.fastapi_app.body import UploadRoute
from apps.fastapi_app.errors import refusals

router = APIRouter(route_class=UploadRoute)


@router.post("/upload", responses=refusals(*BODY_REFUSALS))
async def upload(file: UploadFile) -> FileReply:
    content = check_file(await file.read(), ())
    return transfer.file_sum(file.filename or "", content)
