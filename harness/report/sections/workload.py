"""The reader's own workload: what the page's script reads for a wait, a concurrency and a payload."""

from __future__ import annotations

import json
from collections.abc import Mapping

from markupsafe import Markup

from harness.model import Point
from harness.report.sections.everything import in_script
from harness.report.view import View


def workload(view: View) -> Mapping[str, object]:
    """Measured points only; empty where these are all without a wait and a payload.

    ``connections``: counts at which waits were measured; ``waits``: from the shortest to the longest, in milliseconds;
    ``payloads``: settings of the scenarios that validate; ``points``: JSON of what was measured, which no character can
    let out of its element.
    """
    waiting, paying = view.places_of("move"), view.places_of("validate")
    if not waiting and not paying:
        return {}
    document = {
        "waits": [_cells(view, place, wait=place.wait_s * 1e3) for place in waiting],
        "payloads": [_cells(view, place, setting=view.setting(place)) for place in paying],
    }
    return {
        "connections": sorted({place.concurrency for place in waiting}),
        "waits": [f"{wait:g}" for wait in sorted({place.wait_s * 1e3 for place in waiting})],
        "payloads": list(dict.fromkeys(view.setting(place) for place in paying)),
        "points": Markup(in_script(json.dumps(document, separators=(",", ":"), ensure_ascii=False))),
    }


def _cells(view: View, place: Point, **more: object) -> dict[str, object]:
    """A place with target → requests per second and CPU µs, each ``null`` where it has none."""
    cells = {
        view.name(target.name): [each and round(each.value, 2) for each in (cell[1].throughput_rps, cell[1].cpu_us)]
        for target in view.targets.values()
        if not target.twin_of and (cell := view.ok(target.name, place.id))
    }
    params = ", ".join(f"{key}={value}" for key, value in place.params.items())
    point = {"scenario": view.title(place.scenario), "params": params, "connections": place.concurrency}
    return {**point, "cells": cells, **more}
