"""What ``harness check`` prints: what failed, what is open, what is missing, and a count of the rest."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from harness.model import Reason
from harness.model.units import number_of, significant
from harness.report.language.catalogue import ENGLISH
from harness.report.markdown import escape, table
from harness.report.numbers import ends, ratio_text
from harness.results.gate import Checked, Outcome
from harness.stats.quantiles import PER_MILLE

WORDS: dict[Outcome, str] = {"failed": "FAILED", "missing": "missing", "undecided": "undecided", "passed": "passed"}
SHOWN = 20
NAMES = {"cpu": "CPU per request", "throughput": "requests per second", "errors": "failed requests", "any": "number"}
NAMES |= {quantile: f"{quantile} latency" for quantile in PER_MILLE}


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
        value = f"{NAMES.get(each.measure, each.measure)} {_value(each)}"
        rows.append((WORDS[each.outcome] + reasons, _who(each), each.point, value, _limit(each)))
    out += table(("outcome", "target", "point", "value [99%]", "limit"), rows, numbers_from=3)
    return "\n".join(out) + "\n"


def _what(each: Checked) -> str:
    reasons = f": {ENGLISH.reasons(each.reasons)}" if each.reasons and each.outcome != "passed" else ""
    where, name = f"{_who(each)}, {each.point}", NAMES.get(each.measure, each.measure)
    if each.value is None:
        return f"{where}: no {name} for the gate {each.gate!r}{reasons}"
    return f"{where}: {name} {_value(each)}, limit {_limit(each)}{reasons}"


def _who(each: Checked) -> str:
    return f"{each.target} / {each.against}" if each.against else each.target


def _value(each: Checked) -> str:
    show = partial(_number, each)
    return "–" if each.value is None else show(each.value) + ends(each.low, each.high, show)


def _limit(each: Checked) -> str:
    known = each.unit or each.value is not None
    return f"{'≤' if each.most else '≥'} {_number(each, each.limit)}" if known else "measured"


def _number(each: Checked, value: float) -> str:
    if each.unit == "ratio":
        return ratio_text(value)
    if each.unit == "share":
        return f"{significant(value * 100)}%" if value else "0"
    return significant(value, 3) + {"µs": " µs", "/s": "/s"}.get(each.unit, "")
