"""The parent's view of a process that runs Locust for one journey."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from harness.errors import EngineError, UsageError
from harness.load.messages import Fault
from harness.load.process import EngineProcess
from harness.load.spec import Progress
from harness.swarm.messages import JourneyMeasurement, JourneySpec, Mark

SLACK_S = 30.0


class SoloProcess(EngineProcess):
    """Locust with a local runner."""

    module = "harness.swarm.solo"

    def run(
        self,
        spec: JourneySpec,
        on_mark: Callable[[str], None],
        on_progress: Callable[[Progress], None] | None = None,
    ) -> JourneyMeasurement:
        """Carries out one journey; ``on_mark`` is told when the measured stretch begins and ends.

        Ctrl-C ends it early, with what was measured so far.

        Raises:
            UsageError: the locustfile cannot be used.
            EngineError: the process ended or failed.
        """
        self.wait_ready()
        self.send(spec)
        deadline = time.monotonic() + spec.warmup_s + spec.duration_s + spec.grace_s + SLACK_S
        interrupted = False
        while True:
            try:
                message = self.receive(deadline)
            except KeyboardInterrupt:
                if interrupted:
                    raise
                interrupted = True
                self.stop()
                continue
            if isinstance(message, Progress):
                if on_progress is not None:
                    on_progress(message)
            elif isinstance(message, Mark):
                on_mark(message.name)
            elif isinstance(message, Fault):
                if message.traceback.startswith("Traceback"):
                    raise EngineError(f"Locust failed: {message.message}", hint=message.traceback)
                raise UsageError(message.message, hint=message.traceback)
            elif isinstance(message, JourneyMeasurement):
                return message


def run_journey(
    spec: JourneySpec,
    cpus: tuple[int, ...],
    on_mark: Callable[[str], None],
    on_progress: Callable[[Progress], None] | None = None,
) -> JourneyMeasurement:
    """Starts a process, has it carry out the journey, and ends it; see ``SoloProcess.run``."""
    process = SoloProcess(cpus)
    try:
        return process.run(spec, on_mark, on_progress)
    finally:
        with suppress(OSError):
            process.close()
