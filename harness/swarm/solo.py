"""Locust in a process of its own, for one journey: ``python -m harness.swarm.solo FD [CPU,CPU…]``.

It takes orders from a socket and answers there, like the wire engine's process, and ends when its parent does.
"""

from __future__ import annotations

import locust  # isort: skip  (before all others: it patches sockets and threads)

import os
import sys
import time
import traceback
from multiprocessing.connection import Connection
from typing import Any

import gevent
from gevent.socket import wait_read
from locust.env import Environment

from harness.errors import UsageError
from harness.load.messages import Fault, Ready, Stop
from harness.load.spec import Progress
from harness.swarm.locusts import Listening, users_of, wait
from harness.swarm.messages import JourneyMeasurement, JourneySpec, Mark


class Solo:
    """Serves one parent."""

    def __init__(self, connection: Connection[Any, Any]) -> None:
        self._connection = connection
        self._stopped = False

    def serve(self) -> None:
        self._connection.send(Ready())
        order = self._next()
        gevent.spawn(self._attend)
        try:
            answer: JourneyMeasurement | Fault = self.carry_out(order)
        except UsageError as error:
            answer = Fault(str(error), error.hint)
        except Exception as error:
            answer = Fault(f"{type(error).__name__}: {error}", traceback.format_exc())
        self._connection.send(answer)

    def carry_out(self, spec: JourneySpec) -> JourneyMeasurement:
        users = users_of(spec.file, spec.host, spec.seed)
        environment = Environment(
            user_classes=users.classes,
            shape_class=users.shape,
            events=locust.events,
            host=spec.host,
            stop_timeout=spec.grace_s,
            parsed_options=users.options,
        )
        runner = environment.create_local_runner()
        listening = Listening(environment)
        if spec.live_port:
            environment.create_web_ui("127.0.0.1", spec.live_port)
        environment.events.init.fire(environment=environment, runner=runner, web_ui=environment.web_ui)  # type: ignore[no-untyped-call]
        began = time.perf_counter()

        def tick() -> None:
            self._connection.send(Progress("journey", time.perf_counter() - began, 0, listening.recorder.replies))

        if environment.shape_class is not None:
            runner.start_shape()
        else:
            runner.start(spec.users, spawn_rate=max(1.0, 2 * spec.users / spec.warmup_s))
        wait(spec.warmup_s, lambda: self._stopped, tick)
        self._connection.send(Mark("begin"))
        listening.begin()
        wait(spec.duration_s, lambda: self._stopped, tick)
        listening.end()
        self._connection.send(Mark("end"))
        running = runner.user_count
        runner.stop()
        return listening.measurement(running, self._stopped)

    def _attend(self) -> None:
        while True:
            if isinstance(self._next(), Stop):
                self._stopped = True

    def _next(self) -> Any:
        wait_read(self._connection.fileno())
        try:
            return self._connection.recv()
        except (EOFError, OSError):
            # Not an orderly return: users may be at it, and nobody is there to hear of it.
            os._exit(0)


def main(arguments: list[str]) -> None:
    if len(arguments) > 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, map(int, arguments[1].split(",")))
    Solo(Connection(int(arguments[0]))).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
