"""What the machine and the generator did during a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness.analyse.frames import Frames, side_faults
from harness.analyse.summary import Health
from harness.model import Manifest, SlotRecord, WindowRecord


def health(
    manifest: Manifest, slots: Sequence[SlotRecord], frames: Frames, windows: Sequence[WindowRecord] = ()
) -> Health:
    """Counts over slots, the largest shares over all attempts, and every gate and failure of every attempt once; of
    windows too, but for what a target declares not to be able to do.

    A slot has failed if at least one side of its counted attempt is excluded.
    """
    attempts: dict[tuple[int, str], int] = {}
    for record in slots:
        attempts[record.block, record.slot] = attempts.get((record.block, record.slot), 0) + 1
    failures = [*manifest.skipped, *(failure for record in slots for failure in record.failures)]
    failures += [failure for record in windows for failure in record.failures if failure.kind != "cannot"]
    gates = [gate for record in slots for gate in record.gates]
    gates += [replace(gate, point=gate.point or record.point) for record in windows for gate in record.gates]
    figures = [record.figures for record in windows]
    return Health(
        slots=len(frames.records),
        failed_slots=sum(bool(side_faults(record)) for record in frames.records),
        retried_slots=sum(count > 1 for count in attempts.values()),
        generator_cpu_max=max(
            [
                0.0,
                *map(_generator_share, slots),
                *(each.get("generator_cpu", 0.0) for each in figures if "in_flight_mean" not in each),
            ]
        ),
        foreign_cpu_max=_most("foreign", slots, figures),
        steal_max=_most("steal", slots, figures),
        gates=tuple(dict.fromkeys(gates)),
        failures=tuple(dict.fromkeys(failures)),
    )


def _most(share: str, slots: Sequence[SlotRecord], figures: Sequence[Mapping[str, float]]) -> float:
    return max([0.0, *(r.machine.get(share, 0.0) for r in slots), *(each.get(share, 0.0) for each in figures)])


def _generator_share(record: SlotRecord) -> float:
    """The largest over the record's sides, each over all of its slices."""
    busy: dict[int, float] = {}
    spent: dict[int, float] = {}
    slices = record.slices
    for side, cpu, length, drain in zip(slices.side, slices.generator_cpu, slices.length, slices.drain, strict=True):
        busy[side] = busy.get(side, 0.0) + cpu
        spent[side] = spent.get(side, 0.0) + length + drain
    return max((busy[side] / spent[side] for side in busy if spent[side] > 0), default=0.0)
