"""Who the workers are, whether they are alive, and what their clocks say; inside the master's process."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gevent
from locust.runners import MasterRunner

from harness.errors import EngineError
from harness.swarm.network import BEAT_S, LOST_S, Beat, Hello, own_hello, pack, unpack

PINGS = 8
PING_S = 0.5


@dataclass(slots=True)
class Peer:
    """A worker as the master knows it; see ``reports.Member`` for what figures tell of it."""

    id: str
    index: int
    hello: Hello
    heard: float
    beat: Beat = field(default_factory=lambda: Beat(0, 0, 0.0, 0.0))
    offset_s: float = 0.0
    uncertain_s: float = math.inf
    lost: str = ""
    noticed_s: float = 0.0

    @property
    def name(self) -> str:
        return f"worker {self.index + 1} ({self.hello.host})"


class Roster:
    """Takes workers that are like this process, refuses others, and gives up those that fall silent.

    Args:
        tell: a text for whoever watches, and whether it is a warning.
    """

    def __init__(self, runner: MasterRunner, tell: Callable[[str, bool], None]) -> None:
        self._runner, self._tell = runner, tell
        self._own = own_hello()
        self._peers: dict[str, Peer] = {}
        for name in ("hello", "beat", "clock"):
            runner.register_message(name, getattr(self, f"_{name}"))
        gevent.spawn(self._watch)

    def present(self) -> list[Peer]:
        """Those that are not lost, in the order in which they joined."""
        return [peer for peer in self._peers.values() if not peer.lost]

    def peer(self, client: str) -> Peer | None:
        """The worker that a message is from, unless it is lost or was never taken."""
        peer = self._peers.get(client)
        return None if peer is None or peer.lost else peer

    def send(self, peer: Peer, name: str, value: object) -> None:
        self._runner.send_message(name, value if isinstance(value, dict) else pack(value), peer.id)

    def give_up(self, peer: Peer, why: str, noticed_s: float) -> None:
        """From now on nothing is taken from it: what it would still report cannot be counted a second time."""
        peer.lost, peer.noticed_s = why, noticed_s
        self._tell(f"{peer.name} is lost: {why}", True)

    def dismiss(self) -> None:
        """Tells every worker to leave."""
        for peer in self.present():
            self.send(peer, "leave", {})

    def read_clocks(self) -> None:
        """Offset of every worker's clock, from the quickest of some round trips."""
        for peer in self.present():
            peer.uncertain_s = math.inf
        for _ in range(PINGS):
            for peer in self.present():
                self.send(peer, "clock", {"t": time.perf_counter()})
            gevent.sleep(0.02)
        deadline = time.monotonic() + PING_S * 4
        while time.monotonic() < deadline and any(peer.uncertain_s == math.inf for peer in self.present()):
            gevent.sleep(0.02)

    def _hello(self, msg: Any, **_: object) -> None:
        try:
            hello = unpack(Hello, msg.data)
            reason = self._own.differs_from(hello)
        except EngineError as error:
            hello, reason = None, str(error)
        if hello is None or reason:
            host = "a worker" if hello is None else f"a worker on {hello.host}"
            self._runner.send_message("refused", {"reason": f"{reason}; install the same"}, msg.node_id)
            self._tell(f"{host} was refused: {reason}", True)
            return
        peer = Peer(msg.node_id, len(self._peers), hello, time.monotonic())
        self._peers[msg.node_id] = peer
        self.send(peer, "welcome", {"index": peer.index})
        self._tell(f"{peer.name} joined: Python {hello.python}, {hello.cpus} CPUs", False)

    def _beat(self, msg: Any, **_: object) -> None:
        known = self._peers.get(msg.node_id)
        if known is None:
            return
        if known.lost:
            self._runner.send_message("expelled", {}, msg.node_id)
            return
        known.heard, known.beat = time.monotonic(), unpack(Beat, msg.data)

    def _clock(self, msg: Any, **_: object) -> None:
        now = time.perf_counter()
        peer = self.peer(msg.node_id)
        if peer is None:
            return
        peer.heard = time.monotonic()
        half = (now - msg.data["t"]) / 2
        if half < peer.uncertain_s:
            peer.uncertain_s, peer.offset_s = half, msg.data["mine"] - (msg.data["t"] + half)

    def _watch(self) -> None:
        while True:
            gevent.sleep(BEAT_S)
            now = time.monotonic()
            for peer in self.present():
                self.send(peer, "beat", {})
                if now - peer.heard > LOST_S:
                    self.give_up(peer, f"no sign of life for {now - peer.heard:.1f} s", now - peer.heard)
                elif peer.beat.silent_s > LOST_S:
                    self.give_up(peer, f"its engine stalled for {peer.beat.silent_s:.1f} s", peer.beat.silent_s)
