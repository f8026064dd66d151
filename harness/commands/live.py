"""The live verdict of ``harness versus`` on stderr."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.status import Status

from harness.load.spec import Progress
from harness.model import Failure, Slot, SlotRecord
from harness.observe import Silent


class VersusObserver(Silent):
    """A context manager: a line that is written over on a terminal, a line per verdict elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = Status("starting servers", console=console)
        self._live = console.is_terminal and not console.quiet
        self._verdict = "no block yet"

    def __enter__(self) -> VersusObserver:
        if self._live:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()

    def firmed_up(self, verdict: str) -> None:
        """Shows how far the verdict is."""
        self._verdict = verdict
        if self._live:
            self._status.update(verdict)
        else:
            self._console.print(verdict, markup=False, highlight=False, soft_wrap=True)

    def block_started(self, index: int, targets: int) -> None:
        self._status.update(f"{self._verdict} · block {index + 1}: starting servers")

    def slot_progress(self, progress: Progress) -> None:
        self._status.update(f"{self._verdict} · round {progress.round + 1}")

    def slot_ended(self, slot: Slot, record: SlotRecord) -> None:
        for gate in record.gates:
            if gate.fatal:
                self._console.print(f"{slot.id}: {gate.gate}: {gate.reason}", style="yellow", markup=False)

    def target_failed(self, failure: Failure) -> None:
        self._console.print(f"{failure.target}: {failure.message}", style="yellow", markup=False)

    def warned(self, message: str) -> None:
        self._console.print(message, style="yellow", markup=False)
