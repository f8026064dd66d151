"""The report: one HTML file that needs no network, from a run's manifest, summary and slots."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from harness.analyse.summary import Summary
from harness.model import Manifest, SlotRecord
from harness.render import sentences
from harness.render.answers import answers
from harness.render.markdown import render_markdown
from harness.render.numbers import share
from harness.render.sections.contrasts import CONTRAST_COLUMNS, families
from harness.render.sections.decision import decision_table, point_figures
from harness.render.sections.everything import COLUMNS, data_rows, embedded_json
from harness.render.sections.health import run_health
from harness.render.sections.upkeep import upkeep_rows
from harness.render.sections.validation import validation
from harness.render.sections.waits import waits
from harness.render.view import view_of
from harness.units import format_duration

TEMPLATES = Path(__file__).parent / "templates"
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
CONTENTS = (
    ("answers", "Answers"),
    ("decision", "Decision table"),
    ("validation", "Validation"),
    ("waits", "Waiting on I/O"),
    ("upkeep", "Cost of keeping it"),
    ("real", "Is it real?"),
    ("health", "Run health"),
    ("data", "All data and method"),
)


def render_report(manifest: Manifest, summary: Summary, slots: Sequence[SlotRecord]) -> str:
    """The whole page. ``slots`` are only drawn over time; every other number is read from ``summary``."""
    view = view_of(manifest, summary)
    embedded, packed = embedded_json(summary)
    read = partial(Path.read_text, encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_readable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        # Browsers take the text of style and script elements as it stands, so HTML escapes would break it.
        css=Markup(read(TEMPLATES / "report.css")),
        js=Markup(read(TEMPLATES / "report.js")),
        embedded=Markup(embedded),
        packed=packed,
        title=sentences.title(summary),
        manifest=manifest,
        summary=summary,
        badge=sentences.BADGES[summary.badge],
        holds=sentences.HOLDS,
        facts=_facts(manifest, summary),
        contents=CONTENTS,
        questions=sentences.QUESTIONS,
        answers=answers(view),
        table=decision_table(view),
        figures=point_figures(view),
        validation=validation(view),
        waits=waits(view),
        upkeep=upkeep_rows(view),
        families=families(view),
        contrast_columns=CONTRAST_COLUMNS,
        margin=share(summary.margin, "margin"),
        health=run_health(view, slots),
        data=data_rows(view),
        columns=COLUMNS,
        markdown=render_markdown(manifest, summary),
        repeat=repeat_command(manifest),
    )


def _readable(value: object) -> object:
    """Takes out the characters that turn the writing direction of what follows them, or that no HTML may hold."""
    if not isinstance(value, str):
        return value
    clean = _UNREADABLE.sub("", value)
    return Markup(clean) if isinstance(value, Markup) else clean


def repeat_command(manifest: Manifest) -> str:
    """The command of the run, with its seed where it was drawn and not given."""
    return manifest.command if "--seed" in manifest.command else f"{manifest.command} --seed {manifest.seed}"


def _facts(manifest: Manifest, summary: Summary) -> tuple[tuple[str, str], ...]:
    return (
        ("run", summary.run),
        ("started", summary.created_at.replace("T", " ").replace("Z", " UTC")),
        ("took", format_duration(summary.duration_s)),
        ("status", manifest.status),
        ("profile", manifest.plan.profile),
        ("blocks", str(summary.blocks)),
        ("seed", str(summary.seed)),
        ("margin", f"±{share(summary.margin, 'margin').text}"),
        *((key, manifest.environment[key]) for key in ("machine", "python") if key in manifest.environment),
    )
