"""The memory of a waiting request: requests that wait in ``GET /io/sleep``, and the server's memory meanwhile.

The server must be a fresh one: memory that earlier load has left free would hide what requests take. It cannot be used
afterwards: its requests go on for as long as they ask, one after the other where its capacity is small.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import replace

import psutil

from harness.engine.clocks import ProcessGone, TreeClock
from harness.engine.spec import OnProgress
from harness.engine.wire import requests_to
from harness.model import PlannedRequest
from harness.serve import Running
from harness.session.meter import Meter
from harness.session.sender import Job, Sender, SendResult
from harness.session.turns import blank
from harness.studies.study import WaitingRequests
from harness.verify import case_of, exchange

WARMUPS = 10
CONNECT_S = 1.0
STEP_S = 0.05
QUIET_SHARE = 0.05
QUIET_STEPS = 2
SETTLE_S = 4.0


class WaitingSender(Sender):
    """Opens connections, each with a request that waits, and reads the server's memory; for one trial.

    ``figures`` are ``idle_bytes``, ``held_bytes``, ``connected`` and, where the system shows it, ``accepted``:
    connections that the server's processes have taken from the kernel's backlog.
    """

    def __init__(self) -> None:
        self._connections: list[socket.socket] = []
        self._idle = 0

    def send(self, job: Job, meter: Meter, on_progress: OnProgress) -> SendResult:
        assert job.spec is not None
        assert isinstance(job.spec.load, WaitingRequests)
        [side] = job.sides
        running, tree, load = job.servers[side.target], meter.tree(side.target), job.spec.load
        assert tree is not None
        if not self._connections:
            self._warm_up(running, load.request)
            _settle(tree)
            self._idle = tree.resident_bytes()
        meter.begin()
        self._open(running, load)
        _settle(tree)
        meter.end()
        figures = {"idle_bytes": self._idle, "held_bytes": tree.resident_bytes(), "connected": len(self._connections)}
        accepted = _accepted(running.bind.port, tree)
        if accepted is not None:
            figures["accepted"] = accepted
        lost = {"unconnected": load.connections - len(self._connections), "ended": _ended(self._connections)}
        errors = {kind: number for kind, number in lost.items() if number}
        count, result = load.connections, blank(side, {}, job.spec)
        return SendResult((replace(result, concurrency=count, planned=count, errors=errors, figures=figures),))

    def close(self) -> None:
        for connection in self._connections:
            connection.close()

    def _warm_up(self, running: Running, request: PlannedRequest) -> None:
        """So that what the first requests load or start is not counted as theirs."""
        case = case_of(replace(request, params={"ms": 0}))
        for _ in range(WARMUPS):
            with contextlib.suppress(OSError):
                exchange(running.bind, case)

    def _open(self, running: Running, load: WaitingRequests) -> None:
        """Opens connections until there are enough, each with a request; stops early if the backlog is full."""
        bind = running.bind
        [request] = requests_to(running, [load.request])
        while len(self._connections) < load.connections:
            try:
                connection = socket.create_connection((bind.host, bind.port), timeout=CONNECT_S)
            except OSError:
                return
            self._connections.append(connection)
            with contextlib.suppress(OSError):
                connection.sendall(request.data)


def _settle(tree: TreeClock) -> None:
    """Waits until the server is idle: some steps in a row in which it used next to no CPU."""
    quiet, deadline = 0, time.monotonic() + SETTLE_S
    while quiet < QUIET_STEPS and time.monotonic() < deadline:
        try:
            tree.refresh()
            before = tree.cpu()
            time.sleep(STEP_S)
            quiet = quiet + 1 if tree.cpu() - before < QUIET_SHARE * STEP_S else 0
        except ProcessGone:
            return


def _accepted(port: int, tree: TreeClock) -> int | None:
    try:
        connections = psutil.net_connections("tcp")
    except psutil.Error:
        return None
    pids = set(tree.pids)
    established = [each for each in connections if each.status == psutil.CONN_ESTABLISHED and each.pid in pids]
    return sum(each.laddr[1] == port for each in established if each.laddr)


def _ended(connections: Sequence[socket.socket]) -> int:
    """How many connections have a reply or were closed: these do not wait."""
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
        return len(selector.select(0))
