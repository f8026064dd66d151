"""What ``harness check`` prints: what failed, what is open, what is missing, and a count of the rest."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model import Reason
from harness.model.units import number_of, significant
from harness.report.language.catalogue import ENGLISH
from harness.report.markdown import escape, table
from harness.report.numbers import ratio_text
from harness.results.outcome import Checked, Outcome
from harness.stats.quantiles import PER_MILLE

WORDS: dict[Outcome, str] = {"failed": "FAILED", "missing": "missing", "undecided": "undecided", "passed": "passed"}
SHOWN = 20
NAMES = {"cpu": "CPU per request", "throughput": "requests per second", "errors": "failed requests", "any": "number"}


def lines(checked: Sequence[Checked], warnings: Sequence[Reason], strict: bool) -> list[str]:
    """At most so many passed gates one by one; all others always."""
    said = [f"warning: {ENGLISH.reason(warning)}" for warning in warnings]
    for outcome in WORDS:
        group = [each for each in checked if each.outcome == outcome]
        if outcome != "passed" or len(group) <= SHOWN:
            said += [f"{WORDS[outcome]:<9}  {_what(each)}" for each in group]
    return [*said, counts(checked, strict)]


def counts(checked: Sequence[Checked], strict: bool) -> str:
    """``3 gates passed, 1 failed, 1 undecided (does not fail without --strict).``"""
    of = {outcome: sum(each.outcome == outcome for each in checked) for outcome in WORDS}
    parts = [f"{of['passed']} of {number_of(len(checked), 'check')} passed"]
    parts += [f"{of[outcome]} {outcome}" for outcome in ("failed", "missing", "undecided") if of[outcome]]
    text = ", ".join(parts)
    if of["undecided"]:
        text += "; --strict counts undecided as failed" if strict else "; undecided does not fail without --strict"
    return text + "."


def markdown(title: str, checked: Sequence[Checked], warnings: Sequence[Reason], strict: bool) -> str:
    """A table of every check, the failed ones first."""
    out = [f"## {escape(title)}", "", escape(counts(checked, strict)), ""]
    out += [f"- {escape(ENGLISH.reason(warning))}" for warning in warnings] + [""] * bool(warnings)
    rows = []
    for each in sorted(checked, key=lambda one: tuple(WORDS).index(one.outcome)):
        reasons = f" ({ENGLISH.reasons(each.reasons)})" if each.reasons and each.outcome != "passed" else ""
        value = f"{_name(each)} {_value(each)}"
        rows.append((WORDS[each.outcome] + reasons, _who(each), each.point, value, _limit(each)))
    out += table(("outcome", "target", "point", "value [99%]", "limit"), rows, numbers_from=3)
    return "\n".join(out) + "\n"


def _what(each: Checked) -> str:
    reasons = f": {ENGLISH.reasons(each.reasons)}" if each.reasons and each.outcome != "passed" else ""
    if each.value is None:
        return f"{_who(each)}, {each.point}: no {_name(each)} for the gate {each.gate!r}{reasons}"
    return f"{_who(each)}, {each.point}: {_name(each)} {_value(each)}, limit {_limit(each)}{reasons}"


def _who(each: Checked) -> str:
    return f"{each.target} / {each.against}" if each.against else each.target


def _name(each: Checked) -> str:
    return NAMES.get(each.measure) or (f"{each.measure} latency" if each.measure in PER_MILLE else each.measure)


def _value(each: Checked) -> str:
    if each.value is None:
        return "–"
    if each.low is None or each.high is None:
        return _number(each, each.value)
    return f"{_number(each, each.value)} [{_number(each, each.low)}, {_number(each, each.high)}]"


def _limit(each: Checked) -> str:
    known = each.unit or each.value is not None
    return f"{'≤' if each.most else '≥'} {_number(each, each.limit)}" if known else "measured"


def _number(each: Checked, value: float) -> str:
    if each.unit == "ratio":
        return ratio_text(value)
    if each.unit == "share":
        return f"{significant(value * 100)}%" if value else "0"
    text = significant(value, 3)
    return {"µs": f"{text} µs", "/s": f"{text}/s"}.get(each.unit, text)
