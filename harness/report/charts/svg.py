"""From a Vega-Lite specification to an SVG fit to be inlined into a page among others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from harness.report.charts.style import CONFIG, VARIABLES

_NOISE = re.compile(
    r' (?:role="graphics-[a-z]+"|aria-roledescription="[^"]*"|aria-hidden="true"|pointer-events="none"|'
    r'class="(?:mark-|background|foreground|root)[^"]*"|xmlns:xlink="[^"]*"|opacity="1"|font-family="[^"]*")'
)
_EMPTY = re.compile(r'<path d="(?:M0,0h0v0h0Z)?"[^>]*/>')
_ID = re.compile(r'(\bid="|url\(#)([A-Za-z_][\w-]*)')
_HEAD = re.compile(r'<svg [^>]*?width="(\d+(?:\.\d+)?)" height="(\d+(?:\.\d+)?)"[^>]*>')
_LONG = re.compile(r"(\d+\.\d{2})\d+")
_TYPES = {"Q": "quantitative", "N": "nominal", "O": "ordinal"}


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart as the page shows it.

    Attributes:
        title: what it shows, in a few words.
        description: how to read it; also its accessible name.
    """

    title: str
    description: str
    svg: Markup


Spec = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]


def channel(field: str, **options: Any) -> Spec:
    """``x:Q`` with what else Vega-Lite takes for a channel, such as ``axis``."""
    name, _, kind = field.partition(":")
    return {"field": name} | ({"type": _TYPES[kind]} if kind else {}) | options


def log_scale(low: float, high: float, **options: Any) -> Spec:
    return {"type": "log", "domain": [low, high], "nice": False, **options}


def literal(**fields: str) -> dict[str, Spec]:
    """Channels whose fields hold what is drawn: colours and shapes."""
    return {name: channel(f"{field}:N", scale=None) for name, field in fields.items()}


def layer(rows: Rows, kind: str, style: Spec, **channels: str | Spec) -> Spec:
    """Marks of a kind, one for each row or through all of them."""
    encoding = {name: channel(each) if isinstance(each, str) else each for name, each in channels.items()}
    return {"data": {"values": list(rows)}, "mark": {"type": kind, **style}, "encoding": encoding}


def draw(key: str, title: str, description: str, **specification: Any) -> Chart:
    """Renders a Vega-Lite specification; ``key`` is unique within the page.

    The drawing is hidden from assistive technology behind one ``img`` role whose name is title and description; the
    table next to it carries the numbers.
    """
    import vl_convert

    raw = vl_convert.vegalite_to_svg({**specification, "config": CONFIG})
    head = _HEAD.search(raw)
    width, height = (float(head[1]), float(head[2])) if head else (0.0, 0.0)
    body = raw[head.end() :] if head else raw
    body = _LONG.sub(r"\1", _EMPTY.sub("", _NOISE.sub("", body)))
    body = _ID.sub(rf"\g<1>{key}-\g<2>", body)
    for colour, name in VARIABLES.items():
        body = re.sub(f'(fill|stroke)="{colour}"', rf'\1="var({name})"', body)
    label = Markup("{}. {}").format(title, description)
    opening = Markup('<svg viewBox="0 0 {w:g} {h:g}" width="{w:g}" height="{h:g}" role="img" aria-label="{label}">')
    return Chart(title, description, opening.format(w=width, h=height, label=label) + Markup(body))
