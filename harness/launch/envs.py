"""Environments that differ from a given one in some packages: made by uv, kept in a cache, shared between runs."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.errors import NotReadyError, UsageError
from harness.model import Target

TOOLKIT = "web-harness"


def cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / TOOLKIT / "environments"


def with_packages(requirements: Sequence[str], python: str = "", cache: Path | None = None) -> Path:
    """The interpreter of an environment that holds what ``python``'s holds, but for ``requirements``.

    First everything is installed as it stands there; then the requirements, with every other package by name alone, so
    that only those change that no longer fit (``packages_of`` tells which).

    Args:
        requirements: such as ``starlette==0.47``.
        python: interpreter of the environment to start from; the one that runs ``harness`` where empty.

    Raises:
        NotReadyError: uv is missing, or cannot make the environment; its own words are in the message.
        UsageError: there is nothing to install.
    """
    wanted = sorted(requirement.strip() for requirement in requirements if requirement.strip())
    if not wanted:
        raise UsageError("no package was named", hint="write, say, --with-a 'starlette==0.47'")
    uv = shutil.which("uv")
    if uv is None:
        raise NotReadyError("uv is needed to make an environment", hint="pip install uv")
    base = python or sys.executable
    packages = _frozen(uv, base)
    key = hashlib.sha256("\n".join([_version(base), *packages, "--", *wanted]).encode()).hexdigest()[:16]
    folder = (cache or cache_folder()) / key
    interpreter = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if (folder / "complete").exists():
        return interpreter
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _run([uv, "venv", "--quiet", "--python", base, str(folder)])
    install = [uv, "pip", "install", "--quiet", "--python", str(interpreter)]
    if packages:
        _run([*install, "--no-deps", "-r", "-"], "\n".join(packages))
    names = [package.partition("==")[0] for package in packages if "==" in package]
    _run([*install, *wanted, *names])
    (folder / "complete").write_text("\n".join(wanted))
    return interpreter


def packages_of(python: str = "") -> dict[str, str]:
    """Name → version of everything installed for an interpreter; empty where uv is missing."""
    uv = shutil.which("uv")
    if uv is None:
        return {}
    pairs = (line.partition("==") for line in _frozen(uv, python or sys.executable))
    return {name: version for name, separator, version in pairs if separator}


def own_packages(targets: Iterable[Target]) -> dict[str, dict[str, str]]:
    """``packages_of`` each target that has an interpreter of its own; one that cannot be run is told when it starts."""
    by_python: dict[str, dict[str, str]] = {}
    found = {}
    for target in targets:
        if target.python:
            if target.python not in by_python:
                try:
                    by_python[target.python] = packages_of(target.python)
                except NotReadyError:
                    by_python[target.python] = {}
            found[target.name] = by_python[target.python]
    return found


def shadowed(targets: Iterable[Target]) -> list[str]:
    """A warning for each target whose own environment holds its app, while the working folder holds another.

    Servers look into the working folder first, so that two versions in two environments would be one and the same.
    """
    found = []
    for target in targets:
        if not target.python:
            continue
        module = target.application.partition(":")[0].partition(".")[0]
        here, own = (_origin(target.python, flag, module) for flag in ("-c", "-Ic"))
        if own and here != own:
            found.append(
                f"{target.name}: {module} comes from {here}, in the working folder, and not from its environment "
                f"({own}): run from another folder"
            )
    return found


def _origin(python: str, flag: str, module: str) -> str:
    """The file that a module is imported from; empty where there is none."""
    code = f"import importlib.util as u; s = u.find_spec({module!r}); print(s.origin if s else '')"
    try:
        done = subprocess.run([python, flag, code], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def _frozen(uv: str, python: str) -> list[str]:
    lines = _run([uv, "pip", "freeze", "--quiet", "--python", python]).splitlines()
    return [line for line in lines if line and not line.startswith("#") and TOOLKIT not in line]


def _version(python: str) -> str:
    return _run([python, "-c", "import sys; print(sys.version, sys.prefix)"])


def _run(command: Sequence[str], text: str = "") -> str:
    try:
        # Away from the project's folder, whose own constraints uv would apply here too.
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, check=False, env=_environment(), cwd=Path(os.sep)
        )
    except OSError as error:
        raise NotReadyError(f"{command[0]} cannot be run: {error.strerror}") from None
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise NotReadyError("an environment could not be made: " + " ".join(said[:6]))
    return done.stdout


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")}
