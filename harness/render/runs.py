"""The page that lists runs, and leads to the documentation of apps that are served beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from harness.render.report import TEMPLATES


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in the list; ``status`` is the run's own, or why it cannot be read.

    Attributes:
        readable: whether there is a report to lead to.
        badge: the summary's, empty where there is none yet.
    """

    run: str
    name: str
    created: str
    profile: str
    took: str
    status: str
    badge: str = ""
    readable: bool = True


def render_runs(rows: Sequence[RunRow], apps: Mapping[str, str]) -> str:
    """The page. ``apps``: target → the URL at which the reader's browser finds it."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    css = Markup((TEMPLATES / "report.css").read_text("utf-8"))
    return environment.get_template("runs.html.j2").render(css=css, rows=rows, apps=apps)
