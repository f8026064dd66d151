"""What ``harness compare`` prints: lines, Markdown, or one JSON document."""

from __future__ import annotations

from collections.abc import Iterable

from harness.model.units import significant
from harness.report.language.catalogue import ENGLISH
from harness.report.markdown import escape, table
from harness.report.numbers import plus
from harness.report.sentences import VERDICTS
from harness.results.compare import Change, Comparison, Measure
from harness.results.summary import Verdict
from harness.stats.estimate import REAL

MEASURES: dict[Measure, tuple[str, str]] = {
    "cpu_cost": ("CPU per request", "µs"),
    "throughput": ("requests per second", "/s"),
    "p99": ("p99 of service time", "µs"),
}
SHOWN = 24
"""The most changes that the terminal shows one by one, besides those with a difference."""
ORDER: tuple[Verdict, ...] = ("different", "different-size-open", "small", "undecided", "same", "not-measurable")


def lines(comparison: Comparison) -> list[str]:
    """Differences first, then what is undecided and the rest, as far as they fit."""
    said = [f"{comparison.new} against {comparison.base}: new relative to base, with 99% intervals over blocks", ""]
    ordered = _ordered(comparison.changes)
    every = len(ordered) <= SHOWN
    for verdict in ORDER:
        if group := [change for change in ordered if change.verdict == verdict]:
            said.append(f"{VERDICTS[verdict].capitalize()}: {len(group)}")
            said += [f"  {_line(change)}" for change in group if every or verdict in REAL]
    if not comparison.changes:
        said.append("The two runs have no target at a point in common.")
    said += _only(comparison)
    return said + [f"warning: {ENGLISH.reason(warning)}" for warning in comparison.warnings]


def markdown(comparison: Comparison) -> str:
    """A table of all changes for a pull request."""
    out = [f"# {escape(comparison.new)} against {escape(comparison.base)}", ""]
    out += [f"- {escape(ENGLISH.reason(each))}" for each in comparison.warnings] + [""] * bool(comparison.warnings)
    head = ("target", "point", "what", "base", "new", "change [99%]", "verdict")
    out += table(head, map(_row, _ordered(comparison.changes)), numbers_from=3, until=6)
    for line in _only(comparison):
        out += ["", escape(line)]
    return "\n".join(out) + "\n"


def _row(change: Change) -> tuple[str, ...]:
    name, unit = MEASURES[change.measure]
    what, verdict = (name, "") if change.basis == "contrast" else (f"{name}, {unit}", f" ({_basis(change)})")
    values = _number(change.base), _number(change.new), _percent(change)
    return _target(change), change.point, what, *values, VERDICTS[change.verdict] + verdict


def _ordered(changes: Iterable[Change]) -> list[Change]:
    return sorted(changes, key=lambda change: ORDER.index(change.verdict))


def _line(change: Change) -> str:
    name, unit = MEASURES[change.measure]
    ends = f" ({_number(change.base)} → {_number(change.new)}{'' if change.basis == 'contrast' else f' {unit}'})"
    tail = f": {ENGLISH.reason(change.reason)}" if change.reason else ""
    return f"{_target(change)}, {change.point}: {name} {_percent(change)}{ends}, {_basis(change)}{tail}"


def _target(change: Change) -> str:
    return f"{change.target} / {change.against}" if change.basis == "contrast" else change.target


def _basis(change: Change) -> str:
    if change.basis == "anchored":
        return f"relative to {change.against}"
    return "ratio within rounds" if change.basis == "contrast" else "absolute"


def _percent(change: Change) -> str:
    if change.ratio is None or change.ci_low is None or change.ci_high is None:
        return "not known"
    low, high = ((end - 1) * 100 for end in (change.ci_low, change.ci_high))
    return f"{plus((change.ratio - 1) * 100)}% [{plus(low)}, {plus(high)}]"


def _number(value: float | None) -> str:
    return "–" if value is None else significant(value, 3)


def _only(comparison: Comparison) -> list[str]:
    """What only one of the runs has."""
    said = []
    for name, sides in (("base", comparison.only_base), ("new", comparison.only_new)):
        names, rest = [f"{side.target} at {side.point}" for side in sides], len(sides) - 8
        if names:
            said.append(f"Only in {name}: {', '.join(names[:8])}" + (f", and {rest} more" if rest > 0 else ""))
    return said
