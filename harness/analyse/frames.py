"""Slot records as one tidy frame of slices, with a reason for everything that is left out of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from harness.model import Side, SlotRecord
from harness.units import US

MISSING_SHARE = 0.1
"""Above this share of slices without a number, a side's other slices are no fair sample of it."""

NO_ACCESS = "no access to its CPU, so its cost is not measurable"

ExclusionKind = Literal["failure", "gate", "replies", "missing"]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A side (or some slices of it) of which no number is taken in one slot.

    Attributes:
        kind: ``failure``, ``gate`` and ``replies`` (wrong or failed ones) exclude the side; ``missing`` means slices
            without a reply or without CPU time.
    """

    block: int
    slot: str
    target: str
    point: str
    kind: ExclusionKind
    reason: str


@dataclass(frozen=True, slots=True)
class Frames:
    """What a run's records yield.

    Attributes:
        slices: a row per slice of a valid side: ``block slot round target point window_replies replies rps cpu_us``;
            ``rps`` (verified replies per second) and ``cpu_us`` (CPU µs per verified reply) are NaN where missing.
        records: the attempt that counts of each slot, by block and in order of appearance.
        excluded: what is not in ``slices``, or is NaN there, and why.
    """

    slices: pd.DataFrame
    records: tuple[SlotRecord, ...]
    excluded: tuple[Exclusion, ...]


def tidy(slots: Iterable[SlotRecord]) -> Frames:
    """The frame of the slots' last valid attempts.

    Where no attempt of a slot is wholly valid, the one with the fewest excluded sides counts, the later of equals:
    the sides that were sound in it still give numbers.
    """
    chosen = select(slots)
    excluded: list[Exclusion] = []
    frames: list[pd.DataFrame] = []
    for record in chosen:
        faults = side_faults(record)
        excluded += faults.values()
        frame = _slices(record, [index for index, side in enumerate(record.sides) if side not in faults])
        excluded += _blank_missing(record, frame)
        if len(frame):
            frames.append(frame)
    together = pd.concat(frames, ignore_index=True) if frames else _empty()
    return Frames(together, chosen, tuple(excluded))


def select(slots: Iterable[SlotRecord]) -> tuple[SlotRecord, ...]:
    """The attempt that counts of each slot; see ``tidy``."""
    attempts: dict[tuple[int, str], list[SlotRecord]] = {}
    for record in slots:
        attempts.setdefault((record.block, record.slot), []).append(record)
    best = [
        min(enumerate(each), key=lambda one: (len(side_faults(one[1])), -one[1].attempt, -one[0]))[1]
        for each in attempts.values()
    ]
    return tuple(sorted(best, key=lambda record: record.block))


def side_faults(record: SlotRecord) -> dict[Side, Exclusion]:
    """Sides of the record that are wholly excluded: by a failure, a fatal gate, or a wrong or failed reply."""
    faults: dict[Side, Exclusion] = {}

    def exclude(side: Side, kind: ExclusionKind, reason: str) -> None:
        faults.setdefault(side, Exclusion(record.block, record.slot, side.target, side.point, kind, reason))

    owner = np.asarray(record.slices.side, dtype=np.int64)
    slices, wrong, failed = (
        np.bincount(owner, weights=weights, minlength=len(record.sides))
        for weights in (None, record.slices.wrong, record.slices.failed)
    )
    for index, side in enumerate(record.sides):
        for failure in record.failures:
            if _concerns(failure.target, failure.point, side):
                exclude(side, "failure", f"{failure.kind}: {failure.message}")
        for gate in record.gates:
            if gate.fatal and _concerns(gate.target, gate.point, side):
                exclude(side, "gate", f"{gate.gate}: {gate.reason}")
        if wrong[index] + failed[index] > 0:
            exclude(side, "replies", f"{wrong[index]:.0f} wrong and {failed[index]:.0f} failed replies")
        if not slices[index]:
            exclude(side, "missing", "no slice was recorded")
    return faults


def _concerns(target: str, point: str, side: Side) -> bool:
    """Whether a gate or failure is about this side; an empty target or point means all of them."""
    return target in ("", side.target) and point in ("", side.point)


def _slices(record: SlotRecord, sound: Sequence[int]) -> pd.DataFrame:
    slices = record.slices
    side = np.asarray(slices.side, dtype=np.int64)
    keep = np.isin(side, sound)
    window = np.asarray(slices.window, dtype=np.float64)[keep]
    window_replies = np.asarray(slices.window_replies, dtype=np.int64)[keep]
    replies = np.asarray(slices.replies, dtype=np.int64)[keep]
    cpu = np.asarray(slices.cpu, dtype=np.float64)[keep]
    side = side[keep]
    counted = (window_replies > 0) & (window > 0)
    costed = (replies > 0) & (cpu > 0)
    return pd.DataFrame(
        {
            "block": record.block,
            "slot": record.slot,
            "round": np.asarray(slices.round, dtype=np.int64)[keep],
            "target": [record.sides[index].target for index in side],
            "point": [record.sides[index].point for index in side],
            "window_replies": window_replies,
            "replies": replies,
            "rps": np.where(counted, window_replies / np.where(counted, window, 1.0), np.nan),
            "cpu_us": np.where(costed, cpu * US / np.where(costed, replies, 1), np.nan),
        }
    )


def _blank_missing(record: SlotRecord, frame: pd.DataFrame) -> list[Exclusion]:
    """Reasons for the frame's missing numbers; blanks a side's whole column where too many are missing."""
    found: list[Exclusion] = []
    for column, what in (("rps", "no reply in the window"), ("cpu_us", "no reply or no CPU time")):
        if not frame[column].isna().any():
            continue
        for (target, point), rows in frame.groupby(["target", "point"], sort=False):
            missing, total = int(rows[column].isna().sum()), len(rows)
            if not missing:
                continue
            reason = f"{what} in {missing} of {total} slices"
            if column == "cpu_us" and missing == total and rows["replies"].all():
                reason = NO_ACCESS
            elif missing > MISSING_SHARE * total:
                frame.loc[rows.index, column] = np.nan
                reason += f": too many to take a {'throughput' if column == 'rps' else 'CPU cost'} from the others"
            found.append(Exclusion(record.block, record.slot, str(target), str(point), "missing", reason))
    return found


def _empty() -> pd.DataFrame:
    kinds = {"block": "int64", "slot": "object", "round": "int64", "target": "object", "point": "object"}
    kinds |= {"window_replies": "int64", "replies": "int64", "rps": "float64", "cpu_us": "float64"}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})
