"""All data: every cell in full, and the summary as JSON that can stand inside a page."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import json

from harness.model import Manifest
from harness.report.blocks import Block, Column, Fold, Heading, Pre, Table, Text, words
from harness.report.markdown import render_markdown
from harness.report.numbers import count, numbered
from harness.report.view import View
from harness.results.summary import Summary

PLAIN = 300_000
"""The most characters of JSON that a page holds as they are; more is compressed."""
COLUMNS = (
    words("words.point", lambda view, cell, path: cell.point),
    words("data.state", lambda view, cell, path: view.status(cell.status, () if cell.status == "ok" else cell.reasons)),
    Column("words.rps", "throughput_rps.value"),
    Column("data.low", "throughput_rps.ci_low"),
    Column("data.high", "throughput_rps.ci_high"),
    Column("data.cpu", "cpu_us.value"),
    Column("data.low", "cpu_us.ci_low"),
    Column("data.high", "cpu_us.ci_high"),
    Column("data.service", "service_time_us.p50"),
    Column("words.instructions", "instructions.value"),
    Column("data.replies", "replies", count),
)


def everything(view: View) -> tuple[Block, ...]:
    text, cells = view.text, view.summary.cells
    table = Table.of(view, "data.caption", COLUMNS, numbered("cells", cells), long=True)
    packed = text("data.packed") if embedded_json(view.summary)[1] else ""
    return (
        Heading(text("data.method")),
        Text(text("data.method_turns")),
        Text(text("data.method_blocks")),
        Heading(text("data.repeat")),
        Pre(repeat_command(view.manifest)),
        Fold(text("data.cells", count=len(cells)), (table,)),
        Fold(text("data.markdown"), (Pre(render_markdown(view.manifest, view.summary, view.language), copy=True),)),
        Text(text("data.embedded", packed=packed), note=True),
    )


def repeat_command(manifest: Manifest) -> str:
    """The command of the run, with its seed even where that was drawn at random."""
    return manifest.command if "--seed" in manifest.command else f"{manifest.command} --seed {manifest.seed}"


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
