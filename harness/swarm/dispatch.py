"""Loads and journeys of all workers together: shares, one moment of starting, what is lost, and the merge; inside the
master's process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import gevent
from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_STOPPED

from harness.errors import EngineError
from harness.load.pacing import schedule
from harness.load.spec import LoadSpec, Progress
from harness.swarm.distribution import merged
from harness.swarm.journeys import journey_of
from harness.swarm.locusts import users_of
from harness.swarm.messages import JourneyMeasurement, JourneySpec, Mark, OnLost
from harness.swarm.network import JourneyOrder, LoadOrder, LoadReport, Seen, Stretch, unpack
from harness.swarm.page import feed
from harness.swarm.reports import Member, SwarmMeasurement, merge_reports, shares, verdicts
from harness.swarm.roster import Peer, Roster

LEAD_S = 1.0
SLACK_S = 25.0
TICK_S = 0.1
PREPARE_S = 30.0

Send = Callable[[object], None]


class Dispatcher:
    """Carries out one order at a time."""

    def __init__(self, roster: Roster, environment: Environment, lost: OnLost) -> None:
        self._roster, self._environment, self._lost = roster, environment, lost
        self._order = 0
        self._stopped = False
        self._reports: dict[str, tuple[LoadReport, int]] = {}
        self._seen: dict[str, Seen] = {}
        self._prepared: set[str] = set()
        self._failed: dict[str, str] = {}
        runner = environment.runner
        assert runner is not None
        for name in ("report", "failed", "prepared", "seen"):
            runner.register_message(name, getattr(self, f"_on_{name}"))

    def stop(self) -> None:
        """End the order under way; what was measured is reported."""
        self._stopped = True

    def load(self, spec: LoadSpec, send: Send) -> SwarmMeasurement:
        """All workers begin their shares of ``spec`` at one moment.

        Raises:
            UsageError: there are fewer connections than workers.
            EngineError: there is no worker.
        """
        peers = self._begin()
        parts = shares(spec, len(peers))
        self._roster.read_clocks()
        start_at = time.perf_counter() + LEAD_S
        for peer, part in zip(peers, parts, strict=True):
            self._roster.send(peer, "load", LoadOrder(self._order, replace(part, start_at=start_at + peer.offset_s)))
        beginning = gevent.spawn_later(max(0.0, start_at - time.perf_counter()), send, Mark("begin"))
        self._page(spec, True)
        try:
            self._wait(peers, self._reports, LEAD_S + spec.duration_s + spec.timeout_s + SLACK_S, spec, send, start_at)
        finally:
            self._page(spec, False)
        beginning.kill()
        send(Mark("end"))
        began = time.perf_counter()
        reports = {number: self._reports[p.id][0] for number, p in enumerate(peers) if p.id in self._reports}
        report = merge_reports(list(reports.values())) if reports else None
        took = time.perf_counter() - began
        members = _members(peers)
        return SwarmMeasurement(
            members=members,
            reports=reports,
            report=report,
            lost_share=_lost_share(spec, [number for number in range(len(peers)) if number not in reports], len(peers)),
            reasons=verdicts(members, reports, without_lost=self._lost == "continue"),
            merge_s=took,
            report_bytes=sum(size for _, size in self._reports.values()),
            interrupted=self._stopped,
        )

    def journey(self, spec: JourneySpec, send: Send) -> JourneyMeasurement:
        """The users are divided among the workers by Locust itself.

        Raises:
            UsageError: the locustfile cannot be used.
            EngineError: a worker has not the same file, or there is none.
        """
        peers = self._begin()
        journey = journey_of(spec.file)
        users = users_of(spec.file, spec.host, spec.seed)
        environment = self._environment
        environment.user_classes[:] = users.classes
        environment.parsed_options, environment.host, environment.stop_timeout = users.options, spec.host, spec.grace_s
        for peer in peers:
            order = JourneyOrder(
                self._order, journey.name, journey.digest, spec.host, spec.seed + peer.index, spec.grace_s
            )
            self._roster.send(peer, "journey", order)
        deadline = time.monotonic() + PREPARE_S
        while not self._prepared >= {peer.id for peer in peers} and time.monotonic() < deadline:
            self._raise_failure(peers)
            gevent.sleep(TICK_S)
        self._roster.read_clocks()
        runner: Any = environment.runner
        spawning = gevent.spawn(runner.start, spec.users, max(1.0, 2 * spec.users / spec.warmup_s))
        begin_at = time.perf_counter() + spec.warmup_s
        end_at = begin_at + spec.duration_s
        for peer in peers:
            self._roster.send(peer, "stretch", Stretch(self._order, begin_at + peer.offset_s, end_at + peer.offset_s))
        self._until(begin_at, peers, send)
        send(Mark("begin"))
        self._until(end_at, peers, send)
        send(Mark("end"))
        count = runner.user_count
        spawning.kill()
        runner.stop()
        for peer in peers:
            if not peer.lost:
                self._roster.send(peer, "collect", {})
        self._wait(peers, self._seen, SLACK_S, None, send, end_at)
        return _joined([self._seen[peer.id] for peer in peers if peer.id in self._seen], peers, self._stopped, count)

    def _begin(self) -> list[Peer]:
        peers = self._roster.present()
        if not peers:
            raise EngineError("no worker is there", hint="start one: harness worker --master HOST")
        self._order += 1
        self._stopped = False
        self._reports, self._seen, self._prepared, self._failed = {}, {}, set(), {}
        return peers

    def _until(self, moment: float, peers: Sequence[Peer], send: Send) -> None:
        while time.perf_counter() < moment and not self._stopped and not self._given_up(peers):
            gevent.sleep(min(TICK_S, max(0.0, moment - time.perf_counter())))
            send(Progress("journey", 0.0, 0, sum(peer.beat.replies for peer in peers)))

    def _given_up(self, peers: Sequence[Peer]) -> bool:
        return self._lost == "invalid" and any(peer.lost for peer in peers)

    def _wait(
        self,
        peers: Sequence[Peer],
        answers: dict[str, Any],
        allowed_s: float,
        spec: LoadSpec | None,
        send: Send,
        start_at: float,
    ) -> None:
        """Until every worker that is not lost has answered; stopped early where one that is lost ends it all."""
        deadline = time.monotonic() + allowed_s
        told = False
        before = dict.fromkeys((peer.id for peer in peers), 0)
        while True:
            for peer in peers:
                if peer.id in self._failed and not peer.lost:
                    self._roster.give_up(peer, self._failed[peer.id], 0.0)
            waiting = [peer for peer in peers if not peer.lost and peer.id not in answers]
            if not waiting:
                return
            if time.monotonic() > deadline:
                for peer in waiting:
                    self._roster.give_up(peer, "it never reported", allowed_s)
                return
            if not told and (self._stopped or self._given_up(peers)):
                told = True
                for peer in waiting:
                    self._roster.send(peer, "stop", {"order": self._order})
            gevent.sleep(TICK_S)
            if spec is not None:
                send(Progress("load", time.perf_counter() - start_at, 0, self._replies(peers)))
                feed(self._environment, spec, [p for p in peers if p.beat.order == self._order], before)

    def _replies(self, peers: Sequence[Peer]) -> int:
        return sum(peer.beat.replies for peer in peers if peer.beat.order == self._order)

    def _raise_failure(self, peers: Sequence[Peer]) -> None:
        for peer in peers:
            if peer.id in self._failed:
                raise EngineError(f"{peer.name}: {self._failed[peer.id]}")

    def _page(self, spec: LoadSpec, running: bool) -> None:
        """Locust's web page says that something runs, though no user of its own does."""
        runner: Any = self._environment.runner
        if self._environment.web_ui is not None:
            if running:
                runner.stats.clear_all()
                runner.target_user_count = spec.connections
            runner.update_state(STATE_RUNNING if running else STATE_STOPPED)

    def _on_report(self, msg: Any, **_: object) -> None:
        peer = self._roster.peer(msg.node_id)
        if peer is not None and msg.data.get("order") == self._order and peer.id not in self._reports:
            self._reports[peer.id] = (unpack(LoadReport, msg.data), len(msg.serialize()))

    def _on_seen(self, msg: Any, **_: object) -> None:
        peer = self._roster.peer(msg.node_id)
        if peer is not None and msg.data.get("order") == self._order:
            self._seen.setdefault(peer.id, unpack(Seen, msg.data))

    def _on_prepared(self, msg: Any, **_: object) -> None:
        if msg.data.get("order") == self._order:
            self._prepared.add(msg.node_id)

    def _on_failed(self, msg: Any, **_: object) -> None:
        if msg.data.get("order") == self._order:
            self._failed[msg.node_id] = str(msg.data.get("message"))


