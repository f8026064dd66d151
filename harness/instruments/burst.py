"""Requests in volleys, each of them verified: what a count of instructions is divided by."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence

from harness.engine.checks import ReplyCheck, endless
from harness.engine.client import Connection, Pool
from harness.engine.spec import Address, WireRequest
from harness.errors import NotReadyError

PAUSE_S = 0.0005


class Burst:
    """Connections that stay open between bursts; to be made and used within one event loop.

    A request is sent on every connection at once, and the next ones when the server sleeps. Whether a request is there
    before a busy server looks for it would depend on what else the machine does, and so would the server's work.

    Args:
        pids: processes of the server.
    """

    def __init__(
        self,
        address: Address,
        requests: Sequence[WireRequest],
        connections: int,
        timeout_s: float,
        seed: int,
        pids: Sequence[int],
    ) -> None:
        self._next = endless([ReplyCheck(request) for request in requests], seed).__next__
        self._pool, self._pids = Pool(address, connections, self, timeout_s), pids
        self.close = self._pool.close
        self._in_flight, self._fault = 0, ""
        self._done: asyncio.Future[None]

    async def send(self, count: int) -> int:
        """Sends ``count`` requests, rounded up to whole volleys, and returns how many when the last reply was right.

        Raises:
            NotReadyError: a reply was wrong or did not come.
        """
        connections = self._pool.connections
        volleys = -(-count // len(connections))
        for _ in range(volleys):
            self._done, self._in_flight = asyncio.get_running_loop().create_future(), len(connections)
            for connection in connections:
                connection.send(self._next(), time.perf_counter())
            await self._pool.wait(self._done)
            if self._fault:
                raise NotReadyError(f"nothing was counted: {self._fault}")
            while not asleep(self._pids):
                await asyncio.sleep(PAUSE_S)
        return volleys * len(connections)

    def right(self, connection: Connection, moment: float) -> None:
        self._in_flight -= 1
        if not self._in_flight:
            self._done.set_result(None)

    def failed(self, connection: Connection, kind: str, detail: str) -> None:
        self._fault = self._fault or f"{kind}: {detail}"
        self.right(connection, 0.0)


def asleep(pids: Sequence[int]) -> bool:
    """Whether no thread of these processes has anything to do, seen twice, since one may wake another meanwhile."""
    return not any(_works(pid) for _ in range(2) for pid in pids)


def _works(pid: int) -> bool:
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/stat", "rb", buffering=0) as file:
                if file.read().rpartition(b")")[2][:2] in (b" R", b" D"):
                    return True
    except (FileNotFoundError, ProcessLookupError):
        pass
    return False
