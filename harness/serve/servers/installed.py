"""Which distributions a target needs, which of them are missing and what brings them, and what a version offers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version

from harness.serve.servers.spec import Options, Server

TOOLKIT = "web-harness"
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_ASK = """
import importlib, json, sys
module, _, name = sys.argv[1].partition(":")
found = getattr(importlib.import_module(module), name)
print(json.dumps([str(getattr(value, "value", value)) for value in found]))
"""
_TIMEOUT_S = 30


def version_of(package: str) -> str:
    """The version that is installed for this interpreter; empty where there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def packages_of(server: Server, options: Options) -> tuple[str, ...]:
    """The distributions that are needed: the server, and what its options ask for."""
    chosen = options.model_dump()
    extra = [values.get(str(chosen.get(option)), "") for option, values in server.needs.items()]
    return tuple(dict.fromkeys([server.package, *filter(None, extra)]))


def how_to_install(package: str) -> str:
    """The command that brings a distribution: by an extra of this toolkit, where one has it."""
    extra = extra_of(package)
    return f"pip install '{TOOLKIT}[{extra}]'" if extra else f"pip install {package}"


def extra_of(package: str) -> str:
    """The extra of this toolkit that brings a distribution; empty where it comes with the toolkit, or by itself."""
    return _extras().get(normal(package), "")


@cache
def _extras() -> dict[str, str]:
    try:
        lines = requires(TOOLKIT) or []
    except PackageNotFoundError:
        return {}
    extras = {}
    for line in lines:
        extra, name = _EXTRA.search(line), _NAME.match(line)
        if extra and name:
            extras[normal(name[0])] = extra[1]
    return extras


def normal(name: str) -> str:
    """A distribution's name as the package index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def offered(where: str, python: str = "") -> tuple[str, ...]:
    """The values that the mapping or enumeration at the import string ``where`` holds; empty where it has none.

    A process of its own answers, so that no server is imported here, and that another environment's is asked itself.
    """
    try:
        done = subprocess.run(
            [python or sys.executable, "-c", _ASK, where],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            # Not in the user's folder, whose modules -c would import first.
            cwd=os.sep,
        )
        return tuple(json.loads(done.stdout)) if done.returncode == 0 else ()
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return ()
