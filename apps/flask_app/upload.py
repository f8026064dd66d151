"""A file in."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from apps.contract import inbound, transfer
from apps.flask_app.forms import check_form

blueprint = Blueprint("upload", __name__)


@blueprint.post("/upload")
def upload() -> dict[str, Any]:
    check_form(inbound.MULTIPART)
    files = request.files.getlist("file")
    content = inbound.check_file(files[-1].read() if files else None, request.form.getlist("file"))
    return transfer.file_sum(files[-1].filename or "", content)
