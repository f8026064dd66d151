"""What memory a waiting request takes: requests held in ``GET /io/sleep``, and the server's memory meanwhile.

The server must be a fresh one: memory that earlier load has left free would hide what requests take. It is of no use
afterwards, as what it holds goes on for ``HOLD_MS``, one after the other where its capacity is small.
"""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import psutil

from harness.launch import Running
from harness.model import Failure, PlannedRequest, WindowRecord
from harness.sampling import ProcessGone, TreeClock
from harness.verify import case_of, exchange
from harness.wire import wire_request

STUDY = "waiting"
COUNTS = (100, 1000)
HOLD_MS = 10_000
"""Longer than it takes to open the connections and to look at the memory, and the longest that the contract allows."""
WARMUPS = 10
CONNECT_S = 1.0
STEP_S = 0.05
QUIET_SHARE = 0.05
QUIET_STEPS = 2
SETTLE_S = 4.0


def window_id(block: int, target: str, count: int) -> str:
    return f"b{block:02d}-{STUDY}-{target}-{count}"


def hold(running: Running, block: int, counts: Sequence[int] = COUNTS) -> Iterator[WindowRecord]:
    """A record for each of ``counts``, taken while so many requests wait: idle memory first, then step by step.

    ``figures`` are ``idle_bytes``, ``held_bytes``, ``connected`` and, where the system tells, ``accepted``: connections
    that the server's processes have taken over from the kernel's backlog.
    """
    held: list[socket.socket] = []
    try:
        _warm_up(running)
        tree = TreeClock(running.pid)
        _settle(tree)
        idle = tree.resident_bytes()
        for count in counts:
            began, started_at = time.monotonic(), datetime.now(UTC)
            _send(running, held, count)
            _settle(tree)
            figures = {"idle_bytes": idle, "held_bytes": tree.resident_bytes(), "connected": len(held)}
            accepted = _accepted(running.bind.port, tree)
            if accepted is not None:
                figures["accepted"] = accepted
            ended = _ended(held)
            failures = () if running.alive else (_died(running),)
            yield WindowRecord(
                id=window_id(block, running.target.name, count),
                block=block,
                attempt=0,
                study=STUDY,
                target=running.target.name,
                point="",
                engine="wire",
                setting={"requests": count, "ms": HOLD_MS},
                started_at=started_at.isoformat(timespec="milliseconds"),
                duration_s=time.monotonic() - began,
                planned=count,
                answered=0,
                errors={kind: n for kind, n in (("unconnected", count - len(held)), ("ended", ended)) if n},
                figures=figures,
                failures=failures,
            )
    finally:
        for connection in held:
            connection.close()


def _warm_up(running: Running) -> None:
    """What is loaded or started with the first requests is not theirs."""
    case = case_of(PlannedRequest("io-sleep", "", {"ms": 0}))
    for _ in range(WARMUPS):
        with contextlib.suppress(OSError):
            exchange(running.bind, case)


def _send(running: Running, held: list[socket.socket], count: int) -> None:
    """Opens connections until there are ``count``, each with a request; a backlog that is full ends it early."""
    bind = running.bind
    case = case_of(PlannedRequest("io-sleep", "", {"ms": HOLD_MS}))
    request = wire_request(case, f"{bind.host}:{bind.port}").data
    while len(held) < count:
        try:
            connection = socket.create_connection((bind.host, bind.port), timeout=CONNECT_S)
        except OSError:
            return
        held.append(connection)
        with contextlib.suppress(OSError):
            connection.sendall(request)


def _settle(tree: TreeClock) -> None:
    """Waits until the server has done with what came: some steps in a row in which it used next to no CPU."""
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
    mine = [each for each in connections if each.status == psutil.CONN_ESTABLISHED and each.pid in pids]
    return sum(each.laddr[1] == port for each in mine if each.laddr)


def _ended(held: Sequence[socket.socket]) -> int:
    """Connections on which something came already, a reply or the end: these do not wait."""
    if not hasattr(select, "poll"):
        return 0
    poller = select.poll()
    for connection in held:
        poller.register(connection, select.POLLIN)
    return len(poller.poll(0))


def _died(running: Running) -> Failure:
    message = f"the server died with requests waiting (exit code {running.process.poll()})"
    return Failure(running.target.name, "", "died", message, running.log())
