"""The app with its blocking call in a thread of the loop's executor."""

from __future__ import annotations

import asyncio

from apps.backends import blocking
from apps.contract import domain, inbound
from apps.contract.models import WaitQuery
from apps.tornado_app import create_app
from apps.tornado_app.base import ApiHandler
from apps.tornado_app.waits import Sleep


class BlockInThread(ApiHandler):
    async def get(self) -> None:
        query = inbound.read_query(WaitQuery, self.getlist)
        await asyncio.to_thread(blocking.wait, query.ms)
        self.finish(domain.waited(query.ms))


app = create_app([(r"/io/sleep", Sleep), (r"/io/blocking", BlockInThread)])
