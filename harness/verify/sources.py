"""The modules of ``apps``, from their sources: what each imports, defines and uses, and which lines hold code."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
LISTS = {"INSTALLED_APPS", "MIDDLEWARE", "find_spec"}
"""Names whose strings name packages: Django's settings, and a function's arguments."""
_SILENT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
_DOTTED = re.compile(r"apps(\.\w+)+")
_DOTTED_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_WITH_BODY = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Use = tuple[str, str]
"""A module and a name in it; no name stands for the module as a whole."""


@dataclass(frozen=True, slots=True)
class Source:
    """A module.

    Attributes:
        lines: the numbers of those that hold code.
        imports: a name → what it stands for.
        definitions: a name at the module's top → where it gets its value.
        strings: modules of ``apps`` that a string names, each with the setting or variable that the string is for.
        packages: first parts of what it imports, or names in ``LISTS``.
        words: every name and attribute.
    """

    lines: frozenset[int]
    imports: Mapping[str, Use]
    definitions: Mapping[str, ast.stmt]
    strings: tuple[tuple[str, str], ...]
    packages: frozenset[str]
    uses: frozenset[Use]
    words: frozenset[str]


def closure(modules: Iterable[str], variables: Collection[str]) -> tuple[set[str], set[str]]:
    """The modules and all of ``apps`` that is imported with them, at first or second hand; and what strings name of it.

    A string does not count where its setting gets another value: from the environment, whose variables are
    ``variables``, or from a module that imports everything of this one and has a value of its own.
    """
    modules_seen: set[str] = set()
    named: set[str] = set()
    waiting = [(module, frozenset(variables)) for module in modules]
    while waiting:
        module, hidden = waiting.pop()
        if module in modules_seen:
            continue
        modules_seen.add(module)
        source = parsed(module)
        waiting += [
            (other, hidden | source.definitions.keys() if name == "*" else hidden)
            for name, (other, _) in source.imports.items()
            if file_of(other)
        ]
        strings = [other for setting, other in source.strings if setting not in hidden]
        named.update(strings)
        waiting += [(other, hidden) for other in strings]
    return modules_seen, named


def reached(modules: Iterable[str], parts: Collection[str], skipped: tuple[str, ...]) -> dict[str, frozenset[int]]:
    """Module → lines of it that code in ``modules`` makes use of, at first or second hand.

    Of a module that others import functions and classes from, these count with what they use. One that gives others a
    variable (an app, a router) counts whole, since what hangs on the variable is nowhere else; so does one that is
    imported for nothing but that. Of the modules of ``parts`` no more counts than is used, and of others that begin
    with ``skipped`` nothing.
    """
    lines: dict[str, frozenset[int]] = {}
    waiting: list[Use] = [(module, "") for module in modules]
    seen: set[Use] = set()
    while waiting:
        use = module, name = waiting.pop()
        small = module in parts
        if use in seen or not file_of(module) or (module.startswith(skipped) and not small):
            continue
        seen.add(use)
        source = parsed(module)
        node = source.definitions.get(name)
        if node is not None and (small or isinstance(node, _WITH_BODY)):
            lines[module] = lines.get(module, frozenset()) | source.lines.intersection(_span(node))
            waiting += [(other or module, part) for other, part in _uses([node], source.imports)]
        elif not small and (not name or name in source.definitions or name in {*source.imports, "*"}):
            lines[module] = source.lines
            waiting += [(other, part) for other, part in source.uses if other]
            used = {other for other, _ in source.uses}
            waiting += [(other, part) for other, part in source.imports.values() if part == "*"]
            waiting += [(other, "") for other, _ in source.imports.values() if other not in used]
    return lines


@cache
def parsed(module: str) -> Source:
    file = file_of(module)
    assert file is not None, f"no module {module}"
    text = file.read_text("utf-8")
    tree = ast.parse(text)
    nodes = list(ast.walk(tree))
    imports, packages = _imports(nodes)
    strings = tuple(_strings(nodes))
    packages |= {value.partition(".")[0] for setting, value in strings if setting in LISTS}
    return Source(
        lines=code_lines(text),
        imports=imports,
        definitions={name: node for node in tree.body for name in _defined(node)},
        strings=tuple((setting, name) for setting, value in strings if (name := _module_in(value))),
        packages=frozenset(packages - {"apps"}),
        uses=frozenset(_uses([tree], imports)),
        words=frozenset(getattr(node, "id", getattr(node, "attr", "")) for node in nodes),
    )


def code_lines(text: str) -> frozenset[int]:
    """The numbers of the lines that hold code: no blank lines, comments or docstrings."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _SILENT:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | _WITH_BODY) and ast.get_docstring(node):
            lines.difference_update(_span(node.body[0]))
    return frozenset(lines)


def file_of(module: str) -> Path | None:
    if not module.startswith("apps."):
        return None
    path = ROOT.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def _imports(nodes: Iterable[ast.AST]) -> tuple[dict[str, Use], set[str]]:
    names: dict[str, Use] = {}
    packages: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            packages.add(node.module.partition(".")[0])
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                names[alias.asname or alias.name] = (inner, "") if file_of(inner) else (node.module, alias.name)
        elif isinstance(node, ast.Import):
            packages |= {alias.name.partition(".")[0] for alias in node.names}
            names |= {alias.asname or alias.name: (alias.name, "") for alias in node.names}
    return names, packages


def _strings(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """Strings that may name a module, with what they are assigned to or, in a call, with its first argument."""
    for node in nodes:
        settings: list[str] = []
        if isinstance(node, ast.Assign):
            settings = [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.Call):
            first = node.args[0] if node.args else None
            named = node.func.id if isinstance(node.func, ast.Name) else ""
            settings = [named if named in LISTS else str(first.value) if isinstance(first, ast.Constant) else named]
        for setting in settings[:1]:
            for each in ast.walk(node):
                if (
                    isinstance(each, ast.Constant)
                    and isinstance(each.value, str)
                    and _DOTTED_NAME.fullmatch(each.value)
                ):
                    yield setting, each.value


def _uses(nodes: Iterable[ast.AST], imports: Mapping[str, Use]) -> Iterator[Use]:
    for node in nodes:
        for each in ast.walk(node):
            if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id in imports:
                module, name = imports[each.value.id]
                yield module, name or each.attr
            elif isinstance(each, ast.Name):
                yield imports.get(each.id, ("", each.id))


def _module_in(value: str) -> str:
    """The module that a dotted path leads to or into; empty where there is none."""
    if not _DOTTED.fullmatch(value):
        return ""
    parts = value.split(".")
    dotted = (".".join(parts[:count]) for count in range(len(parts), 1, -1))
    return next((name for name in dotted if file_of(name)), "")


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, _WITH_BODY):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name))


def _span(node: ast.stmt) -> range:
    decorators = getattr(node, "decorator_list", [])
    return range(min([node.lineno, *(each.lineno for each in decorators)]), (node.end_lineno or node.lineno) + 1)
