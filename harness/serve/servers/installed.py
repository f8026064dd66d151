"""Which distributions a target needs, which of them are missing and what brings them, and what a version offers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

TOOLKIT = "web-harness"
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_PROGRAM = """
import importlib, json, sys
module, _, name = sys.argv[1].partition(":")
values = getattr(importlib.import_module(module), name)
print(json.dumps([str(getattr(value, "value", value)) for value in values]))
"""
_TIMEOUT_S = 60


def version_of(package: str) -> str:
    """The version that is installed for this interpreter; empty where there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


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
        if extra := _EXTRA.search(line):
            extras[normal(line)] = extra[1]
    return extras


def normal(requirement: str) -> str:
    """The name of the distribution that is required, as the package index compares it."""
    name = _NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", name[0]).lower() if name else ""


@cache
def offered(where: str, python: str = "") -> tuple[str, ...]:
    """The values that the mapping or enumeration at the import string ``where`` holds; empty where it has none.

    A process of its own answers, so that no server is imported here, and that another environment answers for its own.
    """
    try:
        # Not in the user's folder, whose modules -c would import first.
        return tuple(json.loads(answer([python or sys.executable, "-c", _PROGRAM, where], cwd=os.sep)))
    except ValueError:
        return ()


def answer(command: Sequence[str], **options: Any) -> str:
    """What a small program of another interpreter prints; empty where it fails. ``options`` are those of ``run``."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, **options)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
