"""The reader's own workload: what the page's script reads for a wait, a concurrency and a payload."""

from __future__ import annotations

import json
from dataclasses import dataclass

from markupsafe import Markup

from harness.render.view import Place, View


@dataclass(frozen=True, slots=True)
class Workload:
    """Measured points only.

    Attributes:
        connections: counts at which waits were measured.
        waits: shortest and longest wait, in milliseconds.
        payloads: settings of the scenarios that validate.
        points: JSON of what was measured, which no character can let out of its element.
    """

    connections: tuple[int, ...]
    waits: tuple[str, ...]
    payloads: tuple[str, ...]
    points: Markup


def workload(view: View) -> Workload | None:
    """``None`` where nothing but points without a wait and a payload was measured."""
    places = list(view.places.values())
    waiting = [place for place in places if view.question(place) == "move"]
    paying = [place for place in places if view.question(place) == "validate"]
    if not waiting and not paying:
        return None
    waits = sorted({place.wait_s * 1e3 for place in waiting})
    document = {
        "waits": [_cells(view, place, wait=place.wait_s * 1e3) for place in waiting],
        "payloads": [_cells(view, place, setting=view.setting(place)) for place in paying],
    }
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Workload(
        connections=tuple(sorted({place.concurrency for place in waiting})),
        waits=tuple(f"{wait:g}" for wait in waits),
        payloads=tuple(dict.fromkeys(view.setting(place) for place in paying)),
        points=Markup(text),
    )


def _cells(view: View, place: Place, **more: object) -> dict[str, object]:
    """A place with target → requests per second and CPU µs, each ``null`` where it has none."""
    found = {}
    for target in view.targets.values():
        numbered = view.cell(target.name, place.id)
        if target.twin_of or numbered is None or numbered[1].status != "ok":
            continue
        cell = numbered[1]
        found[target.name] = [
            round(each.value, 2) if each is not None else None for each in (cell.throughput_rps, cell.cpu_us)
        ]
    params = ", ".join(f"{key}={value}" for key, value in place.params.items())
    return {"scenario": place.scenario, "params": params, "connections": place.concurrency, "cells": found, **more}
