"""``harness list targets|scenarios|servers|runs``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from harness.cli.options import RESULTS, Json
from harness.cli.output import print_json, print_lines, print_table
from harness.model.units import number_of

if TYPE_CHECKING:
    from harness.serve.servers import Server

Row = dict[str, str]


def list_(
    what: Annotated[
        Literal["targets", "scenarios", "servers", "runs"], typer.Argument(metavar="targets|scenarios|servers|runs")
    ],
    as_json: Json = False,
) -> None:
    """List targets, scenarios, servers or runs."""
    rows = {"targets": _targets, "scenarios": _scenarios, "servers": _servers, "runs": _runs}[what]()
    if as_json:
        print_json(rows)
    elif not rows:
        print_lines([f"no {what} yet"])
    else:
        print_table(rows[0], (row.values() for row in rows))


def _targets() -> list[Row]:
    from harness.config import load_declarations
    from harness.serve.servers import resolved
    from harness.serve.services import needs_of, pool_size
    from harness.verify import endpoints_of

    return [
        {
            "name": target.name,
            "framework": target.framework,
            "interface": target.interface,
            "server": target.server,
            "options": ", ".join(f"{key}={value}" for key, value in target.options.items()),
            "capacity": target.capacity,
            "processes": str(target.processes),
            "pool": str(pool_size(target)) if "database" in needs_of(endpoints_of(target)) else "",
            "backlog": str(target.backlog or "the server's"),
            "reference": "yes" if target.reference else "",
        }
        for target in map(resolved, load_declarations().targets)
    ]


def _scenarios() -> list[Row]:
    from harness.config import load_declarations
    from harness.journeys.files import find_journeys

    rows = []
    for each in load_declarations().scenarios:
        settings = "; ".join(f"{key}={','.join(map(str, values))}" for key, values in each.matrix.items())
        row = {"name": each.name, "question": each.question, "title": each.title, "settings": settings}
        rows.append({**row, "concurrency": ",".join(map(str, each.concurrency))})
    for journey in find_journeys().values():
        row = {"name": journey.name, "question": "journey", "title": journey.title}
        rows.append({**row, "settings": number_of(journey.users, "user"), "concurrency": ""})
    return rows


def _servers() -> list[Row]:
    from harness.serve.servers import SERVERS, extra_of, load_server, version_of

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
                "listener": server.listener(server.options.model_validate({})) if server.workers else "",
                "options": "; ".join(f"{option}={_accepted(server, option)}" for option in server.options.model_fields),
            }
        )
    return rows


def _accepted(server: Server, option: str) -> str:
    """The values that the installed version takes, or those of the option's own type, or its default."""
    from harness.serve.servers import accepted_values

    field = server.options.model_fields[option]
    values = accepted_values(server, option) or getattr(field.annotation, "__args__", ())
    shown = [str(value) for value in values if value != "" and not isinstance(value, type)]
    return "|".join(shown) or ("…" if field.default is None else str(field.default))


def _runs() -> list[Row]:
    from harness.record import described_runs

    return [row for row, _ in described_runs(RESULTS)]
