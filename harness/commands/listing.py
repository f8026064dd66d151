"""``harness list targets|scenarios|servers|runs``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from harness.commands.select import RESULTS
from harness.declare import load_declarations
from harness.errors import HarnessError, one_of
from harness.record import Run, list_runs
from harness.servers import SERVERS, accepted_values, backlog_of, extra_of, load_server, version_of
from harness.services import needs_of, pool_size
from harness.swarm.journeys import find_journeys
from harness.units import format_duration
from harness.verify import endpoints_of

Row = dict[str, str]


def run(what: str, as_json: bool) -> int:
    rows = LISTS[one_of("the list", what, LISTS)]()
    if as_json:
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
        return 0
    out = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 200)
    if not rows:
        out.print(f"no {what} yet")
        return 0
    table = Table(*rows[0], box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(value.replace("[", r"\[") for value in row.values()))
    out.print(table)
    return 0


def _targets() -> list[Row]:
    return [
        {
            "name": target.name,
            "framework": target.framework,
            "interface": target.interface,
            "server": target.server,
            "options": ", ".join(f"{key}={value}" for key, value in target.options.items()),
            "capacity": target.capacity,
            "pool": str(pool_size(target)) if "database" in needs_of(endpoints_of(target)) else "",
            "backlog": str(backlog_of(target) or "the server's"),
            "reference": "yes" if target.reference else "",
        }
        for target in load_declarations().targets
    ]


def _scenarios() -> list[Row]:
    return [
        {
            "name": scenario.name,
            "question": scenario.question,
            "title": scenario.title,
            "settings": "; ".join(f"{key}={','.join(map(str, values))}" for key, values in scenario.matrix.items()),
            "concurrency": ",".join(map(str, scenario.concurrency)),
        }
        for scenario in load_declarations().scenarios
    ] + [
        {
            "name": journey.name,
            "question": "journey",
            "title": journey.title,
            "settings": f"{journey.users} users",
            "concurrency": "",
        }
        for journey in find_journeys().values()
    ]


def _servers() -> list[Row]:
    rows = []
    for name in SERVERS:
        server = load_server(name)
        rows.append(
            {
                "name": name,
                "interfaces": ", ".join(server.interfaces),
                "installed": version_of(server.package) or "no",
                "package": server.package,
                "extra": extra_of(server.package),
                "capacity": f"{'workers' if server.workers else '1'} × {'threads' if server.threads else '1'}",
                "options": "; ".join(f"{option}={_accepted(name, option)}" for option in server.options.model_fields),
            }
        )
    return rows


def _accepted(name: str, option: str) -> str:
    """The values that the installed version takes, or those of the option's own type, or its default."""
    server = load_server(name)
    field = server.options.model_fields[option]
    values = accepted_values(server, option) or getattr(field.annotation, "__args__", ())
    return "|".join(str(value) for value in values if value != "") or str(field.default)


def _runs() -> list[Row]:
    rows = []
    for folder in list_runs(RESULTS):
        try:
            manifest = Run.open(folder).manifest
        except HarnessError as error:
            empty = dict.fromkeys(("created", "status", "profile", "took", "name"), "")
            rows.append({"run": folder.name, **empty, "status": f"unreadable: {error}"})
            continue
        rows.append(
            {
                "run": folder.name,
                "created": manifest.created_at,
                "status": manifest.status,
                "profile": manifest.plan.profile,
                "took": format_duration(manifest.duration_s) if manifest.duration_s else "",
                "name": manifest.name,
            }
        )
    return rows


LISTS: dict[str, Callable[[], list[Row]]] = {
    "targets": _targets,
    "scenarios": _scenarios,
    "servers": _servers,
    "runs": _runs,
}
