"""Every claim, what this run says of it, and the figures that say so."""

from __future__ import annotations

from dataclasses import dataclass

from harness.analyse.summary import ClaimResult, Evidence
from harness.render.charts.sweep import model_rps
from harness.render.language.catalogue import Field
from harness.render.numbers import Figure, Sentence, mebibytes, microseconds
from harness.render.sentences import contrast_sentence
from harness.render.view import View
from harness.units import significant

SHOWN = 2
"""The evidence lines that are always shown; more are folded."""
CHARTS = {
    "contrast": "real",
    "throughput": "decision",
    "cpu": "decision",
    "served": "decision",
    "capacity": "waits",
    "feature": "features",
    "lines": "upkeep",
    "packages": "upkeep",
    "memory": "upkeep",
    "startup": "upkeep",
    "step": "ladder",
}
"""Kind of evidence → the section that draws it."""


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """``section`` is where the first evidence is drawn; empty without evidence."""

    id: str
    claim: str
    verdict: str
    word: str
    evidence: tuple[Sentence, ...]
    section: str
    command: str

    @property
    def shown(self) -> tuple[Sentence, ...]:
        return self.evidence[:SHOWN]

    @property
    def folded(self) -> tuple[Sentence, ...]:
        return self.evidence[SHOWN:]


@dataclass(frozen=True, slots=True)
class Claims:
    """``counted``: how many claims came to which verdict, in words."""

    rows: tuple[ClaimRow, ...]
    counted: str


def claims(view: View) -> Claims | None:
    """``None`` for a summary that judged no claim."""
    if not view.summary.claims:
        return None
    words = view.language.names("claim_verdicts")
    verdicts = [claim.verdict for claim in view.summary.claims]
    counted = [(sum(verdict == name for verdict in verdicts), word) for name, word in words.items()]
    listed = ", ".join(view.language.text("claims.count", count=count, word=word) for count, word in counted if count)
    return Claims(tuple(_row(view, claim) for claim in view.summary.claims), listed)


def _row(view: View, claim: ClaimResult) -> ClaimRow:
    text = view.language.text
    return ClaimRow(
        id=claim.id,
        claim=text(f"claims.{claim.id}"),
        verdict=claim.verdict,
        word=text(f"claim_verdicts.{claim.verdict}"),
        evidence=tuple(said for one in claim.evidence if (said := evidence_sentence(view, one))),
        section=CHARTS[claim.evidence[0].kind] if claim.evidence else "",
        command=claim.command,
    )


def evidence_sentence(view: View, evidence: Evidence) -> Sentence:
    """One piece of evidence in words."""
    room, _, rest = evidence.path.partition(".")
    number, _, below = rest.partition(".")
    index = int(number)
    if room == "contrasts":
        return contrast_sentence(view, index, view.summary.contrasts[index])
    if room == "ladders":
        return _step(view, evidence.path, index, int(below.rpartition(".")[2]))
    if room == "cells":
        return _cell(view, evidence, index)
    if room == "features":
        return _feature(view, index)
    if room == "upkeep":
        return _upkeep(view, evidence, index)
    return _effort(view, index, below, evidence.parts)


def _step(view: View, path: str, number: int, index: int) -> Sentence:
    step = view.summary.ladders[number].steps[index]
    verdict = view.language.text(f"verdicts.{step.verdict}")
    if step.difference is None:
        return view.language.say("evidence.step_open", step=step.label, verdict=verdict)
    interval: Sentence = ()
    if step.difference_low is not None and step.difference_high is not None:
        ends = (
            microseconds(step.difference_low, f"{path}.difference_low"),
            microseconds(step.difference_high, f"{path}.difference_high"),
        )
        interval = view.language.say("contrast.interval", low=ends[0], high=ends[1])
    added = microseconds(step.difference, f"{path}.difference")
    return view.language.say("evidence.step", step=step.label, added=added, interval=interval, verdict=verdict)


def _cell(view: View, evidence: Evidence, index: int) -> Sentence:
    cell = view.summary.cells[index]
    path = f"cells.{index}"
    shared: dict[str, Field] = {"target": cell.target, "where": view.where(cell.point)}
    if cell.status != "ok":
        reasons = "; ".join(view.language.reason(reason) for reason in cell.reasons)
        state = view.language.text(f"states.{cell.status}")
        return view.language.say("evidence.not_served", state=state, reasons=reasons, **shared)
    if evidence.kind == "served":
        errors = sum(cell.errors.values())
        replies = Figure(f"{cell.replies:,}", cell.replies, f"{path}.replies")
        return view.language.say("evidence.served", replies=replies, errors=errors, **shared)
    if cell.throughput_rps is None:
        return ()
    rate = Figure(significant(cell.throughput_rps.value, 3), cell.throughput_rps.value, f"{path}.throughput_rps.value")
    target, place = view.targets.get(cell.target), view.places.get(cell.point)
    allowed = model_rps(view, target, place, cell) if target and place else None
    if allowed is None or target is None:
        return view.language.say("evidence.throughput", rate=rate, **shared)
    limit = significant(allowed, 3)
    return view.language.say("evidence.capacity", rate=rate, allowed=limit, capacity=target.capacity, **shared)


def _feature(view: View, index: int) -> Sentence:
    feature = view.summary.features[index]
    name = view.language.texts.get(f"capabilities.{feature.capability}", feature.capability)
    if feature.present:
        return view.language.say("evidence.present", target=feature.target, capability=name)
    why = feature.why or feature.detail
    return view.language.say("evidence.absent", target=feature.target, capability=name, why=why)


def _upkeep(view: View, evidence: Evidence, index: int) -> Sentence:
    upkeep = view.summary.upkeep[index]
    if evidence.kind == "memory" and upkeep.rss_bytes is not None:
        value = mebibytes(upkeep.rss_bytes, f"upkeep.{index}.rss_bytes")
        return view.language.say("evidence.memory", target=upkeep.target, value=value)
    if evidence.kind == "startup" and upkeep.startup_s is not None:
        value = Figure(significant(upkeep.startup_s), upkeep.startup_s, f"upkeep.{index}.startup_s")
        return view.language.say("evidence.startup", target=upkeep.target, value=value)
    return ()


def _effort(view: View, index: int, below: str, parts: tuple[str, ...]) -> Sentence:
    """Lines (of all features or of ``parts``) or packages of an app, or those of the feature that the path names."""
    app = view.summary.effort[index]
    kind, _, feature = below.partition(".")
    said = view.language
    if kind == "packages":
        named = app.packages if not feature else {feature: app.packages[feature]}
        listed = ", ".join(dict.fromkeys(package for found in named.values() for package in found))
        purpose = said.known(feature)
        key = "evidence.packages_for" if feature else "evidence.packages"
        return said.say(key, app=app.app, feature=purpose, packages=listed)
    if feature:
        count = Figure(f"{app.lines[feature]:,}", app.lines[feature], f"effort.{index}.lines.{feature}")
        return said.say("evidence.lines_for", app=app.app, feature=said.known(feature), lines=count)
    names = parts or tuple(app.lines)
    listed = ", ".join(said.known(name) for name in names)
    return said.say("evidence.lines", app=app.app, lines=sum(app.lines[name] for name in names), features=listed)
