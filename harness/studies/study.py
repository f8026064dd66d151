"""What a study is made of: its settings, the windows that it asks for one by one, and the loads of these windows."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.model import ParamValue, PlannedRequest, Scenario, Target, WindowRecord
from harness.model.load import FloatArray, LoadResult

LEAD_IN_SHARE = 0.1
"""Of a window, the first part that counts for nothing: connections are opened in it."""

OPEN_CONNECTIONS = 1024
"""Connections of an open loop: enough that a request rarely waits for one, so that the queue is the server's."""

Values = Mapping[str, tuple[ParamValue, ...]]


class StudySettings(BaseModel):
    """What a scenario's ``[settings]`` may hold.

    Attributes:
        blocks: with fresh servers; the replicate of every figure.
        window_s: length of one window.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    blocks: int = Field(3, ge=1, le=50)
    window_s: float = Field(2.0, gt=0, le=600)

    @property
    def lead_in_s(self) -> float:
        return LEAD_IN_SHARE * self.window_s


@dataclass(frozen=True, slots=True)
class Requests:
    """Plain requests: an open loop with Poisson arrivals, or a closed one where there is no ``rate``.

    Attributes:
        phases: (rate, seconds) one after the other in place of ``rate``; ``phase_names``: a name for each.
        lead_in_s: what was planned (sent, in a closed loop) before counts for no latency.
        idle, slow: connections that are held open meanwhile: kept-alive ones, and slow readers of ``slow_request``.
    """

    requests: tuple[PlannedRequest, ...]
    connections: int
    duration_s: float
    rate: float = 0.0
    phases: tuple[tuple[float, float], ...] = ()
    phase_names: tuple[str, ...] = ()
    lead_in_s: float = 0.0
    timeout_s: float = 10.0
    in_flight_cap: int = 10_000
    idle: int = 0
    slow: int = 0
    slow_request: PlannedRequest | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """The names under which latencies are recorded: of the phases, or of each of ``requests``."""
        return self.phase_names or tuple(request.endpoint for request in self.requests)


@dataclass(frozen=True, slots=True)
class WaitingRequests:
    """Requests that all wait at the same time; those of the trial's earlier windows go on waiting."""

    request: PlannedRequest
    connections: int
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Echoes:
    """WebSocket echoes, one message under way on each connection."""

    connections: int
    duration_s: float


