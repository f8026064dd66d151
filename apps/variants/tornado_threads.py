"""The app with its blocking call in a thread of the loop's executor."""

from __future__ import annotations

import asyncio

from apps.backends import blocking
from apps.contract import domain
from apps.contract.models import WaitQuery
from apps.tornado_app.app import HANDLERS, ApiHandler, Block, make_app


class BlockInThread(ApiHandler):
    async def get(self) -> None:
        query = WaitQuery.model_validate(self.query())
        await asyncio.to_thread(blocking.wait, query.ms)
        self.write(domain.waited(query.ms))


app = make_app([(path, BlockInThread if handler is Block else handler, *rest) for path, handler, *rest in HANDLERS])
