"""From a Vega-Lite specification to an SVG fit to be inlined into a page among others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from harness.render.charts.style import VARIABLES, config

_ATTRIBUTE = re.compile(r'(fill|stroke)="(#[0-9a-f]{6})"')
_NOISE = re.compile(
    r' (?:role="graphics-[a-z]+"|aria-roledescription="[^"]*"|aria-hidden="true"|pointer-events="none"|'
    r'class="(?:mark-|background|foreground|root)[^"]*"|xmlns:xlink="[^"]*"|opacity="1")'
)
_EMPTY = re.compile(r'<path d="(?:M0,0h0v0h0Z)?"[^>]*/>')
_ID = re.compile(r'(\bid="|url\(#)([A-Za-z_][\w-]*)')
_HEAD = re.compile(r'<svg [^>]*?width="(\d+(?:\.\d+)?)" height="(\d+(?:\.\d+)?)"[^>]*>')
_FONT = re.compile(r' font-family="[^"]*"')
_LONG = re.compile(r"(\d+\.\d{2})\d+")


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart as the page shows it.

    Attributes:
        key: unique within the page; also the anchor of its figure.
        title: what it shows, in a few words.
        description: how to read it; also its accessible name.
        width: in CSS pixels at full size.
    """

    key: str
    title: str
    description: str
    svg: Markup
    width: int


def draw(key: str, title: str, description: str, chart: Any) -> Chart:
    """Renders an Altair chart.

    The drawing is hidden from assistive technology behind one ``img`` role whose name is title and description; the
    table beside it carries the numbers.
    """
    import vl_convert

    specification = chart.to_dict(validate=False)
    specification["config"] = config()
    raw = vl_convert.vegalite_to_svg(specification)
    head = _HEAD.search(raw)
    width, height = (float(head[1]), float(head[2])) if head else (0.0, 0.0)
    body = raw[head.end() :] if head else raw
    for pattern in (_NOISE, _EMPTY, _FONT):
        body = pattern.sub("", body)
    body = _LONG.sub(r"\1", body)
    body = _ID.sub(rf"\g<1>{key}-\g<2>", body)
    body = _ATTRIBUTE.sub(_variable, body)
    label = Markup("{}. {}").format(title, description)
    opening = Markup('<svg viewBox="0 0 {w:g} {h:g}" width="{w:g}" height="{h:g}" role="img" aria-label="{label}">')
    return Chart(key, title, description, opening.format(w=width, h=height, label=label) + Markup(body), int(width))


def _variable(match: re.Match[str]) -> str:
    name = VARIABLES.get(match[2])
    return f'{match[1]}="var({name})"' if name else match[0]
