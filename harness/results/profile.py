"""Samples of Python stacks → CPU cost by package and by function, and the differences between two targets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import hypot, sqrt
from pathlib import PurePath

from harness.model import BRIEF, CpuProfile, Frame, Side, Target, WindowRecord
from harness.results.summary import Cell, Layer, PackageCost, ProfileResult

OUTSIDE = "outside Python"
"""The kernel, and native code that runs without the GIL or that no Python function called."""
BUSY = 0.2
"""What other programs had of the server's CPUs, for each second of its own, from which a note mentions it."""
SURE = 2.0
"""Standard errors from which a difference is shown."""
STANDARD = "standard library"
VALIDATION = frozenset({"pydantic", "pydantic_core", "annotated_types", "typing_inspection", "typing_extensions"})
SERVER = frozenset(
    {"a2wsgi", "cheroot", "daphne", "granian", "gunicorn", "h11", "h2", "httptools", "hypercorn", "mod_wsgi", "twisted"}
) | {"uvicorn", "uvloop", "waitress", "websockets", "wsproto"}
DJANGO = frozenset({"django", "asgiref", "ninja", "rest_framework"})
FRAMEWORKS: Mapping[str, frozenset[str]] = {
    "fastapi": frozenset({"fastapi", "starlette"}),
    "flask": frozenset({"flask", "werkzeug", "itsdangerous", "click", "blinker"}),
    "django": DJANGO,
    "django-ninja": DJANGO,
    "django-rest": DJANGO,
    "starlette": frozenset({"starlette"}),
    "tornado": frozenset({"tornado"}),
}
"""Packages of each layer, as their folders are called; of a framework that is not here, the one of its own name."""
GENERATED = "generated code"
_SITE = re.compile(r".*[/\\](?:site|dist)-packages[/\\]")
_STANDARD = re.compile(r".*[/\\](?:lib(?:64)?[/\\]python3\.\d+t?|Lib)[/\\]")
_FROZEN = re.compile(r"<frozen .+>")


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds of CPU per verified reply.

    Attributes:
        name: of a package, or of a function with its file.
        package: the same for a package.
        us: its own; over all, they add up to the target's CPU cost.
        error_us: the standard error of ``us``, from the number of samples.
        total_us: with all that it calls.
    """

    name: str
    package: str
    us: float
    error_us: float
    total_us: float


Part = Cost | PackageCost


@dataclass(frozen=True, slots=True)
class Difference:
    """Microseconds of CPU per verified reply on A's side and on B's.

    Attributes:
        difference: A − B; ``error_us``: its standard error, from the number of samples.
    """

    name: str
    package: str
    a: float
    b: float
    difference: float
    error_us: float


def by_package(profile: CpuProfile) -> tuple[Cost, ...]:
    """Packages, the standard library, the app's own files, calls too brief to attribute, and what is outside Python;
    most first."""
    return _costs(profile, lambda frame: (place := package_of(frame[1], profile.folder), place))


def by_function(profile: CpuProfile) -> tuple[Cost, ...]:
    """Functions, and what is outside Python; most first."""

    def named(frame: Frame) -> tuple[str, str]:
        name, file = frame
        return f"{name} ({short(file, profile.folder)})", package_of(file, profile.folder)

    return _costs(profile, named)


def differences(a: Sequence[Part], b: Sequence[Part]) -> tuple[Difference, ...]:
    """Largest first; what one side lacks costs nothing there."""
    ours, theirs = ({part.name: part for part in side} for side in (a, b))
    rows = []
    for name, part in (theirs | ours).items():
        (x, x_error), (y, y_error) = (
            (side[name].us, side[name].error_us) if name in side else (0.0, 0.0) for side in (ours, theirs)
        )
        rows.append(Difference(name, getattr(part, "package", name), x, y, x - y, hypot(x_error, y_error)))
    return tuple(sorted(rows, key=lambda each: (-abs(each.difference), each.name)))


def profile_results(
    targets: Iterable[Target], cells: Iterable[Cell], records: Iterable[WindowRecord]
) -> tuple[ProfileResult, ...]:
    """What was sampled, by the CPU costs that the run measured, in the order of the targets; without faulty windows."""
    measured = {Side(cell.target, cell.point): cell.cpu_us.value for cell in cells if cell.cpu_us is not None}
    sampled = {each.target: each for record in records if record.sound for each in record.profiles}
    return tuple(
        _result(replace(profile, cpu_us=measured.get(Side(profile.target, profile.point), profile.cpu_us)), target)
        for target in targets
        if (profile := sampled.get(target.name))
    )


def _result(profile: CpuProfile, target: Target) -> ProfileResult:
    packages = tuple(
        PackageCost(cost.name, layer_of(cost.name, target.framework), cost.us, cost.error_us)
        for cost in by_package(profile)
    )
    layers: dict[Layer, float] = {}
    for package in packages:
        layers[package.layer] = layers.get(package.layer, 0.0) + package.us
    return ProfileResult(
        profile.target, profile.point, profile.cpu_us, profile.samples, profile.waited, layers, packages
    )


def layer_of(package: str, framework: str) -> Layer:
    """What a package does in an app of this framework."""
    if package == OUTSIDE:
        return "outside"
    if package == BRIEF[0]:
        return "brief"
    if package in (STANDARD, GENERATED):
        return "interpreter"
    if package in FRAMEWORKS.get(framework, (framework,)):
        return "framework"
    if package in VALIDATION:
        return "validation"
    if package in SERVER:
        return "server"
    # An app's own files keep their paths.
    return "app" if "/" in package or package.endswith(".py") else "library"


def package_of(file: str, folder: str) -> str:
    """The top-level package of an installed file, ``standard library``, or an app's file relative to ``folder``."""
    path = short(file, folder)
    if _SITE.match(file):
        return re.split(r"[/\\]", path)[0].removesuffix(".py")
    if _FROZEN.fullmatch(file) or _STANDARD.match(file):
        return STANDARD
    return path if PurePath(file).is_absolute() else GENERATED


def short(file: str, folder: str) -> str:
    """The path below the folder of installed packages, of the standard library, or of the app."""
    for installed in (_SITE, _STANDARD):
        if match := installed.match(file):
            return file[match.end() :]
    path = PurePath(file)
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else file


def _costs(profile: CpuProfile, named: Callable[[Frame], tuple[str, str]]) -> tuple[Cost, ...]:
    outside = (OUTSIDE, OUTSIDE)
    own, within = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for stack, count in profile.stacks:
        names = [(BRIEF[0], BRIEF[0]) if frame == BRIEF else named(frame) for frame in stack] or [outside]
        own[names[-1]] += count
        within.update(dict.fromkeys(names, count))
    each = profile.cpu_us * profile.in_python / profile.samples
    rest = profile.cpu_us * (1 - profile.in_python)
    costs = []
    for key in {**within, outside: 0}:
        added, counted = (rest, profile.samples) if key == outside else (0.0, own[key])
        costs.append(Cost(*key, each * own[key] + added, each * sqrt(counted), each * within[key] + added))
    return tuple(sorted(costs, key=lambda cost: (-cost.us, cost.name)))
