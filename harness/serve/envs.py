"""Environments made by uv and kept in a cache, such as those that differ from another one in some packages."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import compress
from pathlib import Path

from harness.errors import NotReadyError, UsageError
from harness.model import Reason, Target
from harness.serve.server import working_folder
from harness.serve.servers.installed import TOOLKIT, answer, normal

RETAINED = 20
"""How many environments stay, however long ago they were used."""
UNUSED_S = 24 * 3600.0
"""After this time no measurement uses one any more."""
_INTERPRETER = re.compile(r"python={1,2}(.+)")
_ABOUT = """import platform, sysconfig
threads = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
print(platform.python_implementation(), platform.python_version() + threads)"""
Install = tuple[list[str], str]
"""Words after ``uv pip install``, and what it reads."""


def with_packages(requirements: Sequence[str], python: str = "", cache: Path | None = None) -> Path:
    """The interpreter of an environment that holds what ``python``'s holds, but for ``requirements``.

    First everything is installed as it stands there; then the requirements, with every other package by name alone, so
    that only those change that no longer fit (``packages_of`` says which). For another interpreter, packages that are
    not built for it are left out: few are built for every one, and a server that needs them says so when it starts.

    Args:
        requirements: such as ``starlette==0.47``; ``python==3.14t``, as uv names interpreters; ``python=PATH``.
        python: interpreter of the environment to start from; the one that runs ``harness`` where empty.

    Raises:
        NotReadyError: uv is missing, or cannot make the environment; uv's message is included.
        UsageError: there is nothing to install, or there are two interpreters.
    """
    requested = sorted(requirement.strip() for requirement in requirements if requirement.strip())
    wanted = [each for each in requested if not _INTERPRETER.fullmatch(each)]
    interpreters = [match[1].strip() for each in requested if (match := _INTERPRETER.fullmatch(each))]
    if not requested:
        raise UsageError("no package was named", hint="write, say, --with-a 'starlette==0.47'")
    if interpreters[1:]:
        raise UsageError(f"a side has one interpreter, not {' and '.join(interpreters)}")
    base = python or sys.executable
    packages = _frozen(base)
    unchanged = [package for package in packages if normal(package) not in set(map(normal, wanted))]
    into = _interpreter(interpreters[0]) if interpreters else base
    key = [*packages, "--", *wanted]
    names = [package.partition("==")[0] for package in packages if "==" in package]
    try:
        return cached_environment(into, key, _installs(unchanged, [*wanted, *names]), cache)
    except NotReadyError:
        if not interpreters:
            raise
    with ThreadPoolExecutor() as pool:
        built = list(pool.map(partial(_is_built, into), unchanged))
    return cached_environment(into, key, _installs(list(compress(unchanged, built)), wanted), cache)


def _installs(exact: Sequence[str], fitting: Sequence[str]) -> list[Install]:
    """First what is taken as it stands, then what has to fit; a list that is empty makes no install."""
    steps: list[tuple[Sequence[str], Install]] = [
        (exact, (["--no-deps", "-r", "-"], "\n".join(exact))),
        (fitting, (list(fitting), "")),
    ]
    return [install for requirements, install in steps if requirements]


def _is_built(python: str, package: str) -> bool:
    """Whether this version can be installed for the interpreter without a compiler; a folder or an address can."""
    if "==" not in package:
        return True
    try:
        uv("pip", "compile", "--quiet", "--no-deps", "--no-build", "--python", python, "-", text=package)
    except NotReadyError:
        return False
    return True


def _interpreter(request: str) -> str:
    """What uv finds, or else installs, for ``3.13``, ``3.14t`` or ``pypy3.11``; or the interpreter at a path."""
    if os.sep in request:
        return str(Path(request).expanduser().absolute())
    with contextlib.suppress(NotReadyError):
        return uv("python", "find", request).strip()
    try:
        uv("python", "install", "--no-progress", request)
        return uv("python", "find", request).strip()
    except NotReadyError as error:
        raise NotReadyError(str(error), hint="python=PATH takes an interpreter that is installed") from None


def cached_environment(
    base: str, key: Sequence[str], installs: Sequence[Install], cache: Path | None = None, folder: Path = Path(os.sep)
) -> Path:
    """The interpreter of an environment made from ``base`` by these ``uv pip install``; cached under its ``key``."""
    digest = hashlib.sha256("\n".join([_version(base), *key]).encode()).hexdigest()[:16]
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    environment = (cache or caches / TOOLKIT / "environments") / digest
    python = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    if not (environment / "complete").exists():
        environment.parent.mkdir(parents=True, exist_ok=True)
        prune(environment.parent)
        made = Path(tempfile.mkdtemp(prefix=f"{digest}-", dir=environment.parent))
        try:
            uv("venv", "--quiet", "--relocatable", "--clear", "--python", base, str(made))
            for words, text in installs:
                uv("pip", "install", "--quiet", "--python", str(made / python), *words, text=text, folder=folder)
            (made / "complete").touch()
            # Another process may have made the same one meanwhile.
            with contextlib.suppress(OSError):
                made.rename(environment)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    os.utime(environment)
    return environment / python


def prune(cache: Path) -> None:
    """Removes environments that were not used for a day, but for the ones used last; half-made ones go with them."""
    used = {folder: folder.stat().st_mtime for folder in cache.iterdir()}
    for folder in sorted(used, key=used.__getitem__, reverse=True)[RETAINED:]:
        if time.time() - used[folder] > UNUSED_S:
            shutil.rmtree(folder, ignore_errors=True)


def packages_of(python: str = "") -> dict[str, str]:
    """Name → version of an interpreter (``python``) and of everything installed for it, if uv is there to list it."""
    versions = {"python": _tool([python or sys.executable, "-c", _ABOUT]).strip()}
    if shutil.which("uv") is None:
        return versions
    pairs = (line.partition("==") for line in _frozen(python or sys.executable))
    return versions | {name: version for name, separator, version in pairs if separator}


def own_packages(targets: Iterable[Target]) -> dict[str, dict[str, str]]:
    """``packages_of`` each target that has an interpreter of its own; one that cannot be run fails when it starts."""

    @cache
    def packages(python: str) -> dict[str, str]:
        with contextlib.suppress(NotReadyError):
            return packages_of(python)
        return {}

    return {target.name: packages(target.python) for target in targets if target.python}


def shadowed(targets: Iterable[Target]) -> list[Reason]:
    """A warning for each target whose own environment holds its app, while the working folder holds another.

    Servers look into the working folder first, so that two versions in two environments would be one and the same.
    """
    warnings = []
    for target in targets:
        if not target.python or target.twin_of:
            continue
        module = target.application.partition(":")[0].partition(".")[0]
        here, own = (_origin(target, flag, module) for flag in ("-c", "-Ic"))
        if own and here != own:
            warnings.append(Reason("shadowed", {"target": target.name, "module": module, "here": here, "own": own}))
    return warnings


def _origin(target: Target, flag: str, module: str) -> str:
    """The file that a module is imported from; empty where there is none."""
    code = f"import importlib.util as u; s = u.find_spec({module!r}); print(s.origin if s else '')"
    return answer([target.python, flag, code], cwd=working_folder(target))


def _frozen(python: str) -> list[str]:
    lines = uv("pip", "freeze", "--quiet", "--python", python).splitlines()
    return [line for line in lines if line and not line.startswith("#") and TOOLKIT not in line]


def _version(python: str) -> str:
    return _tool([python, "-c", "import sys; print(sys.version, sys.prefix)"])


def uv(*words: str, text: str = "", folder: Path = Path(os.sep)) -> str:
    """What uv prints; it applies the constraints of the project that ``folder`` is in, and none in the root folder.

    Raises:
        NotReadyError: it is missing or fails; its message is included.
    """
    program = shutil.which("uv")
    if program is None:
        raise NotReadyError("uv is needed to make an environment", hint="pip install uv")
    return _tool([program, *words], text, folder)


def _tool(command: Sequence[str], text: str = "", folder: Path = Path(os.sep)) -> str:
    environment = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")}
    try:
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, check=False, env=environment, cwd=folder
        )
    except OSError as error:
        raise NotReadyError(f"{command[0]} cannot be run: {error.strerror}") from None
    if done.returncode:
        messages = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        # Warnings of uv's come first, such as those on other interpreters that it looked at.
        messages = messages[next((index for index, line in enumerate(messages) if line.startswith("error:")), 0) :]
        raise NotReadyError("an environment could not be made: " + " ".join(messages[:6]))
    return done.stdout
