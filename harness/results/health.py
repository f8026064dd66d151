"""What the machine and the generator did during a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from harness.model import LACKS, Gate, Manifest, WindowRecord, lost_sides, side_faults
from harness.results.frames import Frames
from harness.results.summary import Health


def health(manifest: Manifest, records: Sequence[WindowRecord], frames: Frames) -> Health:
    """Counts over windows whose sides took turns, the largest shares over all attempts at any window, and every gate
    and failure once, but for what a target declares not to be able to do.

    A window has failed if at least one side of its counted attempt gave no number.
    """
    attempts = Counter(record.id for record in records if record.slices is not None)
    failures = [*manifest.skipped, *(failure for record in records for failure in record.failures)]
    gates = [_placed(gate, record) for record in records for gate in record.gates]
    faulty = [faults for record in frames.records if (faults := side_faults(record))]
    failed = sum(bool(lost_sides(faults)) for faults in faulty)
    return Health(
        windows=len(frames.records),
        failed_windows=failed,
        untimed_windows=len(faulty) - failed,
        retried_windows=sum(count > 1 for count in attempts.values()),
        generator_cpu_max=max([0.0, *map(_generator_share, records)]),
        foreign_cpu_max=_most("foreign", records),
        steal_max=_most("steal", records),
        gates=tuple(dict.fromkeys(gates)),
        failures=tuple(dict.fromkeys(failure for failure in failures if failure.reason.code not in LACKS)),
    )


def _placed(gate: Gate, record: WindowRecord) -> Gate:
    return gate if record.slices is not None else replace(gate, point=gate.point or record.sides[0].point)


def _most(share: str, records: Sequence[WindowRecord]) -> float:
    return max([0.0, *(record.machine.get(share, 0.0) for record in records)])


def _generator_share(record: WindowRecord) -> float:
    """The largest over the sides that took turns, each over all of its slices; an open loop polls, and has none."""
    slices = record.slices
    if slices is None:
        figures = record.sides[0].figures
        return 0.0 if "in_flight_mean" in figures else figures.get("generator_cpu", 0.0)
    sums = [slices.sums(side, "generator_cpu", "length", "drain") for side in set(slices.side)]
    return max((cpu / (length + drain) for cpu, length, drain in sums if length + drain > 0), default=0.0)
