"""What users write, read and validated: ``targets.toml``, ``scenarios/*.toml``, targets spelled out in a command.

A project's own files in the working directory come before those inside the package.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.declare.study_settings import check_study
from harness.errors import DeclarationError, UsageError
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
from harness.toml_lines import line_of

PACKAGED = Path(__file__).resolve().parents[2]
Model = TypeVar("Model", bound=BaseModel)
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


@dataclass(frozen=True, slots=True)
class Declarations:
    """All that is declared; ``own_targets`` are the names that the project's own ``targets.toml`` gave."""

    targets: tuple[Target, ...]
    contrasts: tuple[ContrastIn, ...]
    scenarios: tuple[Scenario, ...]
    own_targets: frozenset[str] = frozenset()
    ladders: tuple[Ladder, ...] = ()


def load_declarations(folder: Path | None = None) -> Declarations:
    """Reads the packaged files and then the project's own in ``folder`` (default: the working directory)."""
    folder = folder or Path.cwd()
    files = [PACKAGED / "apps" / "targets.toml", folder / "targets.toml"]
    targets: dict[str, Target] = {}
    contrasts: list[ContrastIn] = []
    ladders: dict[str, Ladder] = {}
    own: frozenset[str] = frozenset()
    for file in files:
        if not file.is_file():
            continue
        names, declared = _read_targets(file)
        targets.update(names)
        contrasts += declared.contrast
        ladders |= {ladder.name: ladder.model() for ladder in declared.ladder}
        if file is files[1]:
            own = frozenset(names)
    for contrast in contrasts:
        for name in (contrast.a, contrast.b):
            if name not in targets:
                raise UsageError(f"contrast {contrast.label!r} names the target {name!r}, which is not declared")
    scenarios: dict[str, Scenario] = {}
    order: dict[str, int] = {}
    for directory in dict.fromkeys([PACKAGED / "scenarios", folder / "scenarios"]):
        for file in sorted(directory.glob("*.toml")):
            declared_file = read_scenario(file)
            scenarios[file.stem], order[file.stem] = declared_file.model(file.stem), declared_file.order
    for ladder in ladders.values():
        for rung in ladder.rungs:
            for kind, name, known in (("target", rung.target, targets), ("scenario", rung.scenario, scenarios)):
                if name not in known:
                    raise UsageError(f"ladder {ladder.name!r} names the {kind} {name!r}, which is not declared")
    listed = sorted(scenarios.values(), key=lambda scenario: (order[scenario.name], scenario.name))
    return Declarations(tuple(targets.values()), tuple(contrasts), tuple(listed), own, tuple(ladders.values()))


def read_scenario(file: Path) -> ScenarioFile:
    """Raises ``DeclarationError``, with file, line and key."""
    return _validated(ScenarioFile, file)


def select_targets(
    declarations: Declarations, patterns: Iterable[str], interface_of: Callable[[str], Interface]
) -> tuple[Target, ...]:
    """The targets that the globs name; spelled-out ones (``pkg.mod:attr@server``) are built on the spot.

    ``interface_of`` tells the interface that a server speaks unless the target says otherwise.
    """
    chosen: dict[str, Target] = {}
    known = {target.name: target for target in declarations.targets}
    for pattern in patterns:
        if "@" in pattern:
            target = parse_target(pattern, interface_of)
            chosen[target.name] = target
            continue
        for name in match_names(pattern, known, "target"):
            chosen[name] = known[name]
    if not chosen:
        own = declarations.own_targets
        chosen = {name: target for name, target in known.items() if name in own or (not own and target.default)}
    return tuple(chosen.values())


def select_scenarios(declarations: Declarations, patterns: Iterable[str]) -> tuple[Scenario, ...]:
    known = {scenario.name: scenario for scenario in declarations.scenarios}
    names = [name for pattern in patterns for name in match_names(pattern, known, "scenario")]
    return tuple(known[name] for name in dict.fromkeys(names)) or declarations.scenarios


