"""Runs and their reports, as pages of a small server; results and reports are read at every request.

The first page lists the runs, and leads to the documentation of apps that are served next to it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from harness.errors import HarnessError, RecordError
from harness.record import Run, described_runs, list_runs
from harness.report.files import saved_badge, summary_of, write_report
from harness.report.report import TEMPLATES

APPS = "HARNESS_APPS"
"""``name=URL`` pairs, with commas between them, of apps that the page links to."""

FILES = {"summary.json": "application/json", "summary.csv": "text/csv", "summary.md": "text/markdown"}


def site(results: Path, reports: Path) -> Starlette:
    """The application; a report that does not exist yet is made when it is requested."""

    def opened(request: Request) -> Run:
        """The run of this name in the list, and no other folder."""
        name = request.path_params["name"]
        if name not in {folder.name for folder in list_runs(results)}:
            raise RecordError(f"no run is called {name!r}")
        return Run.open(results / name)

    def runs(request: Request) -> Response:
        environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
        css = Markup((TEMPLATES / "report.css").read_text("utf-8"))
        rows = [_row(row, run) for row, run in reversed(list(described_runs(results)))]
        return HTMLResponse(environment.get_template("runs.html.j2").render(css=css, rows=rows, apps=apps()))

    def report(request: Request) -> Response:
        run = opened(request)
        path = reports / f"{run.folder.name}.html"
        if not path.is_file():
            write_report(run, summary_of(run), [path])
        return HTMLResponse(path.read_bytes())

    def file(request: Request) -> Response:
        run, name = opened(request), request.path_params["file"]
        path = run.folder / name
        if name not in FILES or not path.is_file():
            raise RecordError(f"run {run.folder.name} has no file {name!r}")
        return Response(path.read_bytes(), media_type=FILES[name])

    routes = [
        Route("/", runs),
        Route("/health", lambda request: PlainTextResponse("ok")),
        Route("/reports/{name}.html", report),
        Route("/results/{name}/{file}", file),
    ]
    missing = {HarnessError: lambda request, error: PlainTextResponse(str(error), status_code=404)}
    return Starlette(routes=routes, exception_handlers=missing)


def apps() -> dict[str, str]:
    """Target → URL, as the environment names them."""
    pairs = (pair.partition("=") for pair in os.environ.get(APPS, "").split(",") if pair.strip())
    return {name.strip(): url.strip().rstrip("/") for name, _, url in pairs}


def _row(row: Mapping[str, str], run: Run | None) -> dict[str, Any]:
    """A run in the list; one without a report to lead to is not ``readable``."""
    badge, readable = (saved_badge(run), bool(run.windows())) if run else ("", False)
    return {**row, "created": row["created"].replace("T", " "), "badge": badge, "readable": readable}
