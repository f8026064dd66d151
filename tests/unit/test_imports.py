"""The import direction of the design, read from the sources."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHARED = {"units", "errors", "model", "record", "quantiles", "bisection", "objective"}
WRITE = [
    {"toml_lines", "placement"},
    {"declare", "settings"},
    {"plan"},
    {"servers", "guard", "launch", "services", "verify", "load", "sampling", "environment"},
    {"validity", "observe", "wire", "versus", "waiting"},
    {"swarm", "studies"},
    {"conduct"},
]
READ = [{"analyse"}, {"render"}]
TOP = {"commands", "cli", "truth"}


def modules(folder):
    return sorted(path for path in (ROOT / folder).rglob("*.py"))


def imported(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(name):
    """The part of ``harness`` that a dotted name lies in, or ``None``."""
    parts = name.split(".")
    return parts[1] if parts[0] == "harness" and len(parts) > 1 else None


def allowed(part):
    if part in SHARED:
        return SHARED
    for index, layer in enumerate(WRITE):
        if part in layer:
            return SHARED.union(*WRITE[: index + 1])
    for index, layer in enumerate(READ):
        if part in layer:
            return SHARED.union(*READ[: index + 1])
    return None


@pytest.mark.parametrize("path", modules("harness"), ids=lambda path: str(path.relative_to(ROOT)))
def test_harness_imports_only_what_comes_before(path):
    part = path.relative_to(ROOT / "harness").parts[0].removesuffix(".py")
    names = set(imported(path))
    assert not {name for name in names if name.startswith("apps.") and not name.startswith("apps.contract")}
    if part == "__init__" or part in TOP:
        return
    permitted = allowed(part)
    assert permitted is not None, f"harness/{part} has no place in the import direction"
    rooms = {room(name) for name in names} - {None, "__version__"}
    assert rooms <= permitted, f"imports {sorted(rooms - permitted)}"
    if "apps.contract" in {".".join(name.split(".")[:2]) for name in names}:
        assert part in {"verify", "wire", "services", "versus", "swarm"}


@pytest.mark.parametrize("path", modules("apps"), ids=lambda path: str(path.relative_to(ROOT)))
def test_apps_never_import_the_harness(path):
    assert not {name for name in imported(path) if name.split(".")[0] == "harness"}
