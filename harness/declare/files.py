"""The form of ``targets.toml`` and ``scenarios/*.toml``, and what of it becomes which noun."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.declare.study_settings import check_study
from harness.model import (
    Interface,
    Ladder,
    LadderKind,
    Metric,
    OptionValue,
    ParamValue,
    PlannedRequest,
    Question,
    Rung,
    Scenario,
    Target,
)
from harness.placement import detect

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._~-]*$")]
ImportString = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class TargetIn(_Strict):
    name: Name
    framework: Name
    interface: Interface
    server: Name
    application: ImportString
    options: dict[str, OptionValue] = {}
    workers: Annotated[int, Field(ge=1, le=256)] | Literal["cpus"] = 1
    threads: int = Field(1, ge=1, le=1024)
    endpoints: list[str] = []
    lacks: dict[str, str] = {}
    reference: bool = False
    python: str = ""
    environment: dict[str, str] = {}
    variant: bool = False
    default: bool = True

    def model(self) -> Target:
        values = self.model_dump()
        per_cpu = self.workers == "cpus"
        workers = detect().per_cpu if per_cpu else self.workers
        return Target(**{**values, "endpoints": tuple(self.endpoints), "workers": workers, "per_cpu": per_cpu})


class ContrastIn(_Strict):
    """``a`` against ``b`` at every point that both can serve, or at those of ``scenarios``."""

    question: Question
    label: str = ""
    a: Name
    b: Name
    scenarios: list[str] = ["*"]
    metrics: list[Metric] = ["cpu_cost", "throughput"]


class RungIn(_Strict):
    label: str = Field(min_length=1)
    target: Name
    scenario: Name


class LadderIn(_Strict):
    """A chain of contrasts in CPU cost, from the bottom up: ``target`` in ``scenario`` against the rung below it."""

    name: Name
    title: str = Field(min_length=1)
    kind: LadderKind
    rungs: list[RungIn] = Field(min_length=2)

    @model_validator(mode="after")
    def _each_once(self) -> LadderIn:
        places = [(rung.target, rung.scenario) for rung in self.rungs]
        twice = next((place for place in places if places.count(place) > 1), None)
        if twice:
            raise ValueError(f"{twice[0]!r} in {twice[1]!r} is on two rungs")
        return self

    def model(self) -> Ladder:
        return Ladder(self.name, self.title, self.kind, tuple(Rung(r.label, r.target, r.scenario) for r in self.rungs))


class TargetsFile(_Strict):
    target: list[TargetIn] = []
    contrast: list[ContrastIn] = []
    ladder: list[LadderIn] = []


class RequestIn(_Strict):
    endpoint: Name
    case: str = ""
    params: dict[str, ParamValue] = {}
    weight: int = Field(1, ge=1)


class ScenarioFile(_Strict):
    title: str
    question: Question
    why: str
    concurrency: list[Annotated[int, Field(ge=1, le=10_000)]] = Field(min_length=1)
    request: list[RequestIn] = Field(min_length=1)
    group: str = ""
    against: str = ""
    wait_ms: str = ""
    order: int = 100
    matrix: dict[str, list[ParamValue]] = {}
    quick: dict[str, list[ParamValue]] = {}
    grid: dict[str, list[ParamValue]] = {}
    bisect: str = ""
    study: str = ""
    settings: dict[str, ParamValue] = {}
    targets: list[str] = []

    @model_validator(mode="after")
    def _consistent(self) -> ScenarioFile:
        if self.against and not self.group:
            raise ValueError("'against' needs a 'group' that both scenarios share")
        for name, settings in (("quick", self.quick), ("grid", self.grid)):
            unknown = set(settings) - set(self.matrix) - {"concurrency"}
            if unknown:
                raise ValueError(f"{name!r} names {', '.join(sorted(unknown))}, which 'matrix' does not have")
        if self.bisect and self.wait_ms != f"{{{self.bisect}}}":
            raise ValueError(f"'bisect' needs wait_ms = \"{{{self.bisect}}}\": only a wait can be bisected")
        if self.bisect and self.bisect not in self.matrix:
            raise ValueError(f"'bisect' names {self.bisect}, which 'matrix' does not have")
        if self.study:
            check_study(self.study, self.settings, self.matrix, len(self.request))
        elif self.settings or self.targets:
            raise ValueError("'settings' and 'targets' are for scenarios with a 'study'")
        return self

    def model(self, name: str) -> Scenario:
        return Scenario(
            name=name,
            title=self.title,
            question=self.question,
            why=self.why,
            requests=tuple(PlannedRequest(r.endpoint, r.case, r.params, r.weight) for r in self.request),
            concurrency=tuple(self.concurrency),
            matrix={key: tuple(values) for key, values in self.matrix.items()},
            quick={key: tuple(values) for key, values in self.quick.items()},
            group=self.group,
            against=self.against,
            wait_ms=self.wait_ms,
            grid={key: tuple(values) for key, values in self.grid.items()},
            bisect=self.bisect,
            study=self.study,
            settings=self.settings,
            targets=tuple(self.targets),
        )
