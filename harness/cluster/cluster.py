"""Master and workers as the rest of the toolkit sees them: synchronous calls, processes that are always ended."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Self

from harness.cluster.options import ClusterOptions, given_secret
from harness.cluster.protocol import Load, Note, Open, Opened
from harness.engine.engine import EngineProcess, Fault, OnMark
from harness.engine.spec import OnProgress
from harness.journeys.files import journey_of
from harness.journeys.spec import JourneySpec
from harness.model.load import LoadResult

ANSWER_S = 180.0

Told = Callable[[str, bool], None]


class Cluster:
    """A master and its workers; a context manager.

    Args:
        told: hears of workers that join, are refused or are lost, and whether everybody should read it.
        join_s: how long workers of other machines are waited for.

    Attributes:
        secret: what workers must know to join: ``HARNESS_CLUSTER_SECRET``, or a new one.
        port: where they join.
    """

    def __init__(self, options: ClusterOptions, told: Told, join_s: float = 600.0) -> None:
        given = given_secret()
        self.secret = given or secrets.token_urlsafe(12)
        self.port = 0
        self._open, self._told = Open(options, self.secret, not given, join_s), told
        self.master = EngineProcess((), "harness.cluster.master")

    def __enter__(self) -> Self:
        try:
            self.master.wait_ready()
            self.master.send(self._open)
            while not self.port:
                message = self.master.receive(time.monotonic() + self._open.join_s + ANSWER_S)
                if isinstance(message, Fault):
                    raise message.error
                if isinstance(message, Opened):
                    self.port = message.port
                self._hear(message)
        except BaseException:
            self.master.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the master; the workers end with it."""
        self.master.close()

    def run_load(self, spec: Load, on_progress: OnProgress | None = None, on_mark: OnMark | None = None) -> LoadResult:
        """Send a load from all workers, after those of this machine that are lost were started again.

        A load that lost a worker has the reason ``worker-lost``: another try has all of its workers. Ctrl-C ends it
        early, within a second: the result is then marked ``interrupted``.

        Args:
            on_mark: told when the measured stretch begins and ends.

        Raises:
            UsageError: there are fewer connections than workers.
            EngineError: the master failed, a worker cannot do its part, or no worker is left.
        """

        if isinstance(spec, JourneySpec) and not spec.digest:
            spec = replace(spec, digest=journey_of(spec.file).digest)
        answer = self.master.carry_out(spec, on_progress, on_mark, self._hear, allowed_s=spec.longest_s + ANSWER_S)
        assert isinstance(answer, LoadResult)
        return answer

    def _hear(self, message: object) -> None:
        if isinstance(message, Note):
            self._told(message.text, message.important)
