"""The master's process: ``python -m harness.cluster.master FD``. Orders come from a socket, workers from a port.

Every worker prepares its part of a load; then all begin at one moment, and what they report is merged.
"""

from __future__ import annotations

import locust  # isort: skip  (before all others: it patches sockets and threads)

import logging
import math
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

import gevent
from gevent.socket import wait_read
from locust.env import Environment
from locust.runners import MasterRunner

from harness.cluster.members import REJOIN_S, Member, Members
from harness.cluster.options import DEFAULT_PORT, LIVE_PORT, SECRET_VARIABLE, ClusterOptions
from harness.cluster.page import Page
from harness.cluster.protocol import Open, Order, pack, read_once
from harness.cluster.sockets import use_secret
from harness.engine.engine import Fault, Note, Signal
from harness.engine.spec import JourneySpec, Load, Progress
from harness.errors import EngineError, NotReadyError, UsageError
from harness.model.load import LoadResult, WorkerShare
from harness.model.reason import Reason
from harness.model.units import number_of

PREPARE_S = 60.0
LEAD_S = 1.0
SLACK_S = 35.0
HALTED_S = 5.0
TICK_S = 0.05
SKEW_S = 0.05
"""Workers whose clocks may be further apart than this did not begin together."""


class Runner(MasterRunner):
    """Locust's runner, for the messages of this project's workers; none of them can end it."""

    rejected = 0

    def handle_message(self, client_id: str, msg: Any) -> None:
        try:
            if msg.type in ("client_ready", "heartbeat"):
                super().handle_message(client_id, msg)
            elif msg.type in self.custom_messages:
                self.custom_messages[msg.type][0](msg=msg)
        except Exception:
            # From a worker that knows the secret but not this protocol; no message of it may end the master.
            self.rejected += 1


class Master:
    """Serves one parent."""

    def __init__(self, connection: Connection[Any, Any]) -> None:
        self._connection = connection
        self._environment = Environment(user_classes=[], events=locust.events)
        self._options = ClusterOptions()
        self._members: Members | None = None
        self._stopped = False
        self._order = 0
        self._prepared: set[str] = set()
        self._results: dict[str, LoadResult] = {}
        self._failed: dict[str, str] = {}

    def serve(self) -> None:
        """Serve until the parent is gone; then dismiss the workers."""
        self._connection.send(Signal.READY)
        while True:
            wait_read(self._connection.fileno())
            try:
                message = self._connection.recv()
            except (EOFError, OSError):
                self._leave()
            self._stopped = message is Signal.STOP
            if not self._stopped:
                # In a greenlet of its own, since a stop may come meanwhile.
                gevent.spawn(self._answer, message)

    def _answer(self, order: Any) -> None:
        try:
            answer: object = self._open(order) if isinstance(order, Open) else self._load(order)
        except Exception as error:
            answer = Fault.of(error)
        self._connection.send(answer)

    def _open(self, order: Open) -> int:
        """Wait for all workers; returns the port where they connect."""
        options = order.options
        use_secret(order.secret)
        port = options.port if options.port is not None else DEFAULT_PORT if options.join else 0
        try:
            runner: Any = self._environment._create_runner(Runner, options.host, port)
        except (SystemExit, Exception) as error:
            why = "the port is in use" if isinstance(error, SystemExit) else error
            hint = "choose another --port, or end what listens there"
            raise EngineError(f"workers cannot join at {options.host}:{port}: {why}", hint=hint) from None
        page = self._environment.create_web_ui("127.0.0.1", LIVE_PORT) if options.live else None
        self._environment.events.init.fire(environment=self._environment, runner=runner, web_ui=page)  # type: ignore[no-untyped-call]
        for name in ("prepared", "result", "failed"):
            runner.register_message(name, self._on_reply)
        self._options, port = options, int(runner.server.port)
        self._members = Members(runner, options, order.secret, self._connection.send)
        if options.join:
            secret = f"{SECRET_VARIABLE}={order.secret} " if order.show_secret else f"with the same {SECRET_VARIABLE}: "
            text = f"start there: {secret}harness worker --master {options.listen or 'HOST'}:{port}"
            self._connection.send(Note(f"waiting for {options.join} more; {text}", important=order.show_secret))
        if not self._members.gather(order.join_s, lambda: False):
            joined = f"{len(self._members.present())} of {number_of(options.count, 'worker')}"
            raise NotReadyError(
                f"only {joined} joined within {order.join_s:g} s",
                hint="is the port open, and do the workers name this machine and know its secret?",
            )
        return port

    def _load(self, load: Load) -> LoadResult:
        """Have all workers begin their parts at one moment."""
        assert self._members is not None
        self._members.gather(REJOIN_S, lambda: self._stopped)
        members = self._members.present()
        if not members:
            raise EngineError("no worker is there", hint="start one: harness worker --master HOST")
        if load.connections < len(members):
            what = number_of(load.connections, "user" if isinstance(load, JourneySpec) else "connection")
            raise UsageError(f"{what} cannot be shared by {len(members)} workers", hint="use fewer workers")
        self._order, self._prepared, self._results, self._failed = self._order + 1, set(), {}, {}
        rejected = self._members.rejected
        parts = {member.id: load.part(number, len(members)) for number, member in enumerate(members)}
        page = Page(self._environment, load.connections)
        try:
            self._prepare(self._members, members, parts)
            self._send(self._members, members, load, page)
        finally:
            page.close()
            for member in members:
                self._members.send(member, "halt", {"order": self._order})
        results = [_part(self._results.get(m.id), m, parts[m.id], load, self._needs_all_workers) for m in members]
        merged = LoadResult.merge(results)
        reasons = (*merged.reasons, *_mismatches(members, self._results))
        rejected = self._members.rejected - rejected
        return replace(merged, reasons=reasons, interrupted=self._stopped, rejected_messages=rejected)

    def _prepare(self, all_members: Members, members: Sequence[Member], parts: Mapping[str, Load]) -> None:
        for member in members:
            all_members.send(member, "prepare", pack(Order(self._order, parts[member.id])))
        deadline = time.monotonic() + PREPARE_S
        while waiting := [m for m in members if not m.lost and m.id not in self._prepared]:
            for member in waiting:
                if member.id in self._failed:
                    raise EngineError(f"{member.name}: {self._failed[member.id]}")
                if time.monotonic() > deadline:
                    all_members.give_up(member, f"it was not ready after {PREPARE_S:.0f} s", PREPARE_S)
            if self._halting(members):
                return
            gevent.sleep(TICK_S)

    def _send(self, all_members: Members, members: Sequence[Member], load: Load, page: Page) -> None:
        """All begin; returns when each has reported or is lost."""
        if self._halting(members):
            return
        all_members.read_clocks(members)
        start_at = time.perf_counter() + LEAD_S
        for member in members:
            if not member.lost:
                all_members.send(member, "begin", {"order": self._order, "at": start_at + member.offset_s})
        marks = [(start_at, Signal.BEGIN), (math.inf, Signal.END)]
        if isinstance(load, JourneySpec):
            begins = start_at + load.warmup_s
            marks = [(begins, Signal.BEGIN), (begins + load.duration_s, Signal.END)]
        deadline, halted = start_at + load.longest_s + SLACK_S, False
        while waiting := [m for m in members if not m.lost and m.id not in self._results]:
            now = time.perf_counter()
            if not halted and self._halting(members):
                halted, deadline = True, now + HALTED_S
                for member in waiting:
                    all_members.send(member, "halt", {"order": self._order})
            for member in waiting:
                if member.id in self._failed:
                    all_members.give_up(member, self._failed[member.id])
                elif now > deadline:
                    all_members.give_up(member, "it never reported", now - deadline)
            while marks and marks[0][0] <= now:
                self._connection.send(marks.pop(0)[1])
            beats = [m.beat for m in members if m.beat.order == self._order]
            self._connection.send(Progress(now - start_at, 0, sum(beat.replies for beat in beats)))
            page.feed(members, self._order)
            gevent.sleep(min([TICK_S, *(max(0.0, moment - now) for moment, _ in marks)]))
        for _, mark in marks:
            self._connection.send(mark)

    def _halting(self, members: Sequence[Member]) -> bool:
        lost = any(member.lost and member.id not in self._results for member in members)
        return self._stopped or (lost and self._needs_all_workers)

    @property
    def _needs_all_workers(self) -> bool:
        return self._options.on_lost == "invalid"

    def _on_reply(self, msg: Any) -> None:
        """A worker's message about the order under way."""
        if msg.data["order"] != self._order:
            return
        if msg.type == "prepared":
            self._prepared.add(msg.node_id)
        elif msg.type == "failed":
            self._failed[msg.node_id] = str(msg.data["why"])
        else:
            self._results.setdefault(msg.node_id, LoadResult.from_json(msg.data["result"]))

    def _leave(self) -> None:
        if self._members is not None:
            self._members.dismiss()
        # Not an orderly return: Locust's greenlets would keep the process.
        os._exit(0)


