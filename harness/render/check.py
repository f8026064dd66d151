"""What ``harness check`` prints: what failed, what is open, what is missing, and a count of the rest."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analyse.check import Checked, Outcome
from harness.render.markdown import escape
from harness.render.numbers import ratio_text
from harness.units import significant

WORDS: dict[Outcome, str] = {"failed": "FAILED", "missing": "missing", "undecided": "undecided", "passed": "passed"}
SHOWN = 20
NAMES = {"cpu": "CPU per request", "throughput": "requests per second", "errors": "failed requests", "any": "a number"}


def lines(checked: Sequence[Checked], warnings: Sequence[str], strict: bool) -> list[str]:
    """At most so many passed gates one by one; all others always."""
    said = [f"warning: {warning}" for warning in warnings]
    passed = [each for each in checked if each.outcome == "passed"]
    for outcome in ("failed", "missing", "undecided", "passed"):
        group = [each for each in checked if each.outcome == outcome]
        if outcome == "passed" and len(passed) > SHOWN:
            group = []
        said += [f"{WORDS[each.outcome]:<9}  {_what(each)}" for each in group]
    return [*said, counts(checked, strict)]


def counts(checked: Sequence[Checked], strict: bool) -> str:
    """``3 gates passed, 1 failed, 1 undecided (does not fail without --strict).``"""
    of = {outcome: sum(each.outcome == outcome for each in checked) for outcome in WORDS}
    parts = [f"{of['passed']} of {len(checked)} checks passed"]
    parts += [f"{of[outcome]} {outcome}" for outcome in ("failed", "missing", "undecided") if of[outcome]]
    text = ", ".join(parts)
    if of["undecided"]:
        text += "; --strict counts undecided as failed" if strict else "; undecided does not fail without --strict"
    return text + "."


def markdown(title: str, checked: Sequence[Checked], warnings: Sequence[str], strict: bool) -> str:
    """A table of every check, the failed ones first."""
    out = [f"## {escape(title)}", "", escape(counts(checked, strict)), ""]
    out += [f"- {escape(warning)}" for warning in warnings] + [""] * bool(warnings)
    out += ["| outcome | target | point | value [99%] | limit |", "| --- | --- | --- | ---: | ---: |"]
    for each in sorted(checked, key=lambda one: tuple(WORDS).index(one.outcome)):
        reason = f" ({each.reason})" if each.reason and each.outcome != "passed" else ""
        row = (WORDS[each.outcome] + reason, _who(each), each.point, f"{_name(each)} {_value(each)}", _limit(each))
        out.append(f"| {' | '.join(map(escape, row))} |")
    return "\n".join(out) + "\n"


def _what(each: Checked) -> str:
    reason = f": {each.reason}" if each.reason and each.outcome != "passed" else ""
    if each.value is None:
        return f"{_who(each)}, {each.point}: no {_name(each)} for the gate {each.gate!r}{reason}"
    return f"{_who(each)}, {each.point}: {_name(each)} {_value(each)}, limit {_limit(each)}{reason}"


def _who(each: Checked) -> str:
    return f"{each.target} / {each.against}" if each.against else each.target


def _name(each: Checked) -> str:
    return NAMES.get(each.measure, f"{each.measure} of service time")


def _value(each: Checked) -> str:
    if each.value is None:
        return "–"
    if each.low is None or each.high is None:
        return _number(each, each.value)
    return f"{_number(each, each.value)} [{_number(each, each.low)}, {_number(each, each.high)}]"


def _limit(each: Checked) -> str:
    return f"{'≤' if each.most else '≥'} {_number(each, each.limit)}" if each.unit else "measured"


def _number(each: Checked, value: float) -> str:
    if each.unit == "ratio":
        return ratio_text(value)
    if each.unit == "share":
        return f"{significant(value * 100)}%" if value else "0"
    text = significant(value, 3)
    return f"{text} µs" if each.unit == "µs" else f"{text}/s"
