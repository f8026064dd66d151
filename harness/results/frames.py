"""Windows whose sides took turns as one tidy frame of slices, with a reason for everything that is left out of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from harness.model import (
    Exclusion,
    ExclusionKind,
    Metric,
    Reason,
    Side,
    Slices,
    WindowRecord,
    final_attempts,
    side_faults,
)
from harness.model.units import US
from harness.stats.ratio import SliceData

KINDS = {"block": "int64", "window": "object", "round": "int64", "target": "object", "point": "object"}
KINDS |= {"window_replies": "int64", "replies": "int64", "rps": "float64", "cpu_us": "float64"}
"""The columns of slices."""
COST_REASONS = ("no-cpu-access", "few-costs", "lost-costs")
MISSING_SHARE = 0.1
"""Above this share of slices without a number, a side's other slices do not represent it."""


@dataclass(frozen=True)
class Frames:
    """What a run's records yield.

    Attributes:
        slices: a row per slice of a valid side: ``block window round target point window_replies replies rps cpu_us``;
            ``rps`` (verified replies per second) and ``cpu_us`` (CPU µs per verified reply) are NaN where missing.
        records: the attempt that counts of each window, by block and in order of appearance.
        excluded: what is not in ``slices``, or is NaN there, and why.
    """

    slices: pd.DataFrame
    records: tuple[WindowRecord, ...]
    excluded: tuple[Exclusion, ...]

    @cached_property
    def tables(self) -> SliceData:
        return SliceData(self.slices)

    def reasons(self, metric: Metric) -> dict[Side, list[Reason]]:
        """Why sides lack numbers of a metric: what disturbed only times does not explain CPU cost, nor the reverse."""
        by_side: dict[Side, list[Reason]] = {}
        for each in self.excluded:
            if each.kind != "times" if metric == "cpu_cost" else each.reason.code not in COST_REASONS:
                by_side.setdefault(each.side, []).append(each.reason)
        return by_side


def tidy(records: Iterable[WindowRecord]) -> Frames:
    """The frame of the attempts that count, of windows whose sides took turns."""
    chosen = final_attempts(record for record in records if not record.study)
    excluded: list[Exclusion] = []
    frames: list[pd.DataFrame] = []
    for record in chosen:
        faults = side_faults(record)
        excluded += faults.values()
        kinds = [faults[side.side].kind if side.side in faults else None for side in record.sides]
        if record.slices is None:
            continue
        frame = _slices(record, record.slices, kinds)
        excluded += _blank_missing(frame, faults)
        if len(frame):
            frames.append(frame)
    together = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(KINDS)).astype(KINDS)
    return Frames(together, chosen, tuple(excluded))


def _slices(record: WindowRecord, slices: Slices, faults: Sequence[ExclusionKind | None]) -> pd.DataFrame:
    """Of the sides, in order, that gave numbers; where their times were disturbed, without ``rps``."""
    names = ("side", "round", "window", "window_replies", "replies", "cpu")
    rows = pd.DataFrame({name: getattr(slices, name) for name in names})
    rows["fault"] = [faults[side] for side in slices.side]
    rows = rows[rows["fault"].isna() | (rows["fault"] == "times")]
    timed = (rows["window_replies"] > 0) & (rows["window"] > 0) & rows["fault"].isna()
    costed = (rows["replies"] > 0) & (rows["cpu"] > 0)
    return pd.DataFrame(
        {
            "block": record.block,
            "window": record.id,
            "round": rows["round"],
            "target": [record.sides[index].target for index in rows["side"]],
            "point": [record.sides[index].point for index in rows["side"]],
            "window_replies": rows["window_replies"],
            "replies": rows["replies"],
            "rps": (rows["window_replies"] / rows["window"]).where(timed),
            "cpu_us": (rows["cpu"] * US / rows["replies"]).where(costed),
        }
    )


def _blank_missing(frame: pd.DataFrame, faults: Mapping[Side, Exclusion]) -> list[Exclusion]:
    """Reasons for the frame's missing numbers, where ``faults`` has none; blanks a side's whole column where too many
    are missing.
    """
    exclusions: list[Exclusion] = []
    for column in ("rps", "cpu_us"):
        if not frame[column].isna().any():
            continue
        for (target, point), rows in frame.groupby(["target", "point"], sort=False):
            side, missing, total = Side(str(target), str(point)), int(rows[column].isna().sum()), len(rows)
            if not missing or (column == "rps" and side in faults):
                continue
            few = missing > MISSING_SHARE * total
            code = {"rps": "few-rates" if few else "lost-rates", "cpu_us": "few-costs" if few else "lost-costs"}[column]
            if column == "cpu_us" and missing == total and rows["replies"].all():
                reason = Reason("no-cpu-access")
            else:
                reason = Reason(code, {"missing": missing, "total": total})
            if few:
                frame.loc[rows.index, column] = float("nan")
            exclusions.append(Exclusion(side, "missing", reason))
    return exclusions
