"""One more load machine: ``python -m harness.swarm.worker HOST PORT``, which ``harness worker`` becomes.

Locust carries the messages; the load itself is sent by the wire engine, a child of this process, or by Locust's users.
"""

from __future__ import annotations

import locust  # isort: skip  (before all others: it patches sockets and threads)

import argparse
import logging
import math
import os
import sys
import time
from pathlib import Path
from typing import Any

import gevent
import numpy as np
from locust import runners
from locust.env import Environment

from harness.errors import EngineError, HarnessError
from harness.load.process import EngineProcess
from harness.load.spec import LoadMeasurement, Progress
from harness.swarm.distribution import distribution
from harness.swarm.journeys import find_journeys, journey_of
from harness.swarm.locusts import Listening, users_of
from harness.swarm.network import (
    BEAT_S,
    ORPHAN_S,
    Beat,
    JourneyOrder,
    LoadOrder,
    Seen,
    Stretch,
    own_hello,
    pack,
    unpack,
)
from harness.swarm.reports import report_of

SLACK_S = 20.0
REFUSED, LEFT = 3, 0


class Worker:
    """What a master may ask of this process."""

    def __init__(self, runner: runners.WorkerRunner, locustfile: str, keep: str) -> None:
        self._runner, self._locustfile, self._keep = runner, locustfile, keep
        self._engine: EngineProcess | None = None
        self._listening: Listening | None = None
        self._order = self._replies = 0
        self._latest_us = 0.0
        self._spoke = math.inf
        self._heard = time.monotonic()
        self._joined = False
        for name in ("welcome", "refused", "beat", "clock", "stretch", "stop", "collect", "expelled", "leave"):
            runner.register_message(name, getattr(self, f"_{name}"))
        for name in ("load", "journey"):
            runner.register_message(name, getattr(self, f"_{name}"), concurrent=True)

    def serve(self) -> None:
        """Until the master says so, or is silent for too long."""
        self._runner.send_message("hello", pack(own_hello()))
        while True:
            gevent.sleep(BEAT_S)
            if time.monotonic() - self._heard > ORPHAN_S:
                self._end("the master is gone: nothing heard of it any more", REFUSED)
            if self._joined:
                silent = max(0.0, time.perf_counter() - self._spoke)
                users = 0 if self._listening is None else self._listening.recorder.replies
                self._send("beat", Beat(self._order, self._replies or users, self._latest_us, silent))

    def _welcome(self, msg: Any, **_: object) -> None:
        self._heard = time.monotonic()
        if not self._joined:
            self._joined = True
            say(f"joined as worker {msg.data['index'] + 1}")
            gevent.spawn(self._started)

    def _refused(self, msg: Any, **_: object) -> None:
        self._end(f"the master refused this worker: {msg.data['reason']}", REFUSED)

    def _beat(self, **_: object) -> None:
        self._heard = time.monotonic()

    def _clock(self, msg: Any, **_: object) -> None:
        self._runner.send_message("clock", {**msg.data, "mine": time.perf_counter()})

    def _expelled(self, **_: object) -> None:
        self._end("the master took this worker for lost", REFUSED)

    def _leave(self, **_: object) -> None:
        self._end("the master is done", LEFT)

    def _load(self, msg: Any, **_: object) -> None:
        order = unpack(LoadOrder, msg.data)
        self._order, self._replies = order.id, 0
        try:
            engine = self._started()
            begin = order.spec.start_at or time.perf_counter()
            self._spoke = begin
            engine.order(order.spec)
            allowed = max(0.0, begin - time.perf_counter()) + order.spec.duration_s + order.spec.timeout_s + SLACK_S
            answer = engine.answer(self._progress, time.monotonic() + allowed)
            assert isinstance(answer, LoadMeasurement)
            self._send("report", report_of(order.id, answer, order.spec.connections))
            if self._keep:
                keep_samples(Path(self._keep), order.id, answer)
        except EngineError as error:
            self._close()
            self._runner.send_message("failed", {"order": order.id, "message": str(error)})
        finally:
            self._spoke = math.inf

    def _progress(self, progress: Progress) -> None:
        self._spoke = max(self._spoke, time.perf_counter())
        self._replies, self._latest_us = progress.replies, progress.latest_us

    def _stop(self, msg: Any, **_: object) -> None:
        if self._engine is not None and self._spoke < math.inf:
            self._engine.stop()

    def _journey(self, msg: Any, **_: object) -> None:
        order = unpack(JourneyOrder, msg.data)
        self._order, self._replies = order.id, 0
        try:
            known = find_journeys()
            if self._locustfile:
                own = journey_of(self._locustfile)
                known[own.name] = own
            journey = known.get(order.name)
            if journey is None or journey.digest != order.digest:
                what = "has no such file" if journey is None else "has another text under that name"
                raise EngineError(f"journey {order.name!r}: the worker {what}; give it the file with --locustfile")
            users = users_of(journey.file, order.host, order.seed)
            environment = self._runner.environment
            environment.user_classes[:] = users.classes
            environment.parsed_options, environment.stop_timeout = users.options, order.grace_s
            if self._listening is not None:
                self._listening.close()
            self._listening = Listening(environment)
            self._runner.send_message("prepared", {"order": order.id})
        except HarnessError as error:
            self._runner.send_message("failed", {"order": order.id, "message": str(error)})

    def _stretch(self, msg: Any, **_: object) -> None:
        stretch = unpack(Stretch, msg.data)
        listening = self._listening
        if listening is not None:
            gevent.spawn_later(max(0.0, stretch.begin_at - time.perf_counter()), listening.begin)
            gevent.spawn_later(max(0.0, stretch.end_at - time.perf_counter()), listening.end)

    def _collect(self, msg: Any, **_: object) -> None:
        listening = self._listening
        if listening is None:
            return
        came = listening.measurement(self._runner.user_count, False)
        found = {name: distribution(samples) for name, samples in came.latency_us.items()}
        seen = Seen(
            order=self._order,
            latency={name: each for name, each in found.items() if each is not None},
            errors=came.errors,
            examples=came.examples,
            generator_cpu=came.generator_cpu,
            generator_wait=came.generator_wait,
            duration_s=came.duration_s,
        )
        self._send("seen", seen)

    def _started(self) -> EngineProcess:
        if self._engine is None:
            self._engine = EngineProcess(())
            self._engine.wait_ready()
        return self._engine

    def _close(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def _send(self, name: str, value: object) -> None:
        self._runner.send_message(name, pack(value))

    def _end(self, why: str, code: int) -> None:
        say(why)
        self._close()
        # Not an orderly return: Locust's greenlets would keep the process, and a message under way is of no use.
        os._exit(code)


def keep_samples(folder: Path, order: int, measured: LoadMeasurement) -> None:
    """Every latency of the order, in microseconds, as ``order-<number>.npz``."""
    arrays = {
        "service_us": measured.service_time_us,
        "response_us": measured.response_time_us,
        "lateness_us": measured.lateness_us,
    }
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / f"order-{order}.npz", **{name: values for name, values in arrays.items() if values is not None})  # type: ignore[arg-type]


def say(text: str) -> None:
    print(f"harness worker: {text}", file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m harness.swarm.worker")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--wait", type=float, default=60.0, help="seconds to wait for the master")
    parser.add_argument("--locustfile", default="")
    parser.add_argument("--keep", default="", help="folder for every latency of every order")
    options = parser.parse_args(arguments)
    logging.getLogger("locust").setLevel(logging.CRITICAL)
    runners.CONNECT_TIMEOUT = 1
    runners.CONNECT_RETRY_COUNT = max(1, math.ceil(options.wait))
    environment = Environment(user_classes=[], events=locust.events)
    try:
        runner = environment.create_worker_runner(options.host, options.port)
    except ConnectionError:
        say(f"no master answers at {options.host}:{options.port}; is it running, and is the port open?")
        return REFUSED
    try:
        Worker(runner, options.locustfile, options.keep).serve()
    except KeyboardInterrupt:
        say("interrupted")
        os._exit(130)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
