"""What each app needed: lines of code and packages, counted by one rule for all.

An app is what a target's ``application`` and environment name. Its lines are those of its own modules that these make
use of. Where the contract does what a framework lacks (reading input, the documentation), what the app makes use of is
counted with it; what every app would need, whatever its framework (``apps/contract``, ``apps/backends``), is not. Lines
hold code: no blank lines, comments or docstrings.

Packages are those that come to be imported with it, beyond the framework and what installing the framework brings.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires

from harness.model import OWN, Effort, Target
from harness.serve.servers.installed import normal, version_of
from harness.verify import endpoints_of
from harness.verify.sources import closure, file_of, parsed, reached

SHARED = ("apps.contract", "apps.backends", "apps.upstream")
STAND_INS = {
    "apps.contract.openapi": "documentation",
    "apps.contract.operations": "documentation",
    "apps.contract.pages": "documentation",
    "apps.contract.inbound": "reading input",
}
"""Modules of the contract that do what some frameworks do by themselves, and what that is."""
FLOOR = "raw"
DISTRIBUTIONS = {"django-rest": "djangorestframework"}
"""Framework → what brings it, where that has another name."""
FORMS = {"fastapi": {"File", "Form", "OAuth2PasswordRequestForm", "UploadFile"}, "starlette": {"form"}}
"""Names by which an app reads forms, for which these frameworks import a package that they do not require."""
FORM_PACKAGE = "python-multipart"
_distributions = cache(packages_distributions)


def effort(targets: Iterable[Target]) -> tuple[Effort, ...]:
    """Of every app of the package that one of the targets serves, floors without a framework left out."""
    apps: dict[tuple[str, ...], Target] = {}
    for target in targets:
        if target.application.startswith("apps.") and target.framework != FLOOR and not target.twin_of:
            apps.setdefault(_modules(target), target)
    return tuple(
        effort_of(modules, target.framework, len(endpoints_of(target)), target.environment)
        for modules, target in apps.items()
    )


def _modules(target: Target) -> tuple[str, ...]:
    """The application's, and those that the environment names where the application would name others."""
    application = target.application.partition(":")[0]
    every, _ = closure([application], ())
    own = {named for module in every for named in parsed(module).strings}
    variables = {variable for variable, _ in own}
    pairs = target.environment.items()
    return application, *(name for key, name in pairs if key in variables and (key, name) not in own and file_of(name))


def effort_of(modules: tuple[str, ...], framework: str, endpoints: int, variables: Collection[str] = ()) -> Effort:
    """Of an app by its modules; ``variables`` are those of its environment."""
    every, named = closure(modules, variables)
    used = reached({*modules, *named}, STAND_INS, SHARED)
    lines = {OWN: 0}
    for module, numbers in used.items():
        kind = STAND_INS.get(module, OWN)
        lines[kind] = lines.get(kind, 0) + len(numbers)
    imported = frozenset[str]().union(*(parsed(name).packages for name in every)) - sys.stdlib_module_names
    needed = {name for each in imported for name in _distributions().get(each, ())[:1]}
    if any(parsed(name).words & FORMS.get(framework, set()) for name in used if name not in STAND_INS):
        needed.add(FORM_PACKAGE)
    added = sorted({normal(name) for name in needed} - _brought_by(DISTRIBUTIONS.get(framework, framework)))
    name = modules[-1].removeprefix("apps.")
    packages = {package: version_of(package) for package in added}
    return Effort(name, framework, endpoints, lines, packages)


@cache
def _brought_by(framework: str) -> frozenset[str]:
    """The framework's distribution and all that it requires, extras left out."""
    distributions, waiting = {framework}, [framework]
    while waiting:
        try:
            required = requires(waiting.pop()) or []
        except PackageNotFoundError:
            continue
        names = {normal(text) for text in required if "extra ==" not in text}
        waiting += names - distributions
        distributions |= names
    return frozenset(distributions)
