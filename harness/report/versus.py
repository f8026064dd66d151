"""What ``harness versus`` prints: one JSON document, or the same in lines of text or a pull request's comment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from typing_extensions import TypedDict

from harness.model import InstructionCount, Manifest, Metric, Reason, Side, WindowRecord
from harness.model.units import format_duration, number_of, significant
from harness.report.language.catalogue import ENGLISH
from harness.report.markdown import escape
from harness.report.numbers import ends, plain, signed
from harness.report.profile import Explanation, explained
from harness.report.sentences import VERDICTS, contrast_sentence
from harness.report.view import View
from harness.results.gate import Outcome
from harness.results.instructions import CountedDocument, counted_document
from harness.results.summary import Cell, ContrastResult, Summary, Verdict
from harness.results.versus import Limit, control_contrasts, main_contrast, request_contrasts

ABSENT = "none"
"""What stands for the version of a package that one side has not."""
LISTED = 8
OBJECTS = 6
UNITS: Mapping[Metric, str] = {
    "cpu_cost": "µs of CPU per request",
    "throughput": "requests per second",
    "instructions": "instructions per request",
}
LEFT_OUT = {"callgrind": "in user space", "perf_event": "with the kernel's work"}
Packages = Mapping[str, tuple[str | None, str | None]]
"""Name → version on A's side and on B's; ``None`` where it is absent."""


class ControlDocument(TypedDict):
    """A against its own twin."""

    ratio: float | None
    ci_low: float | None
    ci_high: float | None
    verdict: Verdict


class RequestDocument(ControlDocument):
    """One request of several, measured by itself; as ``VersusDocument`` says it of all."""

    point: str
    a_value: float | None
    b_value: float | None
    blocks_needed: int | None
    validity: list[Reason]


class VersusDocument(RequestDocument, CountedDocument):
    """What ``harness versus --json`` prints.

    Attributes:
        ratio: A / B of ``metric``, with the ends of its 99% interval over blocks.
        margin: as a share: what is called a difference of consequence.
        difference: A − B in ``unit``.
        a_value, b_value: the absolute values in ``unit``.
        blocks: repetitions with fresh servers; ``blocks_needed``: in all, to decide it; ``null`` where it is decided or
            unknown.
        validity: why the result is less than sound; empty when sound.
        control: the A/A control, one entry, or none where it was left out.
        requests: of several, each by itself.
        limit: the outcome of ``--fail-if-slower``; ``null`` without it.
        packages: package → its version on A's side and on B's, where the two environments differ.
        folder: where the run's files are.
        explanation: where the difference comes from; ``null`` without ``--explain``.
        difference_us: of instructions, as the six fields after it: what ``difference`` is in CPU µs on this machine, by
            ``ns_per_instruction``, nanoseconds of CPU, kernel included, with the ends of the 99% interval. ``null``
            where CPU clocks gave nothing.
        b_cpu_us: B's CPU cost.
        counter: what counted: ``callgrind`` counts in user space alone, ``perf_event`` the kernel's work too.
        settings: variables of the servers' environment that make every start do the same work.
        objects: shared object → instructions per request of A and of B, largest difference first.
        counts: every start of either side.
    """

    schema: Literal[2]
    a: str
    b: str
    metric: Metric
    unit: str
    margin: float
    difference: float | None
    difference_low: float | None
    difference_high: float | None
    blocks: int
    duration_s: float
    notes: list[Reason]
    control: list[ControlDocument]
    requests: list[RequestDocument]
    limit: Limit | None
    packages: dict[str, list[str]]
    folder: str
    explanation: Explanation | None


def document(
    summary: Summary,
    records: Sequence[WindowRecord],
    took_s: float,
    *,
    notes: Sequence[Reason] = (),
    packages: Packages | None = None,
    folder: str = "",
    explanation: Explanation | None = None,
    limit: Limit | None = None,
) -> VersusDocument:
    """The JSON of ``harness versus --json``."""
    result = main_contrast(summary)
    return {
        "schema": 2,
        "a": result.a.target,
        "b": result.b.target,
        "metric": result.metric,
        "unit": UNITS[result.metric],
        **_request(summary, result, _reasons(summary, result)),
        "margin": result.margin,
        "difference": result.difference,
        "difference_low": result.difference_low,
        "difference_high": result.difference_high,
        "blocks": result.blocks,
        "duration_s": took_s,
        "notes": list(notes),
        "control": [_control(each) for each in control_contrasts(summary)],
        "requests": [_request(summary, each, each.reasons) for each in request_contrasts(summary)],
        "limit": limit,
        "packages": {name: [version or ABSENT for version in versions] for name, versions in (packages or {}).items()},
        "folder": folder,
        "explanation": explanation,
        **counted_document(result, records),
    }


def _control(result: ContrastResult) -> ControlDocument:
    return {"ratio": result.ratio, "ci_low": result.ci_low, "ci_high": result.ci_high, "verdict": result.verdict}


def _request(summary: Summary, result: ContrastResult, reasons: Iterable[Reason]) -> RequestDocument:
    return {
        **_control(result),
        "point": result.a.point,
        "a_value": _value(summary, result.a, result.metric),
        "b_value": _value(summary, result.b, result.metric),
        "blocks_needed": result.blocks_needed,
        "validity": list(reasons),
    }


def lines(manifest: Manifest, summary: Summary, doc: VersusDocument) -> list[str]:
    """The verdict as a sentence, how it was reached, both sides' absolute values, and what a reader should know."""
    view, result = View(manifest, summary), main_contrast(summary)
    path = f"contrasts.{len(summary.contrasts) - 1}"
    how = "Decided" if result.verdict not in ("undecided", "not-measurable") else "Not decided"
    counter, fresh = doc.get("counter"), not all(target.elsewhere for target in manifest.targets)
    blocks = number_of(result.blocks, "block") + " with fresh servers" * fresh
    counted = ""
    if counter:
        counted = f"; counted by {counter} {LEFT_OUT[counter]}; the margin is ±{significant(result.margin * 100)}%"
    said = [
        plain(contrast_sentence(view, path, result, single=True)),
        *([_in_units(doc)] if counter else ()),
        f"{how} in {format_duration(doc['duration_s'])}: {blocks}, {view.where(result.a.point)}{counted}.",
    ]
    for at, (name, side) in enumerate((("A", result.a), ("B", result.b))):
        if known := view.cell(side.target, side.point):
            left_out = "".join(map(_left_out, doc.get("counts", ())[at : at + 1]))
            # A target that is spelled out has no other name than the letter.
            who = name if name == side.target else f"{name}  {side.target}"
            said.append(f"{who}: {_values(known[1], result.metric)}{left_out}")
    for each in request_contrasts(summary):
        verdict, sides = VERDICTS[each.verdict], [view.cell(side.target, side.point) for side in (each.a, each.b)]
        if each.ratio is not None:
            values = " and ".join(_values(known[1], each.metric) for known in sides if known)
            verdict = f"A against B: {_ratio(each)}, {verdict} ({values})"
        said.append(f"{view.where(each.a.point)}: {verdict}")
    if objects := doc.get("objects"):
        said.append(f"By shared object: {_objects(objects)}")
    for control in control_contrasts(summary):
        margin = significant(result.margin * 100)
        said.append(f"A/A control: {_ratio(control)}, {control.verdict}; the margin is ±{margin}%")
    if doc["packages"]:
        said.append(f"The two environments differ in: {listed_packages(doc['packages'])}")
    said += [f"note: {ENGLISH.reason(note)}" for note in [*doc["notes"], *doc["validity"]]]
    if doc["explanation"]:
        said += explained(doc["explanation"])
    if doc["limit"]:
        said.append(limit_line(doc["limit"]))
    return said


