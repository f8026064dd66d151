"""The count of what each app needed covers every file of every app, and counts code only."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "scripts" / "count_effort.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("count_effort", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("", 0),
        ('"""Doc."""\n\nimport os\n', 1),
        ("# a comment\nx = 1  # another\n\n\ny = (\n    2\n)\n", 4),
        ('def f():\n    """Doc\n    more."""\n    return 1\n', 2),
        ('x = """a\nb"""\n', 2),
    ],
)
def test_only_code_counts(script, tmp_path, source, lines):
    path = tmp_path / "module.py"
    path.write_text(source)
    assert script.code_lines(path) == lines


def test_every_file_is_counted(script):
    for folder in ("fastapi", "flask", "starlette", "tornado", "django"):
        named = {
            name
            for app, features in script.FILES.items()
            if app.split("-")[0] == folder
            for names in features.values()
            for name in names
        }
        root = script.APPS / f"{folder}_app"
        there = {str(path.relative_to(root)) for path in root.rglob("*.py") if script.code_lines(path)}
        assert there == named


def test_the_figures_are_whole(script):
    for app, found in script.effort()["apps"].items():
        assert found["lines_total"] == sum(found["lines"].values()) > 100, app
        assert all(versions and all(versions.values()) for versions in found["packages"].values())
