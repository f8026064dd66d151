"""What each target can do, from live probes, and the statements that it sends to the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from harness.model import Feature, Statements
from harness.report.blocks import Block, Items, Row, Table, Text, folded, words
from harness.report.view import View


def feature_table(view: View) -> tuple[Block, ...]:
    """Empty where the run probed no target."""
    text, features = view.text, view.summary.features
    if not features:
        return ()
    yes, no = f"● {text('features.yes')}", f"○ {text('features.no')}"
    answers = {(one.target, capability(view, one)): yes if one.present else no for one in features}
    mismatches = tuple(_mismatch(view, one) for one in features if not one.as_declared)
    lacking: dict[tuple[str, str], list[str]] = defaultdict(list)
    for feature in features:
        if not feature.present:
            lacking[feature.target, why_not(view, feature)].append(capability(view, feature))
    reasons = tuple(
        text("features.why", target=view.name(target), capabilities=", ".join(what), why=why)
        for (target, why), what in lacking.items()
    )
    counted = {(one.target, view.title(one.endpoint)): _said(view, one) for one in view.summary.statements}
    return (
        Text(text("features.intro")),
        *((Text(text("features.mismatch")), Items(mismatches)) if mismatches else ()),
        _matrix(view, text("features.caption"), answers, text("features.not_probed")),
        *folded(text("features.reasons"), Items(reasons), reasons),
        *((Text(text("statements.intro")), _matrix(view, text("statements.caption"), counted, "")) if counted else ()),
    )


def capability(view: View, feature: Feature) -> str:
    """What it is called; its key where it has no name."""
    return view.language.texts.get(f"capabilities.{feature.capability}", feature.capability)


def _matrix(view: View, caption: str, entries: Mapping[tuple[str, str], str], absent: str) -> Table:
    """Targets × names, each in the order in which it first stands in ``entries``."""
    targets, names = (tuple(dict.fromkeys(key[place] for key in entries)) for place in (0, 1))
    rows = (Row(view.name(target), tuple(entries.get((target, name), absent) for name in names)) for target in targets)
    return Table(caption, view.text("words.target"), tuple(map(words, names)), tuple(rows))


def why_not(view: View, feature: Feature) -> str:
    """As the target declares it, or else as the probe reports."""
    if feature.why or feature.detail is None:
        return view.language.known(feature.why)
    return view.language.reason(feature.detail)


def _mismatch(view: View, one: Feature) -> str:
    key, name = "features.mismatch_missing" if one.declared else "features.mismatch_present", capability(view, one)
    return view.text(key, target=view.name(one.target), capability=name, detail=why_not(view, one))


def _said(view: View, one: Statements) -> str:
    if not one.verbs:
        return view.text("statements.unequal" if one.verbs is None else "statements.none")
    key = "statements.cell" if one.prepared else "statements.unprepared"
    return view.text(key, count=len(one.verbs), verbs=", ".join(one.verbs))
