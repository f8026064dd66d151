"""The form of ``targets.toml`` and ``scenarios/*.toml``, and the nouns that are made from them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from harness.config.placement import detect
from harness.config.requests import planned, raw_request
from harness.model import (
    Interface,
    Ladder,
    LadderKind,
    OptionValue,
    ParamValue,
    PlannedRequest,
    Question,
    Rung,
    Scenario,
    SliceMetric,
    Target,
)
from harness.model.difference import WHOLE
from harness.studies.registry import DECLARED

NAME, READY = r"^[A-Za-z0-9][A-Za-z0-9._~-]*$", r"^(/[\x21-\x7e]*)?$"
IN_WORDS = {NAME: "a name of letters, digits and any of . _ ~ -", READY: "a path that begins with /"}
Name = Annotated[str, Field(pattern=NAME)]
Workers = Annotated[int, Field(ge=1, le=256)] | Literal["cpus"]
Threads = Annotated[int, Field(ge=1, le=1024)]


def _import_string(text: str) -> str:
    """The import string in full: ``mysite.wsgi`` is ``mysite.wsgi:application``, as Django makes it."""
    if text.rpartition(".")[2] in ("wsgi", "asgi"):
        text += ":application"
    match = re.fullmatch(r"[A-Za-z_][\w.]*:([A-Za-z_][\w.]*(\(.*\))?)", text)
    if not match:
        raise ValueError("must be package.module:attribute or package.module:factory()")
    if match[2]:
        try:
            call = ast.parse(match[1], mode="eval").body
            assert isinstance(call, ast.Call)
            assert ast.unparse(call.func) == match[1].partition("(")[0]
            for value in (*call.args, *(keyword.value for keyword in call.keywords)):
                ast.literal_eval(value)
        except (SyntaxError, ValueError, AssertionError):
            raise ValueError("the arguments of a factory must be literals, such as 'testing' or debug=False") from None
    return text


ImportString = Annotated[str, AfterValidator(_import_string)]
ReadyPath = Annotated[str, Field(pattern=READY)]
StartupTimeout = Annotated[float, Field(ge=30, le=3600)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class TargetIn(_Strict):
    name: Name
    framework: Name
    interface: Interface
    server: Name
    application: ImportString
    options: dict[str, OptionValue] = {}
    workers: Workers = 1
    threads: Threads = 1
    endpoints: list[str] = []
    lacks: dict[str, str] = {}
    adds: list[str] = []
    reference: bool = False
    python: str = ""
    environment: dict[str, str] = {}
    variant: bool = False
    default: bool = True
    cwd: str = ""
    env_file: str = ""
    startup_timeout: StartupTimeout | None = None
    description: str = ""
    ready: ReadyPath = ""

    def model(self) -> Target:
        values = self.model_dump()
        per_cpu = self.workers == "cpus"
        workers = detect().per_cpu if per_cpu else self.workers
        lists = {"endpoints": tuple(self.endpoints), "adds": tuple(self.adds)}
        timeout = self.startup_timeout or 0.0
        return Target(**{**values, **lists, "workers": workers, "per_cpu": per_cpu, "startup_timeout": timeout})


OWN = ("python", "interface", "name", "cwd", "env_file", "ready", "endpoints")
"""Options of a target specified in a command that are not its server's; and ``ENV`` with the name of a variable."""
ENV = "env."
OPTIONS = (*OWN, "workers", "threads", "startup_timeout", f"{ENV}NAME")
"""All that such a target takes besides its server's options."""


class ServerIn(_Strict):
    """One way to run a server, for every app that names it."""

    program: Name
    options: dict[str, OptionValue] = {}
    workers: Workers = 1
    threads: Threads = 1
    lacks: dict[str, str] = {}


