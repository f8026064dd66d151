"""What ``harness versus`` prints: a sentence with its evidence, or one JSON document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from typing_extensions import TypedDict

from harness.analyse.summary import Cell, ContrastResult, Summary, Verdict
from harness.model import Manifest, Metric
from harness.render.numbers import signed
from harness.render.sentences import METRICS, contrast_sentence, plain
from harness.render.view import view_of
from harness.units import format_duration, significant

SCHEMA = 1
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
        packages: package → its version on A's side and on B's, where the two environments differ.
        folder: where the run's files are.
    """

    schema: int
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
    validity: list[str]
    notes: list[str]
    control: list[ControlDocument]
    packages: dict[str, list[str]]
    folder: str


Packages = Mapping[str, tuple[str, str]]


def lines(
    manifest: Manifest,
    summary: Summary,
    result: ContrastResult,
    took_s: float,
    notes: Sequence[str],
    packages: Packages,
) -> list[str]:
    """The verdict as a sentence, how it was reached, both sides' absolute values, and what a reader should know."""
    view = view_of(manifest, summary)
    said = [plain(contrast_sentence(view, summary.contrasts.index(result), result, located=False))]
    how = "Decided" if result.verdict not in ("undecided", "not-measurable") else "Not decided"
    blocks = f"{result.blocks} block{'' if result.blocks == 1 else 's'} with fresh servers"
    said.append(f"{how} in {format_duration(took_s)}: {blocks}, {plain((view.where(result.a.point),))}.")
    for name, target in (("A", result.a.target), ("B", result.b.target)):
        cell = _cell(summary, target)
        if cell is not None:
            said.append(f"{name}  {target}: {_values(cell)}")
    said += [f"A/A control: {_control(control)}" for control in _controls(summary, result)]
    if packages:
        said.append(f"The two environments differ in: {listed_packages(packages)}")
    return [*said, *(f"note: {note}" for note in [*notes, *_reasons(summary, result)])]


def listed_packages(packages: Packages) -> str:
    """What both have comes first, in different versions; the document holds all."""
    ordered = sorted(packages.items(), key=lambda item: ABSENT in item[1])
    listed = ", ".join(f"{name} {a} against {b}" for name, (a, b) in ordered[:LISTED])
    return listed + (f", and {len(ordered) - LISTED} more" if len(ordered) > LISTED else "")


def document(
    summary: Summary, result: ContrastResult, took_s: float, notes: Sequence[str], packages: Packages, folder: str
) -> VersusDocument:
    """The JSON of ``harness versus --json``."""
    return {
        "schema": SCHEMA,
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
        "a_value": _value(_cell(summary, result.a.target), result),
        "b_value": _value(_cell(summary, result.b.target), result),
        "blocks": result.blocks,
        "blocks_needed": result.blocks_needed,
        "duration_s": took_s,
        "validity": _reasons(summary, result),
        "notes": list(notes),
        "control": [
            {"ratio": each.ratio, "ci_low": each.ci_low, "ci_high": each.ci_high, "verdict": each.verdict}
            for each in _controls(summary, result)
        ],
        "packages": {name: list(versions) for name, versions in packages.items()},
        "folder": folder,
    }


def state(result: ContrastResult) -> str:
    """How far it is, in one line: ``cpu per request −3.1% [−3.6, −2.6] after 6 blocks``."""
    if result.ratio is None:
        return "no block yet"
    text = f"A against B in {METRICS[result.metric]}: {_percent(result.ratio)}"
    if result.ci_low is not None and result.ci_high is not None:
        text += f" [{_percent(result.ci_low)}, {_percent(result.ci_high)}]"
    return f"{text} after {result.blocks} blocks: {result.verdict}"


def _percent(ratio: float) -> str:
    return f"{signed((ratio - 1) * 100)}%"


def _controls(summary: Summary, result: ContrastResult) -> list[ContrastResult]:
    return [each for each in summary.contrasts if each is not result and each.ratio is not None]


def _control(control: ContrastResult) -> str:
    interval = ""
    if control.ci_low is not None and control.ci_high is not None:
        interval = f" [{_percent(control.ci_low)}, {_percent(control.ci_high)}]"
    ratio = 1.0 if control.ratio is None else control.ratio
    return f"{_percent(ratio)}{interval}, {control.verdict}; the margin is ±{significant(control.margin * 100)}%"


def _cell(summary: Summary, target: str) -> Cell | None:
    return next((cell for cell in summary.cells if cell.target == target), None)


def _value(cell: Cell | None, result: ContrastResult) -> float | None:
    estimate = None if cell is None else cell.cpu_us if result.metric == "cpu_cost" else cell.throughput_rps
    return None if estimate is None else estimate.value


def _values(cell: Cell) -> str:
    parts = []
    if cell.cpu_us is not None:
        parts.append(f"{significant(cell.cpu_us.value, 3)} µs of CPU per request")
    if cell.throughput_rps is not None:
        parts.append(f"{significant(cell.throughput_rps.value, 3)} requests/s")
    return ", ".join(parts) or "; ".join(cell.reasons) or cell.status


def _reasons(summary: Summary, result: ContrastResult) -> list[str]:
    """Why the result is less than sound: gates that fired, failures, and what the contrast itself says."""
    gates: dict[str, list[str]] = {}
    for gate in summary.health.gates:
        if gate.fatal:
            gates.setdefault(gate.gate, []).append(gate.reason)
    fired = [f"{name}: {each[0]}" + (f", and {len(each) - 1} more" if each[1:] else "") for name, each in gates.items()]
    failures = {f"{failure.target}: {failure.message}" for failure in summary.health.failures}
    # What the contrast itself says of a gate stands among the gates already.
    own = [result.reason] if result.reason and not fired else []
    return [*own, *fired, *sorted(failures)]
