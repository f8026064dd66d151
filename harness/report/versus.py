"""What ``harness versus`` prints: a sentence with its evidence, or one JSON document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from typing_extensions import TypedDict

from harness.model import Manifest, Metric, Reason, Side
from harness.model.units import format_duration, number_of, significant
from harness.report.language.catalogue import ENGLISH
from harness.report.numbers import plain, signed
from harness.report.profile import Explanation
from harness.report.sentences import METRICS, VERDICTS, contrast_sentence
from harness.report.view import view_of
from harness.results.outcome import Outcome
from harness.results.summary import Cell, ContrastResult, Summary, Verdict
from harness.results.versus import Limit, control_contrasts, request_contrasts

ABSENT = "none"
"""What stands for the version of a package that one side has not."""
LISTED = 8
UNITS = {"cpu_cost": "µs of CPU per request", "throughput": "requests per second"}


class ControlDocument(TypedDict):
    """A against its own twin."""

    ratio: float | None
    ci_low: float | None
    ci_high: float | None
    verdict: Verdict


class RequestDocument(TypedDict):
    """One request of several, measured by itself; as ``VersusDocument`` says it of all."""

    point: str
    ratio: float | None
    ci_low: float | None
    ci_high: float | None
    verdict: Verdict
    a_value: float | None
    b_value: float | None
    blocks_needed: int | None
    validity: list[Reason]


class VersusDocument(TypedDict):
    """What ``harness versus --json`` prints.

    Attributes:
        ratio: A / B of ``metric``, with the ends of its 99% interval over blocks.
        margin: as a share: what is called a difference of consequence.
        difference: A − B in ``unit``.
        a_value, b_value: the absolute values in ``unit``.
        blocks: repetitions with fresh servers; ``blocks_needed``: in all, to decide it; ``null`` where it is decided.
        validity: why the result is less than sound; empty when sound.
        control: the A/A control, one entry, or none where it was left out.
        requests: of several, each by itself.
        limit: what ``--fail-if-slower`` came to; ``null`` without it.
        packages: package → its version on A's side and on B's, where the two environments differ.
        folder: where the run's files are.
        explanation: where the difference comes from; ``null`` without ``--explain``.
    """

    schema: Literal[2]
    a: str
    b: str
    point: str
    metric: Metric
    unit: str
    ratio: float | None
    ci_low: float | None
    ci_high: float | None
    verdict: Verdict
    margin: float
    difference: float | None
    difference_low: float | None
    difference_high: float | None
    a_value: float | None
    b_value: float | None
    blocks: int
    blocks_needed: int | None
    duration_s: float
    validity: list[Reason]
    notes: list[Reason]
    control: list[ControlDocument]
    requests: list[RequestDocument]
    limit: Limit | None
    packages: dict[str, list[str]]
    folder: str
    explanation: Explanation | None


Packages = Mapping[str, tuple[str | None, str | None]]
"""Name → version on A's side and on B's; ``None`` where it is absent."""


def lines(
    manifest: Manifest,
    summary: Summary,
    result: ContrastResult,
    took_s: float,
    notes: Sequence[Reason],
    packages: Packages,
) -> list[str]:
    """The verdict as a sentence, how it was reached, both sides' absolute values, and what a reader should know."""
    view = view_of(manifest, summary)
    said = [plain(contrast_sentence(view, f"contrasts.{summary.contrasts.index(result)}", result, alone=True))]
    how = "Decided" if result.verdict not in ("undecided", "not-measurable") else "Not decided"
    blocks = f"{number_of(result.blocks, 'block')} with fresh servers"
    said.append(f"{how} in {format_duration(took_s)}: {blocks}, {plain((view.where(result.a.point),))}.")
    for name, target in (("A", result.a.target), ("B", result.b.target)):
        cell = _cell(summary, Side(target, result.a.point))
        if cell is not None:
            said.append(f"{side_name(name, target)}: {_values(cell)}")
    for each in request_contrasts(summary):
        verdict, values = VERDICTS[each.verdict], [_cell(summary, side) for side in (each.a, each.b)]
        if each.ratio is not None:
            sides = " and ".join(_values(cell) for cell in values if cell)
            verdict = f"A against B: {_ratio(each)}, {verdict} ({sides})"
        said.append(f"{plain((view.where(each.a.point),))}: {verdict}")
    for control in control_contrasts(summary):
        margin = significant(result.margin * 100)
        said.append(f"A/A control: {_ratio(control)}, {control.verdict}; the margin is ±{margin}%")
    if packages:
        said.append(f"The two environments differ in: {listed_packages(packages)}")
    return [*said, *(f"note: {ENGLISH.reason(note)}" for note in [*notes, *_reasons(summary, result)])]


def side_name(letter: str, target: str) -> str:
    """``A  flask-gunicorn``; the letter alone where a spelled-out target has no other name."""
    return letter if letter == target else f"{letter}  {target}"


