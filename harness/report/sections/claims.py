"""Every claim, what this run says of it, and the figures that say so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, get_args

from harness.model import OWN, Effort, Feature
from harness.report.numbers import Format, Sentence, count, mib, microseconds, milliseconds, number, part_at, shown
from harness.report.sections.asynchronous import mix_label
from harness.report.sections.features import capability, why_not
from harness.report.sections.upkeep import app_name
from harness.report.sentences import Fields, contrast_sentence, difference_interval, interval
from harness.report.view import View
from harness.results.summary import Cell, ClaimResult, ClaimVerdict, Evidence, EvidenceKind, LadderStep
from harness.studies.connections import ConnectionRow
from harness.studies.neighbours import NeighbourRow

DOCUMENTED: ClaimVerdict = "documented"


def claims(view: View) -> Mapping[str, Any]:
    """Empty for a summary that judged no claim.

    ``rows``: each claim with its evidence in words; ``counted``: how many claims have which verdict, in words, where
    documented facts do not count.
    """
    if not view.summary.claims:
        return {}
    words = view.language.names("claim_verdicts")
    verdicts = [claim.verdict for claim in view.summary.claims]
    counted = [(verdicts.count(verdict), words[verdict]) for verdict in get_args(ClaimVerdict) if verdict != DOCUMENTED]
    listed = ", ".join(view.text("claims.count", count=total, word=word) for total, word in counted if total)
    # Decided ones first, each kind in the document's order.
    ordered = sorted(view.summary.claims, key=lambda claim: claim.verdict in ("not-measured", DOCUMENTED))
    said = ((claim, [evidence_sentence(view, one) for one in claim.evidence]) for claim in ordered)
    return {"rows": [(claim, list(filter(None, lines))) for claim, lines in said], "counted": listed}


def section_of(claim: ClaimResult) -> str:
    """Where its first evidence is drawn; empty where that is nowhere but with the claims."""
    return next((EVIDENCE[one.kind][0] for one in claim.evidence if one.kind != "untouched"), "")


def evidence_sentence(view: View, evidence: Evidence) -> Sentence:
    """One piece of evidence in words."""
    return EVIDENCE[evidence.kind][1](view, evidence.path, part_at(view.summary, evidence.path))


def _step(view: View, path: str, step: LadderStep) -> Sentence:
    said: Fields = {"step": view.label(step.label), "verdict": view.text(f"verdicts.{step.verdict}")}
    if step.difference is None:
        return view.say("evidence.step_open", **said)
    added, ends = microseconds(step.difference, f"{path}.difference"), difference_interval(view, step, path)
    return view.say("evidence.step", added=added, interval=ends, **said)


def _served(view: View, path: str, cell: Cell) -> Sentence:
    shared: Fields = {"target": view.name(cell.target), "where": view.where(cell.point)}
    if cell.status != "ok":
        reasons, state = view.language.reasons(cell.reasons), view.text(f"states.{cell.status}")
        return view.say("evidence.not_served", state=state, reasons=reasons, **shared)
    replies = shown(cell, path, "replies", count)
    return view.say("evidence.served", replies=replies, errors=sum(cell.errors.values()), **shared)


def _capacity(view: View, path: str, cell: Cell) -> Sentence:
    target, where = view.targets[cell.target], view.where(cell.point)
    allowed = number.text(target.worker_threads / view.places[cell.point].wait_s)
    fields: Fields = {"where": where, "capacity": target.capacity, "allowed": allowed}
    return _estimate(view, path, cell, "evidence.capacity", "throughput_rps", fields)


def _feature(view: View, path: str, feature: Feature) -> Sentence:
    key = "evidence.present" if feature.present else "evidence.absent"
    return _probed(view, feature, key, view.name(feature.target))


def _untouched(view: View, path: str, feature: Feature) -> Sentence:
    key = "evidence.brings" if feature.present else "evidence.brings_no"
    return _probed(view, feature, key, view.text(f"minimal.{feature.target}"))


def _probed(view: View, feature: Feature, key: str, who: str) -> Sentence:
    return view.say(key, target=who, capability=capability(view, feature), why=why_not(view, feature))


def _packages(view: View, path: str, app: Effort) -> Sentence:
    return view.say("evidence.packages", app=app_name(view, app), packages=", ".join(app.packages))


def _neighbour(view: View, path: str, row: NeighbourRow) -> Sentence:
    mix: Fields = {"fast": row.fast, "mix": mix_label(view, row)}
    return _estimate(view, path, row, "evidence.neighbour", "times", mix)


def _echo(view: View, path: str, row: ConnectionRow) -> Sentence:
    low, high = (shown(row, path, f"latency.p99_{end}_us", milliseconds) for end in ("low", "high"))
    return view.say("evidence.echo", target=view.name(row.target), number=row.number, low=low, high=high)


def _lines(view: View, path: str, app: Effort) -> Sentence:
    own, endpoints = count(app.own_lines, f"{path}.lines.{OWN}"), shown(app, path, "endpoints", count)
    stand_in = app.total_lines - app.own_lines
    key = "evidence.lines" if stand_in else "evidence.lines_alone"
    return view.say(key, app=app_name(view, app), own=own, stand_in=stand_in, endpoints=endpoints)


def _estimate(
    view: View, path: str, part: Any, key: str, name: str, fields: Fields | None = None, show: Format = number
) -> Sentence:
    """With the ``value`` of an estimate of the part and, where it has one, its ``interval``."""
    value = shown(part, path, f"{name}.value", show)
    ends = interval(view, part, path, show, (f"{name}.ci_low", f"{name}.ci_high"))
    return view.say(key, target=view.name(part.target), value=value, interval=ends, **(fields or {}))


EVIDENCE: Mapping[EvidenceKind, tuple[str, Callable[[View, str, Any], Sentence]]] = {
    "contrast": ("real", contrast_sentence),
    "served": ("decision", _served),
    "capacity": ("waits", _capacity),
    "feature": ("features", _feature),
    "untouched": ("claims", _untouched),
    "lines": ("upkeep", _lines),
    "packages": ("upkeep", _packages),
    "memory": ("upkeep", partial(_estimate, key="evidence.memory", name="rss_bytes", show=mib)),
    "startup": ("upkeep", partial(_estimate, key="evidence.startup", name="startup_s")),
    "step": ("ladder", _step),
    "neighbour": ("async", _neighbour),
    "echo": ("async", _echo),
}
"""Kind of evidence → the section that draws it, and who words it."""
