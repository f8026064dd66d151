"""What a run will measure: points, contrasts, ladders, and blocks of windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.model.declared import ParamValue, PlannedRequest, Question
from harness.model.reason import Reason

SliceMetric = Literal["cpu_cost", "throughput"]
Metric = Literal[SliceMetric, "instructions"]
LadderKind = Literal["framework", "server"]


@dataclass(frozen=True, slots=True)
class Point:
    """A scenario at one setting of its parameters and one concurrency.

    Attributes:
        id: ``json@32``, ``io-sleep[ms=20]@64``.
        wait_s: the I/O wait that one request is expected to take; 0 where there is none.
        slice_s: how long a turn lasts, unless a slow server needs longer for the minimum number of replies.
    """

    id: str
    scenario: str
    params: Mapping[str, ParamValue]
    concurrency: int
    requests: tuple[PlannedRequest, ...]
    wait_s: float = 0.0
    slice_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Side:
    """A target at a point, within a window."""

    target: str
    point: str

    @property
    def id(self) -> str:
        return f"{self.target}|{self.point}"


@dataclass(frozen=True, slots=True)
class Contrast:
    """A declared comparison: value of ``a`` against value of ``b``, both in the same window.

    Attributes:
        margin: as a share, of instructions; ``None`` for the usual one, and where the A/A control sets it.
    """

    id: str
    question: Question
    metric: Metric
    a: Side
    b: Side
    label: str = ""
    margin: float | None = None


@dataclass(frozen=True, slots=True)
class Rung:
    """A place on a cost ladder: a target in a scenario, and what it has that the rung below has not.

    Attributes:
        point: of the run; empty where the run has none, for this ``reason``.
    """

    label: str
    target: str
    scenario: str
    point: str = ""
    reason: Reason | None = None

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
class Window:
    """One stretch of load: the unit that is planned, sent, checked, recorded and retried.

    Attributes:
        id: unique within the run.
        block: index of its block within its study; the replicate of every statistic.
        sides: one, several that take turns, or several that are counted at the same time.
        seconds: time under load; includes the warm-up of sides that take turns.
        budget_s: ``seconds``, and what starting and ending its servers takes where these are its own.
        study: what its block is for; empty where sides take turns.
        warmup_s: time under load before the measured stretch of a window with one side.
        min_rounds: the fewest rounds of turns to measure; where instructions are counted, the fewest requests.
        key: its name without the block: the same window has the same key in every block.
        connections: used instead of the point's ``concurrency``; 0: the point's.
    """

    id: str
    block: int
    sides: tuple[Side, ...]
    seconds: float
    budget_s: float
    study: str = ""
    warmup_s: float = 0.0
    min_rounds: int = 1
    key: str = ""
    connections: int = 0

    @classmethod
    def in_turns(cls, key: str, block: int, sides: tuple[Side, ...], seconds: float, min_rounds: int) -> Window:
        """A window whose sides take turns."""
        return cls(f"b{block:02d}-{key}", block, sides, seconds, seconds, min_rounds=min_rounds, key=key)


@dataclass(frozen=True, slots=True)
class Trial:
    """One target's part of a study in one block: the study plans its windows one by one, on one fresh server.

    Attributes:
        scenario: name of the scenario that holds the study's settings; empty where it has none.
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
class Block:
    """One repetition with freshly started servers: its windows, or the trials of a study, one after the other.

    Attributes:
        index: number of the repetition within its study.
        targets: whose servers are up, all at once.
        study: what it is for; empty where the windows' sides take turns. Of a study of ``harness/studies/`` it holds
            trials; of ``journey``, ``workers``, ``instructions`` and ``profile`` windows, planned beforehand.
    """

    index: int
    targets: tuple[str, ...]
    windows: tuple[Window, ...] = ()
    trials: tuple[Trial, ...] = ()
    study: str = ""

    @classmethod
    def of(cls, index: int, windows: Sequence[Window], study: str = "") -> Block:
        """With the servers of its windows' sides."""
        targets = dict.fromkeys(side.target for window in windows for side in window.sides)
        return cls(index, tuple(targets), tuple(windows), study=study)

    @property
    def sides(self) -> tuple[Side, ...]:
        """Of its windows, each once."""
        return tuple(dict.fromkeys(side for window in self.windows for side in window.sides))

    @property
    def load_s(self) -> float:
        """Expected time of its windows and trials, without the start of its servers."""
        return sum(window.budget_s for window in self.windows) + sum(trial.budget_s for trial in self.trials)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a side (or, with an empty point, a whole target) gave no number.

    Attributes:
        target: empty where it is all of them.
        log: the server's last lines.
    """

    target: str
    point: str
    reason: Reason
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will measure; blocks, points and contrasts may be added while it goes.

    Attributes:
        points: of the windows with several sides, and of loads that workers share.
        blocks: in the order in which they are measured.
        estimate_s: for the blocks planned at first, with the start of their servers.
        reserve_s: for what may be added to them.
        left_out: what would have cost more time than the plan allows.
    """

    profile: str
    seed: int
    budget_s: float
    estimate_s: float
    points: tuple[Point, ...]
    contrasts: tuple[Contrast, ...]
    blocks: tuple[Block, ...]
    reserve_s: float = 0.0
    left_out: tuple[Failure, ...] = ()
    ladders: tuple[Ladder, ...] = ()

    @property
    def alternating(self) -> tuple[Block, ...]:
        """The blocks in whose windows sides take turns."""
        return tuple(block for block in self.blocks if not block.study)

    @property
    def studies(self) -> tuple[Block, ...]:
        """The blocks in which no sides take turns: of studies, journeys, loads of workers, counts and profiles."""
        return tuple(block for block in self.blocks if block.study)

    @property
    def windows(self) -> tuple[Window, ...]:
        """Every window that is planned beforehand; trials plan theirs as they go."""
        return tuple(window for block in self.blocks for window in block.windows)

    @property
    def trials(self) -> tuple[Trial, ...]:
        return tuple(trial for block in self.blocks for trial in block.trials)

    @property
    def alternating_sides(self) -> frozenset[Side]:
        """Of the windows in which sides take turns."""
        return frozenset(side for block in self.alternating for side in block.sides)

    @property
    def compared_points(self) -> tuple[Point, ...]:
        """The points without those that only loads from several workers are about."""
        one_sided = {side.point for block in self.studies for side in block.sides}
        one_sided -= {side.point for side in self.alternating_sides}
        return tuple(point for point in self.points if point.id not in one_sided)


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