def listed_packages(packages: Packages) -> str:
    """What both have comes first, in different versions; the document holds all."""
    ordered = sorted(packages.items(), key=lambda item: None in item[1])
    listed = ", ".join(f"{name} {a or ABSENT} against {b or ABSENT}" for name, (a, b) in ordered[:LISTED])
    return listed + (f", and {len(ordered) - LISTED} more" if len(ordered) > LISTED else "")


def versions_of(packages: Packages) -> dict[str, list[str]]:
    return {name: [version or ABSENT for version in versions] for name, versions in packages.items()}


def document(
    summary: Summary,
    result: ContrastResult,
    took_s: float,
    notes: Sequence[Reason],
    packages: Packages,
    folder: str,
    explanation: Explanation | None = None,
    limit: Limit | None = None,
) -> VersusDocument:
    """The JSON of ``harness versus --json``."""
    return {
        "schema": 2,
        "a": result.a.target,
        "b": result.b.target,
        "point": result.a.point,
        "metric": result.metric,
        "unit": UNITS[result.metric],
        "ratio": result.ratio,
        "ci_low": result.ci_low,
        "ci_high": result.ci_high,
        "verdict": result.verdict,
        "margin": result.margin,
        "difference": result.difference,
        "difference_low": result.difference_low,
        "difference_high": result.difference_high,
        "a_value": _value(_cell(summary, result.a), result),
        "b_value": _value(_cell(summary, result.b), result),
        "blocks": result.blocks,
        "blocks_needed": result.blocks_needed,
        "duration_s": took_s,
        "validity": _reasons(summary, result),
        "notes": list(notes),
        "control": [
            {"ratio": each.ratio, "ci_low": each.ci_low, "ci_high": each.ci_high, "verdict": each.verdict}
            for each in control_contrasts(summary)
        ],
        "requests": [
            {
                "point": each.a.point,
                "ratio": each.ratio,
                "ci_low": each.ci_low,
                "ci_high": each.ci_high,
                "verdict": each.verdict,
                "a_value": _value(_cell(summary, each.a), each),
                "b_value": _value(_cell(summary, each.b), each),
                "blocks_needed": each.blocks_needed,
                "validity": list(each.reasons),
            }
            for each in request_contrasts(summary)
        ],
        "limit": limit,
        "packages": versions_of(packages),
        "folder": folder,
        "explanation": explanation,
    }


def state(result: ContrastResult) -> str:
    """How far it is, in one line: ``cpu per request −3.1% [−3.6, −2.6] after 6 blocks``."""
    if result.ratio is None:
        return "no block yet"
    blocks = number_of(result.blocks, "block")
    return f"A against B in {METRICS[result.metric]}: {_ratio(result)} after {blocks}: {result.verdict}"


def _ratio(result: ContrastResult) -> str:
    shown = [
        f"{signed((each - 1) * 100)}%" for each in (result.ratio, result.ci_low, result.ci_high) if each is not None
    ]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]" if len(shown) == 3 else shown[0]


def limit_line(limit: Limit) -> str:
    """What the limit came to, in a sentence."""
    share = f"{significant(limit.share * 100)}%"
    said = f"--fail-if-slower {share}: {_OUTCOMES[limit.outcome].format(share=share)}"
    return said + (f"; slower by more by themselves: {', '.join(limit.beyond)}" if limit.beyond else "")


_OUTCOMES: Mapping[Outcome, str] = {
    "passed": "passed",
    "failed": "failed, since A is slower than B by more than {share}",
    "undecided": "not decided, since the interval contains the limit; the exit code is 0",
    "missing": "nothing valid was measured to hold against it",
}


def _cell(summary: Summary, side: Side) -> Cell | None:
    return next((cell for cell in summary.cells if (cell.target, cell.point) == (side.target, side.point)), None)


def _value(cell: Cell | None, result: ContrastResult) -> float | None:
    estimate = None if cell is None else cell.cpu_us if result.metric == "cpu_cost" else cell.throughput_rps
    return None if estimate is None else estimate.value


def _values(cell: Cell) -> str:
    parts = []
    if cell.cpu_us is not None:
        parts.append(f"{significant(cell.cpu_us.value, 3)} µs of CPU per request")
    if cell.throughput_rps is not None:
        parts.append(f"{significant(cell.throughput_rps.value, 3)} requests/s")
    return ", ".join(parts) or ENGLISH.reasons(_by_code(cell.reasons)) or cell.status


def _reasons(summary: Summary, result: ContrastResult) -> list[Reason]:
    """Why the result is less than sound: gates that fired, failures, and what the contrast itself says."""
    fired = _by_code(gate.reason for gate in summary.health.gates)
    failures = dict.fromkeys(failure.reason.plus(side=failure.target) for failure in summary.health.failures)
    # What the contrast itself says of a gate stands among the gates already.
    return [*(() if fired else result.reasons), *fired, *failures]


def _by_code(reasons: Iterable[Reason]) -> list[Reason]:
    """The first reason of each code, with the number of others: a busy machine says much the same in every block."""
    alike: dict[str, list[Reason]] = {}
    for reason in reasons:
        alike.setdefault(reason.code, []).append(reason)
    return [each[0].plus(more=len(each) - 1) if each[1:] else each[0] for each in alike.values()]
