"""What the machine and the generator did during a run."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analyse.frames import Frames, side_faults
from harness.analyse.summary import Health
from harness.model import Manifest, SlotRecord, WindowRecord


def health(
    manifest: Manifest, slots: Sequence[SlotRecord], frames: Frames, windows: Sequence[WindowRecord] = ()
) -> Health:
    """Counts over slots, the largest shares over all attempts, and every gate and failure of every attempt once.

    A slot has failed if at least one side of its counted attempt is excluded.
    """
    attempts: dict[tuple[int, str], int] = {}
    for record in slots:
        attempts[record.block, record.slot] = attempts.get((record.block, record.slot), 0) + 1
    failures = [*manifest.skipped, *(failure for record in slots for failure in record.failures)]
    failures += [failure for window in windows for failure in window.failures]
    return Health(
        slots=len(frames.records),
        failed_slots=sum(bool(side_faults(record)) for record in frames.records),
        retried_slots=sum(count > 1 for count in attempts.values()),
        generator_cpu_max=max((_generator_share(record) for record in slots), default=0.0),
        foreign_cpu_max=max((record.machine.get("foreign", 0.0) for record in slots), default=0.0),
        steal_max=max((record.machine.get("steal", 0.0) for record in slots), default=0.0),
        gates=tuple(dict.fromkeys(gate for record in slots for gate in record.gates)),
        failures=tuple(dict.fromkeys(failures)),
    )


def _generator_share(record: SlotRecord) -> float:
    """The largest over the record's sides, each over all of its slices."""
    busy: dict[int, float] = {}
    spent: dict[int, float] = {}
    slices = record.slices
    for side, cpu, length, drain in zip(slices.side, slices.generator_cpu, slices.length, slices.drain, strict=True):
        busy[side] = busy.get(side, 0.0) + cpu
        spent[side] = spent.get(side, 0.0) + length + drain
    return max((busy[side] / spent[side] for side in busy if spent[side] > 0), default=0.0)
