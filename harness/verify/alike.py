"""How the replies of a user's own two apps to one request differ, as far as a reader must know it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from harness.model.difference import WHOLE, json_difference, short
from harness.verify import Reply

SHOWN = 4
_HEADLINE = re.compile(rb"<(title|h1)\b[^>]*>(.*?)</\1", re.I | re.S)
_FAILED = re.compile(
    r"\b(errors?|exception|traceback|not found|forbidden|unauthorized|access denied|bad (request|gateway)|"
    r"unavailable|(log|sign) ?in)\b|^[45]\d\d\b",
    re.I,
)


def agreed(
    a: Sequence[bytes], b: Sequence[bytes], volatile: Sequence[str]
) -> tuple[bytes | None, tuple[str, ...], str]:
    """What later bodies are compared with, once each of two sides has replied more than once.

    Returns:
        The body, ``None`` if there is none; its volatile paths; and what a reader must know of how they differ.
    """
    bodies = [*a, *b]
    if volatile:
        try:
            first, *others = [json.loads(body) for body in bodies]
        except ValueError:
            if WHOLE in volatile:
                return None, (), ""
        else:
            difference = next(filter(None, (json_difference(each, first, volatile) for each in others)), "")
            return (None, (), difference) if difference else (bodies[0], tuple(volatile), "")
    difference = difference_of(a, b)
    return (None if difference else bodies[0]), (), difference


def error_page(reply: Reply) -> str:
    """What a reply below 400 says that usually stands on an error or sign-in page; empty where it says nothing such."""
    if reply.media_type == "application/json":
        try:
            value = json.loads(reply.body)
        except ValueError:
            return ""
        fields = value if isinstance(value, dict) else {}
        for key in ("error", "errors", "exception"):
            if fields.get(key):
                return f"{key}: {short(fields[key])}"
        failed = (key for key in ("success", "ok") if fields.get(key) is False)
        status = fields.get("status") if str(fields.get("status")).lower() in ("error", "fail", "failed") else None
        return next((f"{key}: false" for key in failed), f"status: {status}" if status else "")
    for headline in _HEADLINE.finditer(reply.body):
        text = " ".join(re.sub(rb"<[^>]*>", b" ", headline[2]).decode(errors="replace").split())
        if _FAILED.search(text):
            return short(text)
    return ""


def difference_of(a: Sequence[bytes], b: Sequence[bytes]) -> str:
    """What differs between the bodies of two sides, each of which answered more than once; empty where nothing does.

    Of JSON, fields are named: those that change from reply to reply, and those by which the sides differ.
    """
    if len({*a, *b}) == 1:
        return ""
    try:
        fields = [[dict(_fields(json.loads(body))) for body in bodies] for bodies in (a, b)]
    except ValueError:
        sizes = [" or ".join(f"{size:,}" for size in sorted({len(body) for body in bodies})) for bodies in (a, b)]
        return f"{sizes[0]} bytes in A, {sizes[1]} in B"
    one, other = ({name for each in side for name in each} for side in fields)
    changing = {name for side in fields for name in side[0] if any(each.get(name) != side[0][name] for each in side)}
    unequal = {name for name in one & other if fields[0][0].get(name) != fields[1][0].get(name)} - changing
    parts = (
        ("changing from reply to reply", changing & one & other),
        ("different on the two sides", unequal),
        ("only in A", one - other),
        ("only in B", other - one),
    )
    return "; ".join(f"{what}: {_listed(names)}" for what, names in parts if names) or "other white space or order"


def _fields(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """``items[].price`` and so on, with a value; of a list the first entry and the length."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _fields(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        yield f"{path}[]", len(value)
        yield from _fields(value[0], f"{path}[0]")
    else:
        yield path or "all", value


def _listed(names: set[str]) -> str:
    ordered = sorted(names)
    rest = len(ordered) - SHOWN
    return ", ".join(ordered[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
