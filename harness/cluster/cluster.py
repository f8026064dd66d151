"""Master and workers as the rest of the toolkit sees them: synchronous calls, processes that are always ended."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Self

from harness.cluster.options import ClusterOptions, configured_secret
from harness.cluster.protocol import Open
from harness.engine.engine import EngineProcess, OnMark, OnNote, ignore
from harness.engine.spec import JourneySpec, Load, OnProgress
from harness.journeys.files import journey_of
from harness.model.load import LoadResult

ANSWER_S = 180.0


class Cluster:
    """A master and its workers; a context manager.

    Args:
        on_note: called when a worker joins, is refused or is lost; see ``Note``.
        join_s: how long to wait for workers of other machines.

    Attributes:
        secret: what workers must know to join: ``HARNESS_CLUSTER_SECRET``, or a new one.
        port: where they join.
    """

    def __init__(self, options: ClusterOptions, on_note: OnNote, join_s: float = 600.0) -> None:
        configured = configured_secret()
        self.secret = configured or secrets.token_urlsafe(12)
        self.port = 0
        self._open, self._on_note = Open(options, self.secret, not configured, join_s), on_note
        self.master = EngineProcess((), "harness.cluster.master")

    def __enter__(self) -> Self:
        allowed_s = self._open.join_s + ANSWER_S
        try:
            self.port = self.master.carry_out(self._open, on_note=self._on_note, allowed_s=allowed_s, stoppable=False)
        except BaseException:
            self.master.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the master; the workers end with it."""
        self.master.close()

    def run_load(self, spec: Load, on_progress: OnProgress = ignore, on_mark: OnMark = ignore) -> LoadResult:
        """Send a load from all workers; lost workers of this machine are started again before.

        A load that lost a worker has the reason ``worker-lost``: another try has all of its workers. Ctrl-C ends it
        early, within a second: the result is then marked ``interrupted``.

        Args:
            on_mark: called when the measured stretch begins and ends.

        Raises:
            UsageError: there are fewer connections than workers.
            EngineError: the master failed, a worker cannot do its part, or no worker is left.
        """
        if isinstance(spec, JourneySpec) and not spec.digest:
            spec = replace(spec, digest=journey_of(spec.file).digest)
        allowed_s = spec.longest_s + ANSWER_S
        answer: LoadResult = self.master.carry_out(spec, on_progress, on_mark, self._on_note, allowed_s=allowed_s)
        return answer
