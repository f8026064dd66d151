"""The reader's own workload: what the page's script reads for a wait, a concurrency and a payload."""

from __future__ import annotations

import json
from dataclasses import dataclass

from markupsafe import Markup

from harness.model import Point
from harness.report.sections.everything import in_script
from harness.report.view import View


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
    waiting, paying = view.asking("move"), view.asking("validate")
    if not waiting and not paying:
        return None
    document = {
        "waits": [_cells(view, place, wait=place.wait_s * 1e3) for place in waiting],
        "payloads": [_cells(view, place, setting=view.setting(place)) for place in paying],
    }
    return Workload(
        connections=tuple(sorted({place.concurrency for place in waiting})),
        waits=tuple(f"{wait:g}" for wait in sorted({place.wait_s * 1e3 for place in waiting})),
        payloads=tuple(dict.fromkeys(view.setting(place) for place in paying)),
        points=Markup(in_script(json.dumps(document, separators=(",", ":"), ensure_ascii=False))),
    )


def _cells(view: View, place: Point, **more: object) -> dict[str, object]:
    """A place with target → requests per second and CPU µs, each ``null`` where it has none."""
    cells = {
        view.name(target.name): [each and round(each.value, 2) for each in (found[1].throughput_rps, found[1].cpu_us)]
        for target in view.targets.values()
        if not target.twin_of and (found := view.ok(target.name, place.id))
    }
    params = ", ".join(f"{key}={value}" for key, value in place.params.items())
    return {"scenario": view.title(place), "params": params, "connections": place.concurrency, "cells": cells, **more}