def match_names(pattern: str, known: Mapping[str, object], kind: str) -> list[str]:
    """Names that match the glob.

    Raises:
        UsageError: none does; the nearest names are offered.
    """
    found = [name for name in known if fnmatchcase(name, pattern)]
    if found:
        return found
    near = get_close_matches(pattern.strip("*"), known, n=3, cutoff=0.5)
    near += [name for name in known if pattern.strip("*?") in name and name not in near][: 3 - len(near)]
    hint = f"did you mean {' or '.join(near)}?" if near else f"harness list {kind}s shows them all"
    raise UsageError(f"no {kind} is called {pattern!r}", hint=hint)


def parse_target(text: str, interface_of: Callable[[str], Interface]) -> Target:
    """A target spelled out: ``package.module:attribute@server[,option=value]…``.

    ``python``, ``workers``, ``threads``, ``interface`` and ``name`` are the toolkit's own; other options are the
    server's.
    """
    application, _, rest = text.partition("@")
    server, *pairs = rest.split(",")
    values: dict[str, Any] = {}
    options: dict[str, OptionValue] = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or not key:
            raise UsageError(f"{text!r}: {pair!r} is not an option", hint="write option=value")
        if key in ("workers", "threads"):
            if not value.isdigit() and (key, value) != ("workers", "cpus"):
                raise UsageError(f"{text!r}: {key} must be a whole number, not {value!r}")
            values[key] = int(value) if value.isdigit() else value
        elif key in ("python", "interface", "name"):
            values[key] = value
        else:
            options[key] = _option(value)
    name = values.pop("name", "") or "".join(c if c.isalnum() or c in "._-" else "-" for c in text)
    values.setdefault("interface", interface_of(server))
    try:
        declared = TargetIn(
            name=name, framework="own", server=server, application=application, options=options, **values
        )
    except ValidationError as error:
        fault = error.errors()[0]
        raise UsageError(
            f"{text!r}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}",
            hint="write package.module:attribute@server[,option=value]…",
        ) from None
    return declared.model()


def _option(text: str) -> OptionValue:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    return int(text) if text.lstrip("-").isdigit() else text


def _read_targets(file: Path) -> tuple[dict[str, Target], TargetsFile]:
    declared = _validated(TargetsFile, file)
    targets: dict[str, Target] = {}
    for entry in declared.target:
        if entry.name in targets:
            raise DeclarationError(f"{entry.name!r} is declared twice", file=str(file), key="target.name")
        targets[entry.name] = entry.model()
    names = [ladder.name for ladder in declared.ladder]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise DeclarationError(f"{twice!r} is declared twice", file=str(file), key="ladder.name")
    return targets, declared


def _validated(model: type[Model], file: Path) -> Model:
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DeclarationError(f"cannot be read: {error}", file=str(file)) from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DeclarationError(f"not valid TOML: {error}", file=str(file), hint="see https://toml.io") from None
    try:
        return model.model_validate(document)
    except ValidationError as error:
        fault = error.errors()[0]
        location = tuple(fault["loc"])
        message = str(fault["msg"])
        if fault["type"] == "extra_forbidden":
            message = "unknown key; expected one of " + ", ".join(sorted(_keys_at(model, location[:-1])))
        elif "input" in fault and not isinstance(fault["input"], dict | list):
            message += f", not {fault['input']!r}"
        raise DeclarationError(
            message, file=str(file), line=line_of(text, location), key=".".join(map(str, location))
        ) from None


def _keys_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys accepted at a place of the document."""
    for step in location:
        if isinstance(step, int):
            continue
        annotation: Any = model.model_fields[step].annotation
        inner = [part for part in getattr(annotation, "__args__", ()) if isinstance(part, type)]
        if not inner or not issubclass(inner[0], BaseModel):
            return []
        model = inner[0]
    return list(model.model_fields)
