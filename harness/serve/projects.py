"""The environment that a project declares, made by uv."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.errors import UsageError
from harness.project import read_toml
from harness.serve.envs import Install, cached_environment, uv
from harness.serve.servers.installed import normal


@dataclass(frozen=True, slots=True)
class Declared:
    """Requirements with exact versions, and the folders of what is developed here, as a file declares them."""

    source: str
    folder: Path
    lines: list[str]


@dataclass(frozen=True, slots=True)
class ProjectEnvironment:
    """Its interpreter, what it was made from, and the distributions that were added to that."""

    python: Path
    source: str
    added: tuple[str, ...]


def project_environment(
    folder: Path,
    root: Path,
    into: Path,
    *,
    python: str,
    install: Sequence[str] = (),
    servers: Sequence[str] = (),
) -> ProjectEnvironment:
    """An environment with what a project declares: a cached one, or its copy in ``into`` with the project itself.

    The nearest of ``uv.lock``, ``pyproject.toml``, ``requirements.txt`` and ``setup.py`` counts, in this order, from
    ``folder`` up to ``root``.

    Args:
        python: the interpreter to start from.
        install: lines of a requirements file, in place of what the project declares.
        servers: distributions that are added where the project does not declare them.

    Raises:
        NotReadyError: uv is missing, or cannot make the environment; uv's message is included.
        UsageError: the project declares nothing, or several things.
    """
    declared = Declared("--install", folder, _compiled(folder, python, ["-"], "\n".join(install))) if install else None
    declared = declared or _declared(folder, root, python)
    own = [line for line in declared.lines if _is_local(line)]
    pinned = [line for line in declared.lines if line not in own]
    present = set(map(normal, pinned))
    added = tuple(name for name in servers if normal(name) not in present)
    if added:
        pinned = _compiled(declared.folder, python, ["-"], "\n".join([*pinned, *added]))
    steps: list[Install] = [(["--no-deps", "--compile-bytecode", "-r", "-"], "\n".join(pinned))]
    interpreter = cached_environment(python, pinned, steps if pinned else [], folder=declared.folder)
    if own:
        environment = interpreter.parent.parent
        shutil.copytree(environment, into, symlinks=True, copy_function=_link)
        interpreter = into / interpreter.relative_to(environment)
        words = ("pip", "install", "--quiet", "--python", str(interpreter), "--no-deps", "-r", "-")
        uv(*words, text="\n".join(own), folder=declared.folder)
    return ProjectEnvironment(interpreter, declared.source, added)


def interpreter_for(folder: Path) -> str:
    """The interpreter that uv would run a project with: that of its ``.venv``, or one that fits its declarations.

    Raises:
        NotReadyError: there is none.
    """
    return uv("python", "find", folder=folder).strip()


def _declared(folder: Path, root: Path, python: str) -> Declared:
    for place in (folder, *folder.parents):
        project = place / "pyproject.toml"
        requirements = sorted(place.glob("requirements*.txt"))
        lock = next((each for each in (place, *place.parents) if (each / "uv.lock").exists()), None)
        declares, packaged = _project(project)
        setup = _setup(place) if not declares else None
        if declares and lock is not None and lock.is_relative_to(root):
            words = ["--frozen", "--no-default-groups", "--no-hashes", "--no-header", "--no-annotate", "--quiet"]
            text = uv("export", *words, "--python", python, folder=place)
            return Declared("uv.lock", lock, _lines(text))
        own = [f"-e {place}"] if packaged or setup else []
        source = project.name if declares == "dependencies" or (declares and not requirements) else setup
        if requirements and source != project.name:
            named = [each for each in requirements if each.name == "requirements.txt"] or requirements
            if named[1:]:
                names = ", ".join(each.name for each in named)
                raise UsageError(f"{place.name} has {names}", hint=f"name one: --install '-r {named[0].name}'")
            source = named[0].name
        if source:
            return Declared(source, place, [*own, *_compiled(place, python, [source])])
        if place == root:
            break
    raise UsageError(
        "no uv.lock, pyproject.toml, requirements.txt or setup.py says which packages the app needs",
        hint="--install 'flask>=3', or --install '-r FILE'; repeatable",
    )


def _setup(place: Path) -> str | None:
    """The file with which setuptools builds a project that its ``pyproject.toml`` does not describe."""
    if (place / "setup.py").exists():
        return "setup.py"
    try:
        return "setup.cfg" if "[metadata]" in (place / "setup.cfg").read_text("utf-8", "replace") else None
    except OSError:
        return None


def _project(file: Path) -> tuple[Literal["", "project", "dependencies"], bool]:
    """What a ``pyproject.toml`` says: nothing, that there is a project, or its dependencies; whether it is built."""
    if not file.is_file():
        return "", False
    _, document = read_toml(file)
    project, poetry = document.get("project", {}), document.get("tool", {}).get("poetry")
    packaged = "build-system" in document and bool(project or poetry)
    if poetry or project.get("dependencies") or "dependencies" in project.get("dynamic", ()):
        return "dependencies", packaged
    return ("project" if project else ""), packaged


def _compiled(folder: Path, python: str, source: Sequence[str], text: str = "") -> list[str]:
    """Exact versions for requirements, as uv resolves them in the folder."""
    words = ("pip", "compile", "--quiet", "--no-header", "--no-annotate", "--python", python, *source)
    return _lines(uv(*words, text=text, folder=folder))


def _lines(text: str) -> list[str]:
    """Requirements, one each; ``uv export`` writes folders relative to its own."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _is_local(line: str) -> bool:
    return line.startswith(("-e ", ".", "/", "file:")) or " @ file:" in line


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
