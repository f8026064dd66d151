"""The studies there are, and what a scenario file may set for each: load on one target alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class StudySettings(BaseModel):
    """Attributes:
    blocks: with fresh servers; the replicate of every figure.
    window_s: length of one window.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    blocks: int = Field(3, ge=1, le=50)
    window_s: float = Field(2.0, gt=0, le=600)


class Neighbours(StudySettings):
    """``rate``: requests per second, the neighbours' included, from a seeded Poisson process."""

    rate: float = Field(160, gt=0, le=100_000)


class FanOut(StudySettings):
    pass


class Latency(StudySettings):
    pass


class Capacity(StudySettings):
    """The search for the highest rate, and the overload after it.

    Attributes:
        bound_ms: what the p99 of response times must not exceed.
        start_rps: where the doubling begins; ``highest_rps``: where it gives up.
        searches: windows of the bisection in each block.
        confirm_s: length of the windows at 0.95 and 1.05 times the rate found.
        overload_s: at 1.5 times that rate, then ``recovery_s`` at half of it, in so many of the last blocks as
            ``overloads`` says; 0 for none.
    """

    bound_ms: float = Field(50, gt=0, le=60_000)
    start_rps: float = Field(100, gt=0)
    highest_rps: float = Field(20_000, gt=0)
    searches: int = Field(5, ge=1, le=50)
    confirm_s: float = Field(4, gt=0, le=600)
    overload_s: float = Field(10, ge=0, le=600)
    recovery_s: float = Field(4, gt=0, le=600)
    overloads: int = Field(3, ge=0, le=50)


class Connections(StudySettings):
    """``rate``: requests per second beside the open connections; ``events_ms``: time between two server-sent events."""

    rate: float = Field(100, gt=0, le=100_000)
    events_ms: int = Field(500, ge=1, le=1000)


STUDIES: Mapping[str, type[StudySettings]] = {
    "neighbours": Neighbours,
    "fan-out": FanOut,
    "latency": Latency,
    "capacity": Capacity,
    "connections": Connections,
}

PARAMETERS: Mapping[str, Mapping[str, bool]] = {
    "neighbours": {"share": True},
    "fan-out": {"calls": True},
    "latency": {"rate": True},
    "capacity": {},
    "connections": {"idle": False, "slow": False, "sockets": False, "streams": False},
}
"""Study → the parameters of its matrix, and whether it cannot do without them."""

REQUESTS: Mapping[str, tuple[int, int]] = {
    "neighbours": (2, 20),
    "fan-out": (1, 1),
    "latency": (1, 1),
    "capacity": (1, 1),
    "connections": (1, 1),
}
"""Study → how many requests its scenario has, at least and at most."""


def check_study(study: str, settings: Mapping[str, Any], matrix: Mapping[str, Any], requests: int) -> None:
    """Raises ``ValueError`` where a scenario's study, its settings or its parameters are not right."""
    if study not in STUDIES:
        raise ValueError(f"'study' must be one of {', '.join(STUDIES)}, not {study!r}")
    try:
        STUDIES[study](**settings)
    except ValidationError as error:
        fault = error.errors()[0]
        name = ".".join(map(str, fault["loc"]))
        if fault["type"] == "extra_forbidden":
            known = ", ".join(STUDIES[study].model_fields)
            raise ValueError(f"'settings' of {study} has no {name!r}; it has {known}") from None
        raise ValueError(f"'settings': {name}: {fault['msg']}, not {fault['input']!r}") from None
    known_parameters = PARAMETERS[study]
    wrong = [name for name in matrix if name not in known_parameters]
    if wrong:
        listed = ", ".join(known_parameters) or "none"
        raise ValueError(f"the matrix of {study} has no parameter {wrong[0]!r}; it has {listed}")
    absent = [name for name, needed in known_parameters.items() if needed and name not in matrix]
    if absent:
        raise ValueError(f"the matrix of {study} needs {absent[0]!r}")
    for name, values in matrix.items():
        if not all(isinstance(value, int | float) and value > 0 for value in values):
            raise ValueError(f"the matrix of {study}: {name!r} takes numbers above 0")
    least, most = REQUESTS[study]
    if not least <= requests <= most:
        wanted = f"{least}" if least == most else f"{least} or more: the fast one first, then each neighbour"
        raise ValueError(f"{study} takes {wanted} [[request]], not {requests}")
