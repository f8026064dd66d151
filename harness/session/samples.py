"""A side whose server is sampled under load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from harness.engine.engine import Engine
from harness.engine.spec import OnProgress
from harness.errors import NotReadyError
from harness.instruments import sample
from harness.model import CpuProfile, Gate, Point, Reason, Side, WindowRecord
from harness.plan.sampling import PROFILE
from harness.session.meter import Meter
from harness.session.sender import Job, Sender, Sent
from harness.session.turns import blank

FOLDER = "profiles"
"""Of the run's, for speedscope files."""
UNSAMPLED = "unsampled"


def recorded(profile: CpuProfile, points: Mapping[str, Point]) -> WindowRecord:
    """A profile that was made outside the run's plan, as the run keeps it; it takes no time of the run's."""
    side = replace(
        blank(Side(profile.target, profile.point), points), planned=profile.replies, answered=profile.replies
    )
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    name = f"{PROFILE}-{profile.target}"
    return WindowRecord(name, 0, 0, PROFILE, "wire", now, 0.0, (side,), profiles=(profile.innermost(),))


class SampleSender(Sender):
    """Samples one server while the engine loads it.

    Args:
        folder: the run's; ``cpus``: where py-spy runs.
    """

    def __init__(self, wire: Engine, folder: Path, cpus: tuple[int, ...]) -> None:
        self._wire, self._folder, self._cpus = wire, folder / FOLDER, cpus

    def send(self, job: Job, meter: Meter, on_progress: OnProgress) -> Sent:
        [side] = job.sides
        running, point = job.servers[side.target], job.points[side.point]
        self._folder.mkdir(exist_ok=True)
        result = blank(side, job.points)
        try:
            found = sample(running, point, self._wire, self._folder, round(job.seconds), self._cpus)
        except NotReadyError as error:
            return Sent((result,), gates=(Gate(Reason(UNSAMPLED, {"text": str(error)}), side.target, side.point),))
        answered = replace(result, planned=found.replies, answered=found.replies)
        return Sent((answered,), profiles=(found.innermost(),))
