"""Whether the distributions that a target needs are there, and what brings those that are not."""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version

from harness.servers.spec import Options, Server

TOOLKIT = "web-harness"
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def version_of(package: str) -> str:
    """The version that is installed for this interpreter; empty where there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def packages_of(server: Server, options: Options) -> tuple[str, ...]:
    """The distributions that are needed: the server, and what its options ask for."""
    chosen = options.model_dump()
    found = [values.get(str(chosen.get(option)), "") for option, values in server.needs.items()]
    return tuple(dict.fromkeys([server.package, *filter(None, found)]))


def how_to_install(package: str) -> str:
    """The command that brings a distribution: by an extra of this toolkit, where one has it."""
    extra = extra_of(package)
    return f"pip install '{TOOLKIT}[{extra}]'" if extra else f"pip install {package}"


def extra_of(package: str) -> str:
    """The extra of this toolkit that brings a distribution; empty where it comes with the toolkit, or by itself."""
    return _extras().get(_normal(package), "")


@cache
def _extras() -> dict[str, str]:
    try:
        lines = requires(TOOLKIT) or []
    except PackageNotFoundError:
        return {}
    found = {}
    for line in lines:
        extra, name = _EXTRA.search(line), _NAME.match(line)
        if extra and name:
            found[_normal(name[0])] = extra[1]
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
