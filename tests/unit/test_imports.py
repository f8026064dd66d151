"""The order of the packages, read from the sources: each imports only what stands before it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ORDER = [
    "errors", "project", "model", "record", "stats", "studies", "config", "plan", "serve", "verify", "engine",
    "instruments", "session", "journeys", "cluster", "prepare", "results", "report", "selftest", "cli",
]  # fmt: skip
READS_THE_CONTRACT = {"serve", "verify", "engine", "session", "journeys", "prepare", "cli"}


def modules(folder):
    return sorted((ROOT / folder).rglob("*.py"))


def imported(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide what is imported"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def package(name):
    """The part of ``harness`` that a dotted name lies in, or ``None``."""
    parts = name.split(".")
    return parts[1] if parts[0] == "harness" and len(parts) > 1 and parts[1] != "__version__" else None


def test_every_package_has_a_place():
    names = {path.name.removesuffix(".py") for path in (ROOT / "harness").iterdir() if path.name != "__pycache__"}
    assert names - {"__init__", "py.typed"} == set(ORDER)


@pytest.mark.parametrize("path", modules("harness"), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_package_imports_only_what_stands_before_it(path):
    here = path.relative_to(ROOT / "harness").parts[0].removesuffix(".py")
    names = set(imported(path))
    before = {*ORDER[: ORDER.index(here) + 1]} if here != "__init__" else set()
    assert {package(name) for name in names} - {None} <= before
    apps = {name for name in names if name.split(".")[0] == "apps"}
    assert all(name == "apps" or name.startswith("apps.contract") for name in apps)
    assert not apps or here in READS_THE_CONTRACT


@pytest.mark.parametrize("path", modules("apps"), ids=lambda path: str(path.relative_to(ROOT)))
def test_apps_never_import_the_harness(path):
    assert not {name for name in imported(path) if name.split(".")[0] == "harness"}