@dataclass(frozen=True, slots=True)
class Streams:
    """Server-sent events to so many clients."""

    request: PlannedRequest
    connections: int
    duration_s: float


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing is sent."""

    duration_s: float


Load = Requests | Echoes | Streams | WaitingRequests | Idle
Figures = Callable[[LoadResult, FloatArray], Mapping[str, float]]
"""Further numbers from a measurement and the seconds at which its requests were planned."""


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """A window that a study asks for.

    Attributes:
        key: unique within the trial.
        study, scenario: recorded with it; the session fills in the scenario.
        needs: endpoints that a target must have for it, and ``capabilities``.
        figures: gives further numbers for the record, where the study has any.
        arrivals: windows of a block that share this text share their seeded arrivals too; default: the ``key``.
        overhead_s: expected time around the load.
        memory: whether it asks for the server's memory at its end, the figure ``memory_bytes``, and not for times: then
            it does not matter what else the machine or the generator did meanwhile.
    """

    key: str
    study: str
    setting: Mapping[str, ParamValue]
    load: Load
    needs: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    figures: Figures | None = None
    arrivals: str = ""
    overhead_s: float = 0.25
    memory: bool = False
    scenario: str = ""


WindowSpecs = Generator[WindowSpec, WindowRecord, None]
"""Yields windows and receives their records; the same records lead to the same windows."""

S = TypeVar("S", bound=StudySettings)


@dataclass(frozen=True, slots=True)
class Brief(Generic[S]):
    """What a study knows when it chooses windows.

    Attributes:
        values: parameter → the values that are measured.
        requests, concurrency: of the scenario.
        block: number of the repetition.
        earlier: what earlier blocks recorded of the same scenario and target.
        target: of the windows; ``None`` where only their time is estimated.
    """

    settings: S
    values: Values
    requests: tuple[PlannedRequest, ...] = ()
    concurrency: tuple[int, ...] = ()
    block: int = 0
    earlier: tuple[WindowRecord, ...] = ()
    target: Target | None = None


@dataclass(frozen=True, slots=True)
class Study(Generic[S]):
    """A kind of experiment on a single target.

    Attributes:
        name: what scenarios and records call it.
        windows: the windows of one target in one block.
        settings: what a scenario may set.
        parameters: of the scenario's matrix → whether it is required.
        requests: how many of them its scenario has, at least and at most.
        concurrency: whether its scenario sets it.
        expected_s: expected time of one target in one block, for a study whose windows depend on their records;
            default: that of all its windows.
        variants: of a chosen target and the scenario's values, the targets that are measured; default: that one.
        wide: whether servers may use all CPUs that the generator does not need for itself.
    """

    name: str
    windows: Callable[[Brief[S]], WindowSpecs]
    settings: type[S]
    parameters: Mapping[str, bool] = field(default_factory=dict)
    requests: tuple[int, int] = (1, 1)
    concurrency: bool = False
    expected_s: Callable[[S], float] | None = None
    variants: Callable[[Target, Values], Iterable[Target]] = lambda target, values: (target,)
    wide: bool = False

    def settings_of(self, scenario: Scenario | None) -> S:
        """With the defaults for what the scenario leaves out."""
        return self.settings.model_validate(scenario.settings if scenario else {})

    def brief(
        self,
        scenario: Scenario | None,
        values: Values,
        block: int = 0,
        earlier: tuple[WindowRecord, ...] = (),
        target: Target | None = None,
    ) -> Brief[S]:
        """``scenario``: ``None`` for a study that has none."""
        requests, concurrency = (scenario.requests, scenario.concurrency) if scenario else ((), ())
        return Brief(self.settings_of(scenario), values, requests, concurrency, block, earlier, target)

    def seconds(self, scenario: Scenario, values: Values) -> float:
        """Expected time of one target in one block, without the start of its server."""
        if self.expected_s is not None:
            return self.expected_s(self.settings_of(scenario))
        return sum(spec.load.duration_s + spec.overhead_s for spec in self.windows(self.brief(scenario, values)))

    def check(
        self, settings: Mapping[str, Any], matrix: Mapping[str, Any], requests: int, concurrency: Sequence[int]
    ) -> None:
        """Raises ``ValueError`` where a scenario sets what the study does not take, or lacks what it needs."""
        try:
            self.settings(**settings)
        except ValidationError as error:
            fault = error.errors()[0]
            name = ".".join(map(str, fault["loc"]))
            if fault["type"] == "extra_forbidden":
                known = ", ".join(self.settings.model_fields)
                raise ValueError(f"'settings' of {self.name} has no {name!r}; it has {known}") from None
            raise ValueError(f"'settings': {name}: {fault['msg']}, not {fault['input']!r}") from None
        if wrong := [name for name in matrix if name not in self.parameters]:
            listed = ", ".join(self.parameters) or "none"
            raise ValueError(f"the matrix of {self.name} has no parameter {wrong[0]!r}; it has {listed}")
        if absent := [name for name, needed in self.parameters.items() if needed and name not in matrix]:
            raise ValueError(f"the matrix of {self.name} needs {absent[0]!r}")
        for name, values in matrix.items():
            if not all(isinstance(value, int | float) and value > 0 for value in values):
                raise ValueError(f"the matrix of {self.name}: {name!r} takes numbers above 0")
        least, most = self.requests
        if not least <= requests <= most:
            wanted = f"{least}" if least == most else f"{least} or more: the fast one first, then each neighbour"
            raise ValueError(f"{self.name} takes {wanted} [[request]], not {requests}")
        if self.concurrency and not concurrency:
            raise ValueError(f"{self.name} needs 'concurrency'")
        if concurrency and not self.concurrency:
            raise ValueError(f"{self.name} takes no 'concurrency': it opens the connections that it needs")
