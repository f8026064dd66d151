"""Every claim, what this run says of it, and the figures that say so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

from harness.model import OWN, Effort, Feature
from harness.report.numbers import (
    Format,
    Sentence,
    count,
    mebibytes,
    microseconds,
    milliseconds,
    number,
    part_at,
    shown,
)
from harness.report.sections.asynchronous import beside
from harness.report.sections.features import why_not
from harness.report.sections.upkeep import app_name
from harness.report.sentences import Fields, contrast_sentence, difference_interval, interval
from harness.report.view import View
from harness.results.summary import Cell, ClaimResult, ClaimVerdict, Evidence, EvidenceKind, LadderStep
from harness.studies.connections import ConnectionRow
from harness.studies.neighbours import NeighbourRow

DOCUMENTED: ClaimVerdict = "documented"
SHOWN = 2
"""The evidence lines that are always shown; more are folded."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Each claim with its evidence in words.

    Attributes:
        counted: how many claims came to which verdict, in words; documented facts are no verdicts.
    """

    rows: tuple[tuple[ClaimResult, tuple[Sentence, ...]], ...]
    counted: str
    shown: int = SHOWN


def claims(view: View) -> Claims | None:
    """``None`` for a summary that judged no claim."""
    if not view.summary.claims:
        return None
    words = view.language.names("claim_verdicts")
    verdicts = [claim.verdict for claim in view.summary.claims]
    counted = [(verdicts.count(verdict), words[verdict]) for verdict in get_args(ClaimVerdict) if verdict != DOCUMENTED]
    listed = ", ".join(view.language.text("claims.count", count=found, word=word) for found, word in counted if found)
    # Decided ones first, each kind in the document's order.
    ordered = sorted(view.summary.claims, key=lambda claim: claim.verdict in ("not-measured", DOCUMENTED))
    said = ((claim, [evidence_sentence(view, one) for one in claim.evidence]) for claim in ordered)
    return Claims(tuple((claim, tuple(filter(None, lines))) for claim, lines in said), listed)


def section_of(claim: ClaimResult) -> str:
    """Where its first evidence is drawn; empty where that is nowhere but with the claims."""
    return next((EVIDENCE[one.kind][0] for one in claim.evidence if one.kind != "untouched"), "")


def evidence_sentence(view: View, evidence: Evidence) -> Sentence:
    """One piece of evidence in words."""
    return EVIDENCE[evidence.kind][1](view, evidence.path, part_at(view.summary, evidence.path))


def _step(view: View, path: str, step: LadderStep) -> Sentence:
    verdict = view.language.text(f"verdicts.{step.verdict}")
    if step.difference is None:
        return view.language.say("evidence.step_open", step=view.label(step.label), verdict=verdict)
    added, ends = microseconds(step.difference, f"{path}.difference"), difference_interval(view, step, path)
    return view.language.say("evidence.step", step=view.label(step.label), added=added, interval=ends, verdict=verdict)


def _served(view: View, path: str, cell: Cell) -> Sentence:
    shared: Fields = {"target": view.name(cell.target), "where": view.where(cell.point)}
    if cell.status != "ok":
        reasons = view.language.reasons(cell.reasons)
        state = view.language.text(f"states.{cell.status}")
        return view.language.say("evidence.not_served", state=state, reasons=reasons, **shared)
    replies = count(cell.replies, f"{path}.replies")
    return view.language.say("evidence.served", replies=replies, errors=sum(cell.errors.values()), **shared)


def _capacity(view: View, path: str, cell: Cell) -> Sentence:
    target, where = view.targets[cell.target], view.where(cell.point)
    allowed = number.text(target.worker_threads / view.places[cell.point].wait_s)
    fields: Fields = {"where": where, "capacity": target.capacity, "allowed": allowed}
    return _estimate(view, path, cell, "evidence.capacity", "throughput_rps", fields)


def _feature(view: View, path: str, feature: Feature) -> Sentence:
    return _probed(view, feature, view.name(feature.target), "evidence.present", "evidence.absent")


def _untouched(view: View, path: str, feature: Feature) -> Sentence:
    app = view.language.text(f"bare.{feature.target}")
    return _probed(view, feature, app, "evidence.brings", "evidence.brings_no")


def _probed(view: View, feature: Feature, who: str, present: str, absent: str) -> Sentence:
    name = view.language.texts.get(f"capabilities.{feature.capability}", feature.capability)
    why = why_not(view, feature)
    return view.language.say(present if feature.present else absent, target=who, capability=name, why=why)


def _packages(view: View, path: str, app: Effort) -> Sentence:
    return view.language.say("evidence.packages", app=app_name(view, app), packages=", ".join(app.packages))


def _neighbour(view: View, path: str, row: NeighbourRow) -> Sentence:
    mix: Fields = {"fast": row.fast, "mix": beside(view, row)}
    return _estimate(view, path, row, "evidence.neighbour", "times", mix)


def _echo(view: View, path: str, row: ConnectionRow) -> Sentence:
    low, high = (shown(row, path, f"latency.p99_{end}_us", milliseconds) for end in ("low", "high"))
    return view.language.say("evidence.echo", target=view.name(row.target), number=row.number, low=low, high=high)


def _lines(view: View, path: str, app: Effort) -> Sentence:
    own, endpoints = count(app.own_lines, f"{path}.lines.{OWN}"), count(app.endpoints, f"{path}.endpoints")
    stand_in = app.total_lines - app.own_lines
    key = "evidence.lines" if stand_in else "evidence.lines_alone"
    return view.language.say(key, app=app_name(view, app), own=own, stand_in=stand_in, endpoints=endpoints)


def _estimate(
    view: View, path: str, part: Any, key: str, name: str, fields: Fields | None = None, show: Format = number
) -> Sentence:
    """With the ``value`` of an estimate of the part and, where it has one, its ``interval``."""
    value = shown(part, path, f"{name}.value", show)
    ends = interval(view, part, path, show, f"{name}.ci_low", f"{name}.ci_high")
    return view.language.say(key, target=view.name(part.target), value=value, interval=ends, **(fields or {}))


EVIDENCE: Mapping[EvidenceKind, tuple[str, Callable[[View, str, Any], Sentence]]] = {
    "contrast": ("real", contrast_sentence),
    "served": ("decision", _served),
    "capacity": ("waits", _capacity),
    "feature": ("features", _feature),
    "untouched": ("claims", _untouched),
    "lines": ("upkeep", _lines),
    "packages": ("upkeep", _packages),
    "memory": ("upkeep", partial(_estimate, key="evidence.memory", name="rss_bytes", show=mebibytes)),
    "startup": ("upkeep", partial(_estimate, key="evidence.startup", name="startup_s")),
    "step": ("ladder", _step),
    "neighbour": ("async", _neighbour),
    "echo": ("async", _echo),
}
"""Kind of evidence → the section that draws it, and who words it."""