def _members(peers: Sequence[Peer]) -> tuple[Member, ...]:
    return tuple(
        Member(number, p.hello.host, p.offset_s, p.uncertain_s, p.lost, p.noticed_s) for number, p in enumerate(peers)
    )


def _lost_share(spec: LoadSpec, missing: Sequence[int], count: int) -> float:
    """Of the load: requests of the schedule in an open loop, connections in a closed one."""
    if not missing:
        return 0.0
    if spec.rate is None:
        parts = shares(spec, count)
        return sum(parts[number].connections for number in missing) / spec.connections
    planned = schedule(spec.arrivals, spec.rate, spec.duration_s, spec.seed)
    return sum(len(planned[number::count]) for number in missing) / max(1, len(planned))


def _joined(parts: Sequence[Seen], peers: Sequence[Peer], stopped: bool, users: int) -> JourneyMeasurement:
    names = sorted({name for part in parts for name in part.latency})
    together = {name: merged(part.latency.get(name) for part in parts) for name in names}
    errors: dict[str, int] = {}
    for part in parts:
        for kind, count in part.errors.items():
            errors[kind] = errors.get(kind, 0) + count
    lost = [f"{peer.name} was lost: {peer.lost}" for peer in peers if peer.lost]
    return JourneyMeasurement(
        duration_s=max((part.duration_s for part in parts), default=0.0),
        latency_us={name: found.samples() for name, found in together.items() if found is not None},
        errors=errors,
        examples={kind: text for part in reversed(parts) for kind, text in part.examples.items()},
        generator_cpu=max((part.generator_cpu for part in parts), default=0.0),
        generator_wait=max((part.generator_wait for part in parts), default=0.0),
        users=users,
        interrupted=stopped,
        lost=tuple(lost),
    )
