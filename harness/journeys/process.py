"""Locust's users, in processes of their own."""

from __future__ import annotations

from harness.engine.engine import Engine, OnMark, ignore
from harness.engine.spec import Load, OnProgress
from harness.model.load import LoadResult


class Journeys(Engine):
    """Sends journeys from this machine, each from a process of its own: a locustfile may leave anything behind."""

    module = "harness.journeys.child"

    def run_load(self, spec: Load, on_progress: OnProgress = ignore, on_mark: OnMark = ignore) -> LoadResult:
        try:
            return super().run_load(spec, on_progress, on_mark)
        finally:
            self.close()
