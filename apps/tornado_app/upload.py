"""A file in."""

from __future__ import annotations

from apps.contract import inbound, transfer
from apps.tornado_app.base import BodyHandler
from apps.tornado_app.users import read_arguments


class Upload(BodyHandler):
    limit = inbound.MAX_UPLOAD_BODY_BYTES

    async def take(self, body: bytes) -> None:
        inbound.check_form(self.request.headers.get("Content-Type"), None, inbound.MULTIPART)
        request = read_arguments(self.request, body)
        files = request.files.get("file", [])
        texts = self.get_body_arguments("file", strip=False)
        content = inbound.check_file(files[-1]["body"] if files else None, texts)
        self.finish(transfer.file_sum(files[-1]["filename"], content))


routes = [(r"/upload", Upload)]