def comment_of(manifest: Manifest, printed: Sequence[str]) -> str:
    """A marker, by which the next comment replaces this one, the verdict and what supports it, and the command.

    Args:
        printed: the lines, the verdict first.
    """
    # Of several, the last is all requests together.
    point, target = manifest.plan.points[-1], manifest.targets[0]
    # Two hyphens end a comment of HTML.
    marker = re.sub(r"-{2,}|\s+", " ", f"harness versus {target.application}@{target.server} {point.id}")
    verdict, *rest = printed
    said = [f"<!-- {marker} -->", f"### {escape(manifest.name)}", "", f"**{escape(verdict)}**", ""]
    tables = rest.index("") if "" in rest else len(rest)
    said += [f"- {escape(line)}" for line in rest[:tables]]
    return "\n".join([*said, "", "```", manifest.command, *rest[tables:], "```", ""])


def state(result: ContrastResult) -> str:
    """How far it is, in one line: ``A against B in CPU per request: −3.1% [−3.6%, −2.6%] after 6 blocks: small``."""
    if result.ratio is None:
        return "nothing counted yet" if result.metric == "instructions" else "no block yet"
    metric, after = ENGLISH.text(f"metrics.{result.metric}"), number_of(result.blocks, "block")
    return f"A against B in {metric}: {_ratio(result)} after {after}: {result.verdict}"


