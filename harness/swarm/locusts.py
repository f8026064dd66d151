"""A Locust environment around a locustfile; imported only in processes of Locust's own, since it patches them."""

from __future__ import annotations

import logging
import random
import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass

import gevent
import locust
from locust import LoadTestShape, User, argument_parser
from locust.env import Environment
from locust.util.load_locustfile import load_locustfile

from harness.errors import UsageError
from harness.sampling import waited_for_cpu
from harness.swarm.messages import JourneyMeasurement
from harness.swarm.recorder import Recorder, error_kind

TICK_S = 0.25


@dataclass(frozen=True, slots=True)
class Users:
    """What a locustfile defines, and Locust's options at their defaults."""

    classes: list[type[User]]
    shape: LoadTestShape | None
    options: Namespace


def users_of(file: str, host: str, seed: int) -> Users:
    """Imports the file.

    Raises:
        UsageError: it defines no user, or raises where it is imported.
    """
    logging.getLogger("locust").setLevel(logging.ERROR)
    random.seed(seed)
    parser = argument_parser.get_empty_argument_parser()
    argument_parser.setup_parser_arguments(parser)  # type: ignore[no-untyped-call]
    try:
        *_, users, shapes = load_locustfile(file)
        locust.events.init_command_line_parser.fire(parser=parser)  # type: ignore[no-untyped-call]
    except Exception as error:
        raise UsageError(f"{file}: {type(error).__name__}: {error}", hint=f"try: locust -f {file} --list") from error
    if not users:
        raise UsageError(
            f"{file} defines no user", hint="see https://docs.locust.io/en/stable/writing-a-locustfile.html"
        )
    options = parser.parse(args=[])
    options.host = host
    return Users(list(users.values()), shapes[0] if shapes else None, options)


class Listening:
    """A recorder of an environment's requests and of what its tasks raise, and the CPU that this process uses."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self.recorder = Recorder()
        self._began = self._cpu = self._waited = self._seconds = 0.0
        environment.events.request.add_listener(self.recorder)  # type: ignore[no-untyped-call]
        environment.events.user_error.add_listener(self._raised)  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Listens no more."""
        self._environment.events.request.remove_listener(self.recorder)  # type: ignore[no-untyped-call]
        self._environment.events.user_error.remove_listener(self._raised)  # type: ignore[no-untyped-call]

    def begin(self) -> None:
        self._began, self._cpu, self._waited = time.perf_counter(), time.process_time(), waited_for_cpu()
        self.recorder.begin()

    def end(self) -> None:
        self.recorder.end()
        self._seconds = time.perf_counter() - self._began
        self._cpu, self._waited = time.process_time() - self._cpu, waited_for_cpu() - self._waited

    def measurement(self, users: int, interrupted: bool) -> JourneyMeasurement:
        return JourneyMeasurement(
            duration_s=self._seconds,
            latency_us=self.recorder.latency_us(),
            errors=dict(self.recorder.errors),
            examples=dict(self.recorder.examples),
            generator_cpu=self._cpu / max(self._seconds, 1e-9),
            generator_wait=self._waited / max(self._seconds, 1e-9),
            users=users,
            interrupted=interrupted,
        )

    def _raised(self, exception: BaseException, **_: object) -> None:
        self.recorder.errors[f"raised-{error_kind(exception)}"] += 1
        self.recorder.examples.setdefault(
            f"raised-{error_kind(exception)}", f"the locustfile raised {exception!r}"[:300]
        )


def wait(seconds: float, stopped: Callable[[], bool], tick: Callable[[], None]) -> None:
    """Let the users run for so long, or until ``stopped``; ``tick`` is called a few times a second."""
    ending = time.perf_counter() + seconds
    while not stopped() and (left := ending - time.perf_counter()) > 0:
        gevent.sleep(min(TICK_S, left))
        tick()