class AppIn(_Strict):
    """An implementation of the contract, and the servers that it runs under: a target each.

    Attributes:
        framework: default: the app's own name.
        servers: names of ``[servers]``; the first is the one of the ``reference`` target.
        variants: more names of ``[servers]``: their targets are other ways to serve the app.
        names: server → name of the target, where it is not ``app-server``.
    """

    name: Name
    framework: Name = ""
    interface: Interface
    application: ImportString
    servers: list[Name] = []
    variants: list[Name] = []
    names: dict[str, Name] = {}
    endpoints: list[str] = ["*"]
    lacks: dict[str, str] = {}
    adds: list[str] = []
    environment: dict[str, str] = {}
    reference: bool = False
    default: bool = True

    @model_validator(mode="after")
    def _under_some_server(self) -> AppIn:
        used = [*self.servers, *self.variants]
        if not used:
            raise ValueError("'servers' or 'variants' must name a server")
        if unused := next((server for server in self.names if server not in used), None):
            raise ValueError(f"'names' has the server {unused!r}, which is not in 'servers' or 'variants'")
        return self

    def target(self, server: str, run: ServerIn, lacks: Mapping[str, Mapping[str, str]]) -> TargetIn:
        """Under one server; what it ``lacks`` by interface, server, framework and app, of which the latter counts."""
        framework = self.framework or self.name
        merged = {**lacks.get(self.interface, {}), **run.lacks, **lacks.get(framework, {}), **self.lacks}
        return TargetIn(
            name=self.names.get(server, f"{self.name}-{server}"),
            framework=framework,
            interface=self.interface,
            server=run.program,
            application=self.application,
            options=run.options,
            workers=run.workers,
            threads=run.threads,
            endpoints=self.endpoints,
            lacks={what: why for what, why in merged.items() if self._concerns(what)},
            adds=self.adds,
            reference=self.reference and server == self.servers[0],
            environment=self.environment,
            variant=server in self.variants,
            default=self.default,
        )

    def _concerns(self, what: str) -> bool:
        """Whether it is about the app: a case of an endpoint that the app does not have is not."""
        endpoint, is_case, _ = what.partition("/")
        return not is_case or "*" in self.endpoints or any(fnmatchcase(name, endpoint) for name in self.endpoints)


class ContrastIn(_Strict):
    """``a`` against ``b`` at every point that both can serve, or at those of ``scenarios``."""

    question: Question
    label: str = ""
    a: Name
    b: Name
    scenarios: list[str] = ["*"]
    metrics: list[SliceMetric] = ["cpu_cost", "throughput"]


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
        repeated = next((place for place in places if places.count(place) > 1), None)
        if repeated:
            raise ValueError(f"{repeated[0]!r} in {repeated[1]!r} is on two rungs")
        return self

    def model(self) -> Ladder:
        return Ladder(self.name, self.title, self.kind, tuple(Rung(r.label, r.target, r.scenario) for r in self.rungs))


class TargetsFile(_Strict):
    """``lacks``: by interface or framework, what every app of it lacks."""

    servers: dict[Name, ServerIn] = {}
    lacks: dict[str, dict[str, str]] = {}
    app: list[AppIn] = []
    target: list[TargetIn] = []
    contrast: list[ContrastIn] = []
    ladder: list[LadderIn] = []


class RequestIn(_Strict):
    """A case of an ``endpoint`` of the contract, or a ``path`` of an own app, with what is sent and expected there."""

    endpoint: str = ""
    case: str = ""
    params: dict[str, ParamValue] = {}
    weight: int = Field(1, ge=1)
    name: str = ""
    method: str = ""
    path: str = ""
    headers: dict[str, str] = {}
    body: str | dict[str, Any] | list[Any] = ""
    status: int = 0
    volatile: list[str] = []
    ignore_body: bool = False

    @model_validator(mode="after")
    def _of_one_kind(self) -> RequestIn:
        if bool(self.endpoint) == bool(self.path):
            raise ValueError("needs 'endpoint', for an app with the contract, or 'path', for any other")
        others = {"case", "params"} if self.path else self.__class__.model_fields.keys() - {*_CONTRACT, "weight"}
        if unsupported := sorted(others & self.model_fields_set - {"path"}):
            raise ValueError(f"{unsupported[0]!r} cannot be combined with {'path' if self.path else 'endpoint'!r}")
        self.model()
        return self

    def model(self) -> PlannedRequest:
        if self.endpoint:
            return PlannedRequest(self.endpoint, self.case, self.params, self.weight)
        body = self.body if isinstance(self.body, str) else json.dumps(self.body)
        volatile = [WHOLE] if self.ignore_body else self.volatile
        raw = raw_request(self.path, self.method, tuple(self.headers.items()), body.encode(), self.status, volatile)
        return planned(raw, self.weight, self.name)


