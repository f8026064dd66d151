"""The report: one HTML file that needs no network, from a run's manifest, summary and records."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from harness.model import Manifest, WindowRecord
from harness.report import sentences
from harness.report.answers import answers, summary_charts
from harness.report.charts.style import hue_number
from harness.report.language.catalogue import ENGLISH, Language
from harness.report.numbers import Figure, Sentence, measured, plain
from harness.report.sections.claims import section_of
from harness.report.sections.decision import missing
from harness.report.sections.everything import embedded_json, in_script
from harness.report.sections.registry import SECTIONS
from harness.report.view import View
from harness.results.summary import Summary

TEMPLATES = Path(__file__).parent / "templates"
_UNIT = re.compile(r"(?:^|(?<=\d)) (?=(?:µs|ms|s|MiB|KiB|kB)\b)|^ (?=±)|(?<=±) $")
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def render_report(
    manifest: Manifest,
    summary: Summary,
    records: Sequence[WindowRecord],
    *,
    language: Language = ENGLISH,
) -> str:
    """The whole page. Records are only drawn over time; every other number is read from ``summary``."""
    view = View(manifest, summary, language, records)
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
    environment.globals |= {
        "t": lambda key, **fields: marked_up(view.say(key, **fields)),
        "kind_of": lambda block: type(block).__name__,
        "said": marked_up,
        "hue": lambda target: hue_number(view.frameworks, target),
        "measured": measured,
        "missing": missing,
        "section_of": section_of,
    }
    return environment.get_template("report.html.j2").render(
        # Browsers take the text of style and script elements as it stands, so HTML escapes would break it.
        css=Markup(read(TEMPLATES / "report.css")),
        js=Markup(read(TEMPLATES / "report.js")),
        embedded=Markup(embedded),
        packed=packed,
        words=Markup(in_script(json.dumps(language.names("script"), ensure_ascii=False))),
        lang=language.code,
        title=sentences.title(summary, language),
        view=view,
        manifest=manifest,
        summary=summary,
        reasons=[language.reason(reason) for reason in summary.reasons],
        facts=_facts(view),
        charts=summary_charts(view),
        answers=answers(view),
        sections=[(section, section.build(view)) for section in SECTIONS],
    )


def marked_up(sentence: Sentence) -> Markup:
    """The sentence as HTML: text escaped, markup as it is, each figure with its exact value and where it is from.

    A number and its unit, or what follows ±, stay on one line.
    """
    figure = Markup('<b data-value="{}" data-path="{}">{}</b>')
    return Markup("").join(
        figure.format(part.value, part.path, part.text)
        if isinstance(part, Figure)
        else Markup(_UNIT.sub("\u00a0", escape(part)))
        for part in sentence
    )


def _readable(value: object) -> object:
    """Takes out the characters that turn the writing direction of what follows them, or that no HTML may hold."""
    if not isinstance(value, str):
        return value
    clean = _UNREADABLE.sub("", value)
    return Markup(clean) if isinstance(value, Markup) else clean


def _facts(view: View) -> tuple[tuple[str, str], ...]:
    manifest, summary, text = view.manifest, view.summary, view.text
    facts = {
        "run": summary.run,
        "started": f"{summary.created_at[:16].replace('T', ' ')} UTC",
        "took": sentences.duration(summary.duration_s, view.language),
        **({} if manifest.status == "finished" else {"status": text(f"status.{manifest.status}")}),
        "profile": manifest.plan.profile,
        "blocks": str(summary.blocks),
        "margin": plain(sentences.margins(view)),
        **{key: manifest.environment[key] for key in ("machine",) if key in manifest.environment},
    }
    return tuple((text(f"facts.{key}"), value) for key, value in facts.items())
