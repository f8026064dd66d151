"""``harness reports``: runs and their reports, as pages of a small server."""

from __future__ import annotations

import os
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from harness.commands.finish import analyse, write_report
from harness.commands.select import REPORTS, RESULTS
from harness.commands.serve import check_free
from harness.errors import HarnessError, RecordError
from harness.record import Run, find_run, list_runs
from harness.render.runs import RunRow, render_runs
from harness.units import format_duration

APPS = "HARNESS_APPS"
"""``name=URL`` pairs, with commas between them, of apps that the page leads to."""

FILES = {"summary.json": "application/json", "summary.csv": "text/csv", "summary.md": "text/markdown"}


def run(host: str, port: int) -> None:
    """Serves until it is told to end."""
    check_free(host, port)
    sys.stderr.write(f"reports on http://{host}:{port}\n")
    uvicorn.run(site(), host=host, port=port, log_level="warning", access_log=False)


def site() -> Starlette:
    """The pages, read from the working directory's results and reports at every request."""
    routes = [
        Route("/", _runs),
        Route("/health", lambda request: PlainTextResponse("ok")),
        Route("/reports/{name}.html", _report),
        Route("/results/{name}/{file}", _file),
    ]
    return Starlette(routes=routes, exception_handlers={HarnessError: _missing})


def apps() -> dict[str, str]:
    """Target → URL, as the environment names them."""
    pairs = (pair.partition("=") for pair in os.environ.get(APPS, "").split(",") if pair.strip())
    return {name.strip(): url.strip().rstrip("/") for name, _, url in pairs}


def _runs(request: Request) -> Response:
    rows = [_row(folder.name) for folder in reversed(list_runs(RESULTS))]
    return HTMLResponse(render_runs(rows, apps()))


def _row(name: str) -> RunRow:
    try:
        opened = Run.open(RESULTS / name)
    except HarnessError as error:
        return RunRow(name, "", "", "", "", f"unreadable: {error}", readable=False)
    manifest = opened.manifest
    took = format_duration(manifest.duration_s) if manifest.duration_s else ""
    created = manifest.created_at.replace("T", " ")
    measured = (opened.folder / "slots.jsonl").exists()
    return RunRow(name, manifest.name, created, manifest.plan.profile, took, manifest.status, _badge(opened), measured)


def _badge(opened: Run) -> str:
    from harness.commands.finish import SUMMARY
    from harness.record import read_json

    try:
        return read_json(opened.folder / "summary.json", SUMMARY).badge.replace("-", " ")
    except HarnessError:
        return ""


def _report(request: Request) -> Response:
    """The report as it was written, or made now where the run has none."""
    opened = _opened(request.path_params["name"])
    path = REPORTS / f"{opened.folder.name}.html"
    if not path.is_file():
        path = write_report(opened, analyse(opened), path)
    return HTMLResponse(path.read_bytes())


def _file(request: Request) -> Response:
    opened, name = _opened(request.path_params["name"]), request.path_params["file"]
    path = opened.folder / name
    if name not in FILES or not path.is_file():
        raise RecordError(f"run {opened.folder.name} has no file {name!r}")
    return Response(path.read_bytes(), media_type=FILES[name])


def _opened(name: str) -> Run:
    """The run of this name in the list, and no other folder."""
    if name not in {folder.name for folder in list_runs(RESULTS)}:
        raise RecordError(f"no run is called {name!r}")
    return Run.open(find_run(name, RESULTS))


def _missing(request: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), status_code=404)
