"""The count of what each app needed covers every file of every app, and counts code only."""

from __future__ import annotations

import tomllib

import pytest

from harness.verify.effort import APPS, code_lines, effort

DECLARED = tomllib.loads((APPS / "effort.toml").read_text("utf-8"))["apps"]


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
def test_only_code_counts(tmp_path, source, lines):
    path = tmp_path / "module.py"
    path.write_text(source)
    assert code_lines(path) == lines


@pytest.mark.parametrize("folder", sorted({app["folder"] for app in DECLARED.values()}))
def test_every_file_is_counted(folder):
    named = {
        name
        for app in DECLARED.values()
        if app["folder"] == folder
        for names in app["files"].values()
        for name in names
    }
    root = APPS / folder
    there = {str(path.relative_to(root)) for path in root.rglob("*.py") if code_lines(path)}
    assert there == named


def test_the_figures_are_whole():
    for found in effort():
        assert sum(found.lines.values()) > 100, found.app
        assert all(versions and all(versions.values()) for versions in found.packages.values()), found.app


def test_only_the_frameworks_that_were_asked_for_are_counted():
    assert [found.app for found in effort({"django"})] == ["django-wsgi", "django-asgi"]