_CONTRACT = ("endpoint", "case", "params")
CONCURRENCY = 32
"""The default for requests to an own app."""


class ScenarioFile(_Strict):
    """``title``, ``question``, ``why`` and ``concurrency`` may be left out where the requests are an own app's."""

    title: str = ""
    question: Question = "pick"
    why: str = ""
    request: list[RequestIn] = Field(min_length=1)
    concurrency: list[Annotated[int, Field(ge=1, le=10_000)]] = []
    group: str = ""
    against: str = ""
    adds: str = ""
    wait_ms: str = ""
    order: int = 100
    matrix: dict[str, list[ParamValue]] = {}
    quick: dict[str, list[ParamValue]] = {}
    grid: dict[str, list[ParamValue]] = {}
    bisect: str = ""
    study: str = ""
    settings: dict[str, ParamValue] = {}
    targets: list[str] = []

    @property
    def own(self) -> bool:
        return all(request.path for request in self.request)

    @model_validator(mode="after")
    def _consistent(self) -> ScenarioFile:
        if not self.own and (missing := {"title", "question", "why"} - self.model_fields_set):
            raise ValueError(f"{sorted(missing)[0]!r} is missing")
        if not self.own and any(request.path for request in self.request):
            raise ValueError("requests name an 'endpoint' each, or a 'path' each")
        if self.own and (unsupported := sorted({"matrix", "study", "grid", "bisect"} & self.model_fields_set)):
            raise ValueError(f"{unsupported[0]!r} is for requests that name an 'endpoint'")
        if self.against and not self.group:
            raise ValueError("'against' needs a 'group' that both scenarios share")
        if self.adds and not self.against:
            raise ValueError("'adds' says what is added to 'against': 'against' is missing")
        for name, settings in (("quick", self.quick), ("grid", self.grid)):
            unknown = set(settings) - set(self.matrix) - {"concurrency"}
            if unknown:
                raise ValueError(f"{name!r} names {', '.join(sorted(unknown))}, which 'matrix' does not have")
        if self.bisect and self.wait_ms != f"{{{self.bisect}}}":
            raise ValueError(f"'bisect' needs wait_ms = \"{{{self.bisect}}}\": only a wait can be bisected")
        if self.bisect and self.bisect not in self.matrix:
            raise ValueError(f"'bisect' names {self.bisect}, which 'matrix' does not have")
        if self.study:
            if self.study not in DECLARED:
                raise ValueError(f"'study' must be one of {', '.join(DECLARED)}, not {self.study!r}")
            DECLARED[self.study].check(self.settings, self.matrix, len(self.request), self.concurrency)
        elif self.settings or self.targets:
            raise ValueError("'settings' and 'targets' are for scenarios with a 'study'")
        elif not self.concurrency and not self.own:
            raise ValueError("'concurrency' must name one number of connections or more")
        return self

    def model(self, name: str) -> Scenario:
        values = self.model_dump(exclude={"order", "request"})
        values["requests"] = [request.model() for request in self.request]
        if self.own:
            values |= {"title": self.title or name, "concurrency": self.concurrency or [CONCURRENCY]}
        return _SCENARIO.validate_python({"name": name, **values})


_SCENARIO = TypeAdapter(Scenario)
