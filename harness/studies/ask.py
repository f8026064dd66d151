"""What a study asks for, window by window, and what it gets told; plain values."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass

from harness.declare.study_settings import STUDIES, StudySettings
from harness.load.spec import FloatArray, LoadMeasurement
from harness.model import ParamValue, PlannedRequest, Scenario, Target, Trial, WindowRecord

LEAD_IN_SHARE = 0.1
"""Of a window, the first part that counts for nothing: connections are opened in it."""

OPEN_CONNECTIONS = 1024
"""Connections of an open loop: enough that a request rarely waits for one, so that the queue is the server's."""


@dataclass(frozen=True, slots=True)
class Requests:
    """Plain requests: an open loop with Poisson arrivals, or a closed one where there is no ``rate``.

    Attributes:
        classes: a name for each of ``requests``, under which its latencies are recorded.
        phases: (rate, seconds) one after the other in place of ``rate``.
        lead_in_s: what was planned (sent, in a closed loop) before counts for no latency.
        idle, slow: connections that are held open meanwhile: kept-alive ones, and slow readers of ``slow_request``.
    """

    requests: tuple[PlannedRequest, ...]
    classes: tuple[str, ...]
    connections: int
    duration_s: float
    rate: float = 0.0
    phases: tuple[tuple[float, float], ...] = ()
    lead_in_s: float = 0.0
    timeout_s: float = 10.0
    in_flight_cap: int = 10_000
    idle: int = 0
    slow: int = 0
    slow_request: PlannedRequest | None = None


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


Load = Requests | Echoes | Streams
Figures = Callable[[LoadMeasurement, FloatArray], Mapping[str, float]]
"""Further numbers from a measurement and the seconds at which its requests were planned."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One window.

    Attributes:
        key: unique within the trial.
        study: what the record says that it belongs to.
        needs: endpoints and capabilities that a target must have for it.
        figures: gives further numbers for the record, where the study has any.
        arrivals: windows of a block that share this text share their seeded arrivals too; its own ``key`` unless given.
    """

    key: str
    study: str
    setting: Mapping[str, ParamValue]
    load: Load
    needs: tuple[str, ...] = ()
    figures: Figures | None = None
    arrivals: str = ""


@dataclass(frozen=True, slots=True)
class Brief:
    """What a study knows when it asks; ``earlier``: what earlier blocks recorded of the same study and target."""

    trial: Trial
    scenario: Scenario
    target: Target
    earlier: tuple[WindowRecord, ...] = ()

    @property
    def settings(self) -> StudySettings:
        return settings_of(self.scenario)


Asking = Generator[Ask, WindowRecord, None]
"""Yields windows and is sent their records; given the same records it asks for the same windows."""


def settings_of(scenario: Scenario) -> StudySettings:
    """The settings of a study's scenario, with the defaults for what it leaves out."""
    return STUDIES[scenario.study].model_validate(scenario.settings)


def lead_in(window_s: float) -> float:
    return LEAD_IN_SHARE * window_s


def lacking(target: Target, needs: tuple[str, ...]) -> str:
    """Why a target cannot take a window; empty where it can."""
    for need in needs:
        if need in target.lacks:
            return target.lacks[need]
        if need == "websocket" and target.interface == "wsgi":
            return "WSGI has no WebSocket"
        if target.endpoints and "*" not in target.endpoints and need not in target.endpoints and need != "websocket":
            return f"it does not implement {need}"
    return ""
