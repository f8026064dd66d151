"""A worker's process: ``python -m harness.cluster.worker HOST PORT WAIT_S LOCUSTFILE KEEP``.

Locust carries the messages; the load itself is sent by a child of this process: the wire engine, or Locust's users.
"""

from __future__ import annotations

import locust  # isort: skip  (before all others: it patches sockets and threads)

import logging
import math
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import gevent
import numpy as np
from gevent.lock import BoundedSemaphore
from locust.env import Environment
from locust.runners import WorkerRunner

from harness.cluster.options import SECRET_VARIABLE, configured_secret
from harness.cluster.protocol import BEAT_S, ORPHAN_S, Beat, Order, own_hello, pack, read_once, unpack
from harness.cluster.sockets import use_secret
from harness.engine.engine import Engine
from harness.engine.spec import JourneySpec, Load, LoadSpec, Progress
from harness.errors import EngineError, HarnessError, NotReadyError
from harness.journeys.files import find_journeys, journey_of
from harness.journeys.process import Journeys
from harness.model.load import Latencies, LoadResult

CONNECT_STEP_S = 0.1
REFUSED = 3


class Runner(WorkerRunner):
    """Locust's, for the messages that this project's master sends; it runs no users of its own.

    Attributes:
        wait_s: how long to wait for the master.
    """

    wait_s = 0.0

    def connect_to_master(self) -> None:
        """Raises ``NotReadyError`` where none answers, or one that does not know the secret."""
        where, deadline = f"{self.master_host}:{self.master_port}", time.monotonic() + self.wait_s
        client: Any = self.client
        self.send_message("client_ready", locust.__version__)  # type: ignore[arg-type]
        while not self.connection_event.wait(CONNECT_STEP_S):
            if client.rejected:
                raise NotReadyError(f"what answers at {where} has another secret: check {SECRET_VARIABLE}")
            if time.monotonic() >= deadline:
                raise NotReadyError(f"no master answers at {where}; is it running, and is the port open?")
        self.connected = True

    def handle_message(self, msg: Any) -> None:
        if msg.type in ("ack", "heartbeat"):
            super().handle_message(msg)
        elif msg.type in self.custom_messages:
            listener, concurrent = self.custom_messages[msg.type]
            if concurrent:
                gevent.spawn(listener, msg=msg)
            else:
                listener(msg=msg)