def limit_line(limit: Limit) -> str:
    """The outcome of the limit, in a sentence."""
    share = f"{significant(limit.share * 100)}%"
    said = f"--fail-if-slower {share}: {_OUTCOMES[limit.outcome].format(share=share)}"
    return said + (f"; slower by more by themselves: {', '.join(limit.beyond)}" if limit.beyond else "")


_OUTCOMES: Mapping[Outcome, str] = {
    "passed": "passed",
    "failed": "failed, since A is slower than B by more than {share}",
    "undecided": "not decided, since the interval contains the limit; the exit code is 0",
    "missing": "not checked, since nothing valid was measured",
}


def listed_packages(packages: Mapping[str, Sequence[str | None]]) -> str:
    """What both have comes first, in different versions; the document holds all."""
    named = ((name, [version or ABSENT for version in versions]) for name, versions in packages.items())
    ordered = sorted(named, key=lambda item: ABSENT in item[1])
    listed = ", ".join(f"{name} {a} against {b}" for name, (a, b) in ordered[:LISTED])
    return listed + (f", and {len(ordered) - LISTED} more" if len(ordered) > LISTED else "")


def _in_units(doc: VersusDocument) -> str:
    """What the difference is in instructions, and in CPU time where CPU clocks gave anything."""
    interval = ends(doc["difference_low"], doc["difference_high"], _plus)
    said = f"A − B: {_plus(doc['difference'] or 0.0)}{interval} {doc['unit']}"
    if doc["difference_us"] is None or doc["ns_per_instruction"] is None:
        return said
    ns, low, high = doc["ns_per_instruction"]
    share = f", {_plus(doc['difference_us'] / doc['b_cpu_us'] * 100, 2)}% of B's CPU cost" if doc["b_cpu_us"] else ""
    return (
        f"{said}, about {_plus(doc['difference_us'], 2)} µs of CPU{share}: {significant(ns)}"
        f"{ends(low, high, significant)} ns per instruction on this machine, kernel included"
    )


def _left_out(count: InstructionCount) -> str:
    idle, collections = significant(count.idle_per_s, 3), significant(count.collections, 3)
    return f"; left out: {idle} per second when idle, {collections} per request for collections of garbage"


def _objects(objects: Mapping[str, tuple[float, float]]) -> str:
    differences = [(name, a - b) for name, (a, b) in objects.items()]
    shown = [f"{name} {_plus(difference)}" for name, difference in differences[:OBJECTS]]
    if others := differences[OBJECTS:]:
        shown.append(f"{len(others)} others {_plus(sum(difference for _, difference in others))}")
    return ", ".join(shown)


def _ratio(result: ContrastResult) -> str:
    def share(ratio: float) -> str:
        return f"{signed((ratio - 1) * 100)}%"

    return "" if result.ratio is None else share(result.ratio) + ends(result.ci_low, result.ci_high, share)


def _plus(value: float, digits: int = 3) -> str:
    return ("+" if value >= 0 else "") + signed(value, digits)


def _value(summary: Summary, side: Side, metric: Metric) -> float | None:
    cells = (cell for cell in summary.cells if (cell.target, cell.point) == (side.target, side.point))
    estimate = next((cell.estimate(metric) for cell in cells), None)
    return estimate.value if estimate else None


def _values(cell: Cell, metric: Metric) -> str:
    counted = metric == "instructions"
    metrics: tuple[Metric, ...] = ("instructions",) if counted else ("cpu_cost", "throughput")
    parts = [
        f"{significant(estimate.value, 4 if counted else 3)} {UNITS[each]}"
        for each in metrics
        if (estimate := cell.estimate(each))
    ]
    return ", ".join(parts) or ENGLISH.reasons(_by_code(cell.reasons)) or cell.status


def _reasons(summary: Summary, result: ContrastResult) -> list[Reason]:
    """Why the result is less than sound: gates that fired, failures, and what the contrast itself says."""
    # What disturbs clocks does not disturb a count.
    fired = [] if result.metric == "instructions" else _by_code(gate.reason for gate in summary.health.gates)
    failures = dict.fromkeys(failure.reason.plus(side=failure.target) for failure in summary.health.failures)
    # What the contrast itself says of a gate stands among the gates already.
    return [*(() if fired else result.reasons), *fired, *failures]


def _by_code(reasons: Iterable[Reason]) -> list[Reason]:
    """The first reason of each code, with the number of others: a busy machine says much the same in every block."""
    alike: dict[str, list[Reason]] = {}
    for reason in reasons:
        alike.setdefault(reason.code, []).append(reason)
    return [each[0].plus(more=len(each) - 1) if each[1:] else each[0] for each in alike.values()]
