"""What two runs' comparison comes to, as a value: what text, Markdown, JSON and gates are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.model import Reason, Side
from harness.results.summary import Verdict

Basis = Literal["anchored", "absolute", "contrast"]
Measure = Literal["cpu_cost", "throughput", "p99"]


@dataclass(frozen=True, slots=True)
class Change:
    """One quantity in two runs.

    Attributes:
        against: the other target: of the contrast, or the anchor; empty for absolute values.
        measure: ``cpu_cost`` in µs per reply, ``throughput`` in replies per second, ``p99`` of the closed loop's
            service time in µs.
        basis: ``anchored``: both runs' values relative to an anchor target measured in the same rounds; ``contrast``:
            both runs' ratios of a declared contrast; ``absolute``: the values themselves, with an interval that
            allows for what the machine did between the runs.
        base, new: the absolute values, or the contrast's ratios; ``None`` where there is none.
        ratio: new / base, with its 99% Welch interval over blocks.
        margin: as a share: what is called a difference of consequence.
    """

    target: str
    point: str
    measure: Measure
    basis: Basis
    against: str
    verdict: Verdict
    base: float | None = None
    new: float | None = None
    ratio: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    margin: float = 0.02
    base_blocks: int = 0
    new_blocks: int = 0
    p_value: float | None = None
    p_adjusted: float | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs.

    Attributes:
        changes: by target and point, then the contrasts.
        warnings: what differs between the runs besides what was measured.
        only_base, only_new: what only one of them measured.
    """

    base: str
    new: str
    changes: tuple[Change, ...]
    warnings: tuple[Reason, ...]
    only_base: tuple[Side, ...]
    only_new: tuple[Side, ...]
    schema: int = 2
