"""What a run will measure: points, contrasts, ladders, blocks of slots, and load on one target alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from harness.model.declared import ParamValue, PlannedRequest, Question

Metric = Literal["cpu_cost", "throughput"]
LadderKind = Literal["framework", "server"]


@dataclass(frozen=True, slots=True)
class Point:
    """A scenario at one setting of its parameters and one concurrency.

    Attributes:
        id: ``json@32``, ``io-sleep[ms=20]@64``.
        wait_s: the I/O wait that one request is expected to take; 0 where there is none.
    """

    id: str
    scenario: str
    params: Mapping[str, ParamValue]
    concurrency: int
    requests: tuple[PlannedRequest, ...]
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Side:
    """One party of a slot: a target at a point."""

    target: str
    point: str

    @property
    def id(self) -> str:
        return f"{self.target}|{self.point}"


@dataclass(frozen=True, slots=True)
class Contrast:
    """A declared comparison: value of ``a`` against value of ``b``, both in the same slot."""

    id: str
    question: Question
    metric: Metric
    a: Side
    b: Side
    label: str = ""


@dataclass(frozen=True, slots=True)
class Rung:
    """A place on a cost ladder: a target in a scenario, and what it has that the rung below has not.

    Attributes:
        point: of the run; empty where the run has none, for the ``reason`` given.
    """

    label: str
    target: str
    scenario: str
    point: str = ""
    reason: str = ""

    @property
    def side(self) -> Side:
        return Side(self.target, self.point)


@dataclass(frozen=True, slots=True)
class Ladder:
    """A declared chain of contrasts, from the bottom up: each rung against the one below it, in CPU cost.

    Attributes:
        kind: ``framework``: layers on top of each other; ``server``: one app under one server after another.
    """

    name: str
    title: str
    kind: LadderKind
    rungs: tuple[Rung, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """One measurement inside a block: the sides that take turns."""

    id: str
    block: int
    sides: tuple[Side, ...]
    slice_s: float
    budget_s: float
    min_rounds: int


@dataclass(frozen=True, slots=True)
class Block:
    """``held``: targets whose memory with waiting requests is measured first, under servers of their own."""

    index: int
    targets: tuple[str, ...]
    slots: tuple[Slot, ...]
    held: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of load on one target alone, to come; see ``WindowRecord``.

    Attributes:
        warmup_s: time under load before it, of which no number is taken. ``seconds``: the window itself.
        budget_s: both, and what starting and ending its server takes.
    """

    id: str
    block: int
    study: str
    target: str
    point: str
    warmup_s: float
    seconds: float
    budget_s: float


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a side (or, with an empty point, a whole target) gave no number.

    Attributes:
        kind: ``exited``, ``not-ready``, ``port``, ``wrong-reply``, ``died``, ``not-installed``, ``errors``; or
            ``not-afforded``, where the plan leaves it out (for all targets, where ``target`` is empty).
        log: the server's last lines.
    """

    target: str
    point: str
    kind: str
    message: str
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """One target's part of a study in one block: its windows follow each other on one freshly started server.

    Attributes:
        values: parameter → values of the scenario that are measured.
        budget_s: how long it is expected to take, without the start of the server.
    """

    id: str
    block: int
    study: str
    scenario: str
    target: str
    values: Mapping[str, tuple[ParamValue, ...]]
    budget_s: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will measure; blocks, points and contrasts may be added while it goes.

    Attributes:
        estimate_s: for the blocks planned at first. ``reserve_s``: for what may be added to them.
        studies_s: of the budget, what is kept for studies of one target alone.
        left_out: what would have cost more time than the plan allows.
        windows: load on one target alone, each with a server of its own, after the blocks.
        points_alone: those of windows that workers fill.
    """

    profile: str
    seed: int
    budget_s: float
    estimate_s: float
    points: tuple[Point, ...]
    contrasts: tuple[Contrast, ...]
    blocks: tuple[Block, ...]
    reserve_s: float = 0.0
    studies_s: float = 0.0
    left_out: tuple[Failure, ...] = ()
    ladders: tuple[Ladder, ...] = ()
    windows: tuple[Window, ...] = ()
    points_alone: tuple[Point, ...] = ()
    trials: tuple[Trial, ...] = ()


@dataclass(frozen=True, slots=True)
class Extension:
    """What joins a plan while its run goes: blocks, and the points and contrasts that they are about."""

    blocks: tuple[Block, ...]
    points: tuple[Point, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    left_out: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """Two neighbouring waits between which the contrast of A and B changes its sign, or is open.

    Attributes:
        params: the scenario's other parameters.
        low_ms, high_ms: the waits, in milliseconds; both were measured.
    """

    a: str
    b: str
    scenario: str
    params: Mapping[str, ParamValue]
    concurrency: int
    low_ms: float
    high_ms: float
