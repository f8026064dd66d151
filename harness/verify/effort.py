"""What each app needed for each feature: lines of its own code, and packages beyond its framework.

Lines are those that hold code: no blank lines, comments or docstrings. What all apps share (``apps/contract`` and
``apps/backends``) is left out, since a real app would have to write it too, whatever its framework; what the contract
does in place of a framework without documentation or validation is counted with that framework's apps.
"""

from __future__ import annotations

import ast
import io
import tokenize
import tomllib
from collections.abc import Collection
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from harness.model import Effort

APPS = Path(__file__).parents[2] / "apps"
_SILENT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def effort(frameworks: Collection[str] = ()) -> tuple[Effort, ...]:
    """The figures of every app of these frameworks (of all where none is named), as ``apps/effort.toml`` lists them."""
    declared = tomllib.loads((APPS / "effort.toml").read_text("utf-8"))
    return tuple(
        _effort(name, app, declared["shared"])
        for name, app in declared["apps"].items()
        if not frameworks or app["framework"] in frameworks
    )


def code_lines(path: Path, functions: Collection[str] = ()) -> int:
    """Lines that hold code; only those of some functions, where any are named."""
    source = path.read_text("utf-8")
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _SILENT:
            lines.update(range(token.start[0], token.end[0] + 1))
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            lines.difference_update(_span(node.body[0]))
    if functions:
        within: set[int] = set()
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name in functions:
                within.update(_span(node))
        lines &= within
    return len(lines)


def _effort(name: str, app: dict[str, Any], shared: dict[str, Any]) -> Effort:
    folder = APPS / app["folder"]
    lines = {feature: sum(code_lines(folder / file) for file in files) for feature, files in app["files"].items()}
    if app.get("shared", True):
        lines["OpenAPI, in the contract"] = sum(code_lines(APPS / file) for file in shared["documentation"])
        lines["reading input, in the contract"] = code_lines(APPS / shared["input"], shared["input_functions"])
    packages = {feature: {one: _version(one) for one in names} for feature, names in app["packages"].items()}
    return Effort(name, app["framework"], lines, packages)


def _span(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
