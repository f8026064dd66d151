"""How a JSON value differs from the expected one, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

WHOLE = "**"
"""Of volatile paths, the one that stands for the whole value: only its shape counts."""
_Steps = Sequence[Sequence[str]]


def json_difference(actual: Any, expected: Any, volatile: Sequence[str] = ()) -> str:
    """The first place where two JSON values differ, empty where none does; ``1``, ``1.0`` and ``true`` are different.

    Args:
        volatile: paths of which only the type of the value counts: ``id``, ``meta.at``, ``items.*.id``, where ``*`` is
            any key or index. ``WHOLE``: see ``shape_difference``.
    """
    if WHOLE in volatile:
        return shape_difference(actual, expected)
    return _difference(actual, expected, [path.split(".") for path in volatile], "")


def shape_difference(actual: Any, expected: Any, path: str = "") -> str:
    """The first place where two JSON values have other keys or types, empty where there is none.

    Numbers are of one type; ``null`` may stand for anything. Each entry of a list must have the shape of an expected
    one, however many there are.
    """
    if actual is None or expected is None:
        return ""
    if isinstance(actual, dict) and isinstance(expected, dict):
        return _other_keys(actual, expected, path) or _first(
            shape_difference(actual[key], expected[key], _joined(path, key)) for key in expected
        )
    if isinstance(actual, list) and isinstance(expected, list):
        for index, entry in enumerate(actual if expected else ()):
            differences = [shape_difference(entry, each, f"{path}[{index}]") for each in expected]
            if all(differences):
                return differences[0]
        return ""
    return "" if _kind(actual) is _kind(expected) else _unequal(actual, expected, path)


def short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "…"


def _difference(actual: Any, expected: Any, volatile: _Steps, path: str) -> str:
    if type(actual) is not type(expected):
        return _unequal(actual, expected, path)
    if [] in volatile:
        return ""
    if isinstance(actual, dict):
        return _other_keys(actual, expected, path) or _first(
            _difference(actual[key], expected[key], _below(volatile, key), _joined(path, key)) for key in expected
        )
    if isinstance(actual, list):
        if len(actual) != len(expected):
            return f"{path or 'the reply'} has {len(actual)} entries instead of {len(expected)}"
        return _first(
            _difference(*pair, _below(volatile, str(index)), f"{path}[{index}]")
            for index, pair in enumerate(zip(actual, expected, strict=True))
        )
    return "" if actual == expected else _unequal(actual, expected, path)


def _below(volatile: _Steps, step: str) -> _Steps:
    return [steps[1:] for steps in volatile if steps and steps[0] in (step, "*")]


def _first(differences: Iterable[str]) -> str:
    return next(filter(None, differences), "")


def _other_keys(actual: dict[str, Any], expected: dict[str, Any], path: str) -> str:
    missing, extra = sorted(set(expected) - set(actual)), sorted(set(actual) - set(expected))
    differences = [f"{what} {', '.join(keys)}" for what, keys in (("lacks", missing), ("adds", extra)) if keys]
    return f"{path or 'the reply'}: {'; '.join(differences)}" if differences else ""


def _unequal(actual: Any, expected: Any, path: str) -> str:
    return f"{path or 'the reply'} is {short(actual)} instead of {short(expected)}"


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _kind(value: Any) -> type:
    return float if type(value) is int else type(value)