def _part(result: LoadResult | None, member: Member, part: Load, whole: Load, unsound: bool) -> LoadResult:
    """A worker's result as a part of the whole; where it is lost, one that says so."""
    uncertain = member.uncertain_s if member.uncertain_s < math.inf else None
    share = WorkerShare(member.name, part.connections, clock_offset_s=member.offset_s, clock_uncertain_s=uncertain)
    if result is None:
        lost = Reason("worker-lost", {"worker": member.name, "why": member.lost})
        return LoadResult(
            loop=whole.loop,
            connections=part.connections,
            duration_s=0.0,
            elapsed_s=0.0,
            reasons=(lost,) if member.lost and unsound else (),
            workers=(replace(share, lost=member.lost, noticed_s=member.noticed_s),),
            lost_share=part.connections / whole.connections if member.lost else 0.0,
        )
    names = ("planned", "answered", "throughput_rps", "generator_cpu", "generator_wait")
    share = replace(share, **{name: getattr(result, name) for name in names})
    reasons = tuple(reason.plus(worker=member.name) for reason in result.reasons)
    return replace(result, reasons=reasons, workers=(share,))


def _mismatches(members: Sequence[Member], results: Mapping[str, LoadResult]) -> list[Reason]:
    """Why the parts do not make one load."""
    reasons = [
        Reason("clock-uncertain", {"worker": member.name, "off_s": member.uncertain_s})
        for member in members
        if member.id in results and SKEW_S < member.uncertain_s < math.inf
    ]
    whole = [result.duration_s for result in results.values()]
    if whole and max(whole) - min(whole) > SKEW_S + 0.01 * max(whole):
        reasons.append(Reason("uneven", {"shortest_s": min(whole), "longest_s": max(whole)}))
    if all(member.lost for member in members) and not results:
        reasons.append(Reason("no-worker"))
    return reasons


if __name__ == "__main__":
    logging.getLogger("locust").setLevel(logging.CRITICAL)
    logging.getLogger().setLevel(logging.CRITICAL)
    read_once()
    Master(Connection(int(sys.argv[1]))).serve()
