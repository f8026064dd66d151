"""Locust in a process of its own, for one journey: ``python -m harness.journeys.child FD``.

It takes its order from a socket and answers there, like the wire engine's process, and ends when its parent does.
"""

from __future__ import annotations

import locust  # isort: skip  (before all others: it patches sockets and threads)

import logging
import os
import random
import sys
import time
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

import gevent
from gevent.socket import wait_read
from locust import LoadTestShape, User, argument_parser
from locust.env import Environment
from locust.util.load_locustfile import load_locustfile

from harness.engine import soundness
from harness.engine.engine import Fault, Signal, received
from harness.engine.spec import JourneySpec, part_of
from harness.engine.tally import GeneratorUse
from harness.errors import UsageError
from harness.journeys.recorder import Recorder
from harness.model.load import LoadResult

TICK_S = 0.1
KILL_S = 1.0
"""How long users may take to end once they were killed."""


class Child:
    """Serves one parent."""

    def __init__(self, connection: Connection[Any, Any]) -> None:
        self._connection = connection
        self._recorder = Recorder()
        self._stopped = False

    def serve(self) -> None:
        self._connection.send(Signal.READY)
        spec = self._next()
        gevent.spawn(self._attend)
        try:
            result = replace(self._carry_out(spec), interrupted=self._stopped)
            answer: LoadResult | Fault = replace(result, reasons=soundness.reasons(result))
        except Exception as error:
            answer = Fault.of(error)
        self._connection.send(answer)

    def _carry_out(self, spec: JourneySpec) -> LoadResult:
        environment = environment_of(spec)
        environment.events.request.add_listener(self._recorder)  # type: ignore[no-untyped-call]
        environment.events.user_error.add_listener(self._recorder.raised)  # type: ignore[no-untyped-call]
        runner = environment.create_local_runner()
        environment.events.init.fire(environment=environment, runner=runner, web_ui=None)  # type: ignore[no-untyped-call]
        start_at = time.perf_counter() if spec.start_at is None else spec.start_at
        self._wait(start_at)
        if environment.shape_class is not None:
            runner.start_shape()
        elif spec.users:
            runner.start(spec.users, spawn_rate=max(1.0, 2 * spec.users / spec.warmup_s))
        self._wait(start_at + spec.warmup_s)
        self._connection.send(Signal.BEGIN)
        use, began = GeneratorUse(), time.perf_counter()
        self._recorder.counting = True
        self._wait(start_at + spec.warmup_s + spec.duration_s)
        self._recorder.counting = False
        seconds = time.perf_counter() - began
        shares = use.shares(seconds)
        self._connection.send(Signal.END)
        if self._stopped:
            environment.stop_timeout = 0.0
        ending = gevent.spawn(runner.stop)
        # A user that catches GreenletExit, as a bare except does, goes on: this process ends without it.
        deadline = time.perf_counter() + environment.stop_timeout + KILL_S
        while not ending.ready() and time.perf_counter() < deadline:
            # Who ends its users is not dead, which silence would mean.
            self._connection.send(self._recorder.progress())
            ending.join(TICK_S)
        return self._recorder.result(spec, seconds, shares)

    def _wait(self, moment: float) -> None:
        """Let the users run until then, or until this is stopped."""
        while not self._stopped and (left := moment - time.perf_counter()) > 0:
            gevent.sleep(min(TICK_S, left))
            self._connection.send(self._recorder.progress())

    def _attend(self) -> None:
        while True:
            self._stopped = self._next() is Signal.STOP

    def _next(self) -> Any:
        wait_read(self._connection.fileno())
        return received(self._connection)


def environment_of(spec: JourneySpec) -> Environment:
    """The locustfile, imported, with Locust's options at their defaults, and this part of its users.

    Raises:
        UsageError: it defines no user, or raises where it is imported.
    """
    logging.getLogger("locust").setLevel(logging.ERROR)
    random.seed(spec.seed)
    parser = argument_parser.get_empty_argument_parser()
    argument_parser.setup_parser_arguments(parser)  # type: ignore[no-untyped-call]
    # Last, so that no module of the user's own hides one that this process needs.
    sys.path.append(os.getcwd())
    try:
        *_, users, shapes = load_locustfile(spec.file)
        locust.events.init_command_line_parser.fire(parser=parser)  # type: ignore[no-untyped-call]
    except Exception as error:
        hint = f"try: locust -f {spec.file} --list"
        raise UsageError(f"{spec.file}: {type(error).__name__}: {error}", hint=hint) from error
    if not users:
        hint = "see https://docs.locust.io/en/stable/writing-a-locustfile.html"
        raise UsageError(f"{spec.file} defines no user", hint=hint)
    options = parser.parse(args=[])
    options.host = spec.host
    return Environment(
        user_classes=[user for user in users.values() if _takes_part(user, spec)],
        shape_class=_part_of(shapes[0], spec) if shapes else None,
        events=locust.events,
        host=spec.host,
        stop_timeout=spec.grace_s,
        parsed_options=options,
    )


def _takes_part(user: type[User], spec: JourneySpec) -> bool:
    """Whether this part has users of the class; a number that the locustfile fixes becomes this part's."""
    if not user.fixed_count:
        return True
    user.fixed_count = part_of(user.fixed_count, spec.share, spec.shares)
    return user.fixed_count > 0


def _part_of(shape: LoadTestShape, spec: JourneySpec) -> LoadTestShape:
    """The shape, with this part of its users."""
    whole = shape.tick

    def tick() -> Any:
        stage = whole()
        if stage is None:
            return None
        users, rate, *classes = stage
        return part_of(users, spec.share, spec.shares), rate / spec.shares, *classes

    shape.tick = tick  # type: ignore[method-assign]
    return shape


if __name__ == "__main__":
    Child(Connection(int(sys.argv[1]))).serve()
