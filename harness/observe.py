"""What the orchestrator tells whoever watches: values, never text on a terminal."""

from __future__ import annotations

from typing import Protocol

from harness.load.spec import Progress
from harness.model import Extension, Failure, Plan, Slot, SlotRecord, Trial, Window, WindowRecord


class Observer(Protocol):
    """Watches a run; every method may be called often and must return at once."""

    def run_started(self, plan: Plan, folder: str) -> None: ...

    def plan_extended(self, added: Extension) -> None: ...

    def block_started(self, index: int, targets: int) -> None: ...

    def target_failed(self, failure: Failure) -> None: ...

    def slot_started(self, slot: Slot, attempt: int) -> None: ...

    def slot_progress(self, progress: Progress) -> None: ...

    def slot_ended(self, slot: Slot, record: SlotRecord) -> None: ...

    def journey_started(self, window: Window, number: int, count: int, attempt: int) -> None: ...

    def journey_ended(self, window: Window, record: WindowRecord) -> None: ...

    def window_started(self, block: int, study: str, target: str) -> None: ...

    def trial_started(self, trial: Trial) -> None: ...

    def window_ended(self, record: WindowRecord) -> None: ...

    def trial_ended(self, trial: Trial) -> None: ...

    def warned(self, message: str) -> None: ...


class Silent:
    """An observer that says nothing."""

    def run_started(self, plan: Plan, folder: str) -> None:
        pass

    def plan_extended(self, added: Extension) -> None:
        pass

    def block_started(self, index: int, targets: int) -> None:
        pass

    def target_failed(self, failure: Failure) -> None:
        pass

    def slot_started(self, slot: Slot, attempt: int) -> None:
        pass

    def slot_progress(self, progress: Progress) -> None:
        pass

    def slot_ended(self, slot: Slot, record: SlotRecord) -> None:
        pass

    def journey_started(self, window: Window, number: int, count: int, attempt: int) -> None:
        pass

    def journey_ended(self, window: Window, record: WindowRecord) -> None:
        pass

    def window_started(self, block: int, study: str, target: str) -> None:
        pass

    def trial_started(self, trial: Trial) -> None:
        pass

    def window_ended(self, record: WindowRecord) -> None:
        pass

    def trial_ended(self, trial: Trial) -> None:
        pass

    def warned(self, message: str) -> None:
        pass
