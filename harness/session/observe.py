"""What the orchestrator reports to an observer: values, never text for a terminal."""

from __future__ import annotations

from harness.model import Block, Extension, Failure, Plan, Window, WindowRecord
from harness.model.load import Progress


class Observer:
    """Watches a run; this one does nothing. Every method may be called often and must return at once."""

    def run_started(self, plan: Plan, folder: str) -> None: ...

    def plan_extended(self, added: Extension) -> None: ...

    def block_started(self, block: Block) -> None: ...

    def target_failed(self, failure: Failure) -> None: ...

    def window_started(self, window: Window, attempt: int) -> None: ...

    def progressed(self, progress: Progress) -> None: ...

    def window_ended(self, window: Window, record: WindowRecord) -> None: ...