class Worker:
    """What a master may ask of this process."""

    def __init__(self, runner: Runner, locustfile: str, keep: str) -> None:
        self._runner, self._locustfile, self._keep = runner, locustfile, keep
        self._starting = BoundedSemaphore()
        self._engine, self._journeys = Engine(), Journeys()
        self._prepared: tuple[int, Load, Engine] | None = None
        self._sending: Engine | None = None
        self._beat_of = Beat()
        self._last_progress = math.inf
        self._last_message = time.monotonic()
        self._joined = self._leaving = False
        for name in ("welcome", "beat", "clock", "halt", "dismissed"):
            runner.register_message(name, getattr(self, f"_{name}"))
        for name in ("prepare", "begin"):
            runner.register_message(name, getattr(self, f"_{name}"), concurrent=True)

    def serve(self) -> None:
        """Work until the master dismisses it, or is silent for too long."""
        self._send("hello", pack(own_hello()))
        while True:
            gevent.sleep(BEAT_S)
            if time.monotonic() - self._last_message > ORPHAN_S:
                self.end(f"the master is gone: it has been silent for {ORPHAN_S:g} s", REFUSED)
            if self._joined:
                silent = max(0.0, time.perf_counter() - self._last_progress)
                self._send("beat", pack(replace(self._beat_of, silent_s=silent)))

    def end(self, why: str, code: int) -> None:
        say(why)
        self._engine.close()
        self._journeys.close()
        # Not an orderly return: Locust's greenlets would keep the process.
        os._exit(code)

    def leave(self, why: str, code: int) -> None:
        """Tell the master and end, without waiting for its answer."""
        self._leaving = True
        self._send("leaving", {"why": why})
        gevent.sleep(0.1)
        self.end(why, code)

    def _welcome(self, msg: Any) -> None:
        self._last_message = time.monotonic()
        if not self._joined:
            self._joined = True
            say(f"joined as worker {msg.data['index'] + 1}")
            gevent.spawn(self._start, self._engine)

    def _beat(self, msg: Any) -> None:
        self._last_message = time.monotonic()

    def _clock(self, msg: Any) -> None:
        self._send("clock", {**msg.data, "mine": time.perf_counter()})

    def _dismissed(self, msg: Any) -> None:
        if self._leaving:
            return
        why = msg.data["why"]
        self.end(f"the master sent this worker away: {why}" if why else "the master is done", REFUSED if why else 0)

    def _prepare(self, msg: Any) -> None:
        order = unpack(Order, msg.data)
        try:
            load, engine = order.load, self._engine
            if isinstance(load, JourneySpec):
                load, engine = self._own(load), self._journeys
            self._start(engine)
            self._prepared = order.id, load, engine
            self._send("prepared", {"order": order.id})
        except HarnessError as error:
            self._fail(order.id, error)

    def _begin(self, msg: Any) -> None:
        if self._prepared is None or self._prepared[0] != msg.data["order"]:
            return
        (number, load, engine), self._prepared = self._prepared, None
        load = replace(load, start_at=msg.data["at"])
        name = load.requests[0].case.name if isinstance(load, LoadSpec) else "streams"

        def on_progress(progress: Progress) -> None:
            self._last_progress = max(self._last_progress, time.perf_counter())
            classes = progress.classes or {name: (progress.replies, 0, progress.latest_us)}
            self._beat_of = Beat(number, progress.replies, classes=classes)

        self._last_progress, self._sending, self._beat_of = msg.data["at"], engine, Beat(number)
        try:
            result = engine.run_load(load, on_progress)
            self._send("result", {"order": number, "result": result.to_json()})
            if self._keep:
                keep_latencies(Path(self._keep), number, result)
        except HarnessError as error:
            self._fail(number, error)
        finally:
            self._last_progress, self._sending = math.inf, None

    def _halt(self, msg: Any) -> None:
        self._prepared = None
        if self._sending is not None:
            self._sending.stop()

    def _own(self, spec: JourneySpec) -> JourneySpec:
        """The same journey in a file of this machine: no code crosses the network."""
        known = find_journeys()
        if self._locustfile:
            mine = journey_of(self._locustfile)
            known[mine.name] = mine
        name = Path(spec.file).stem
        journey = known.get(name)
        if journey is None or journey.digest != spec.digest:
            what = "has no such file" if journey is None else "has another text under that name"
            raise EngineError(f"journey {name!r}: the worker {what}; give it the file with --locustfile")
        return replace(spec, file=journey.file)

    def _start(self, engine: Engine) -> None:
        # Also called while it starts, and only one call may read its first message.
        with self._starting:
            engine.start()

    def _fail(self, number: int, error: Exception) -> None:
        self._send("failed", {"order": number, "why": str(error)})

    def _send(self, name: str, data: dict[str, Any]) -> None:
        self._runner.send_message(name, data)


def keep_latencies(folder: Path, order: int, result: LoadResult) -> None:
    """Every latency of an order, in microseconds, as ``order-<number>.npz``."""
    times = {"service_us": result.service_time_us, "response_us": result.response_time_us}
    times["lateness_us"] = result.lateness_us
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {name: each.samples() for name, each in times.items() if isinstance(each, Latencies)}
    np.savez(folder / f"order-{order}.npz", **arrays)


def say(text: str) -> None:
    print(f"harness worker: {text}", file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    host, port, wait_s, locustfile, keep = arguments
    logging.getLogger("locust").setLevel(logging.CRITICAL)
    ending: list[Worker] = []
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        gevent.signal_handler(number, _leave, ending, signal.Signals(number).name, code)
    try:
        use_secret(configured_secret())
        read_once()
        Runner.wait_s = float(wait_s)
        environment = Environment(user_classes=[], events=locust.events)
        runner: Any = environment._create_runner(Runner, host, int(port))
    except HarnessError as error:
        say(str(error))
        return error.exit_code
    ending.append(Worker(runner, locustfile, keep))
    ending[0].serve()
    return 0


def _leave(workers: list[Worker], name: str, code: int) -> None:
    for worker in workers:
        worker.leave(name, code)
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
