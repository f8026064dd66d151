"""All data: every cell in full, and the summary as JSON that can stand inside a page."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import json

from harness.model import Manifest
from harness.report.blocks import Block, Column, Copy, Fold, Heading, Pre, Table, Text, words
from harness.report.markdown import render_markdown
from harness.report.numbers import count, number, numbered
from harness.report.view import View
from harness.results.summary import Cell, Summary

PLAIN = 300_000
"""The most characters of JSON that a page holds as they are; more is compressed."""
COLUMNS = {
    "throughput_rps.value": "words.rps",
    "throughput_rps.ci_low": "data.low",
    "throughput_rps.ci_high": "data.high",
    "cpu_us.value": "data.cpu",
    "cpu_us.ci_low": "data.low",
    "cpu_us.ci_high": "data.high",
    "service_time_us.p50": "data.service",
    "instructions.value": "words.instructions",
    "replies": "data.replies",
}
"""Path within a cell of the summary → key of the heading."""


def everything(view: View) -> tuple[Block, ...]:
    text, cells = view.language.text, view.summary.cells
    columns = (
        words(text("words.point"), lambda cell, path: cell.point),
        words(text("data.state"), lambda cell, path: _state(view, cell)),
        *(Column(text(key), path, count if path == "replies" else number) for path, key in COLUMNS.items()),
    )
    head = text("words.target")
    table = Table.of(
        text("data.caption"), head, lambda cell: view.name(cell.target), columns, numbered("cells", cells), long=True
    )
    packed = text("data.packed") if embedded_json(view.summary)[1] else ""
    return (
        Heading(text("data.method")),
        Text(text("data.method_turns")),
        Text(text("data.method_blocks")),
        Heading(text("data.repeat")),
        Pre(repeat_command(view.manifest)),
        Fold(text("data.cells", count=len(cells)), (table,)),
        Fold(text("data.markdown"), (Copy(render_markdown(view.manifest, view.summary, view.language)),)),
        Text(text("data.embedded", packed=packed), note=True),
    )


def repeat_command(manifest: Manifest) -> str:
    """The command of the run, with its seed where it was drawn and not given."""
    return manifest.command if "--seed" in manifest.command else f"{manifest.command} --seed {manifest.seed}"


def _state(view: View, cell: Cell) -> str:
    return view.status(cell.status, () if cell.status == "ok" else cell.reasons)


def embedded_json(summary: Summary) -> tuple[str, bool]:
    """The summary as JSON that can stand in a page.

    Returns:
        The text, and whether it is the base64 of gzipped JSON, as it is for long ones.
    """
    text = json.dumps(dataclasses.asdict(summary), separators=(",", ":"))
    if len(text) > PLAIN:
        return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode(), True
    return in_script(text), False


def in_script(document: str) -> str:
    """JSON in which no character can end the script element that holds it."""
    return document.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
