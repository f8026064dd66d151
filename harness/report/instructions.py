"""What ``harness versus --metric instructions`` prints: a sentence with its evidence, or one JSON document."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.model import InstructionCount, Reason
from harness.model.units import format_duration, number_of, significant
from harness.report.language.catalogue import ENGLISH
from harness.report.numbers import signed
from harness.report.sentences import VERDICTS
from harness.report.versus import Packages, listed_packages, side_name, versions_of
from harness.results.instructions import InstructionResult
from harness.results.summary import Estimate, Verdict
from harness.results.versus import Limit

SHOWN = 6
DIGITS = 4
THOUSAND = 1e3
LEFT_OUT = {"callgrind": "in user space", "perf_event": "with the kernel's work"}


@dataclass(frozen=True, slots=True)
class InstructionsDocument:
    """What ``harness versus --metric instructions --json`` prints.

    Attributes:
        difference: A − B in ``unit``, with the ends of its 99% interval over starts.
        ratio: A / B, likewise.
        difference_us: in CPU µs on this machine: by ``ns_per_instruction``, nanoseconds of CPU, kernel included, with
            the ends of the 99% interval. ``null`` where CPU clocks gave nothing.
        b_cpu_us: B's CPU cost.
        control: A / A of two servers, with the ends of its interval; ``null`` without ``--control``.
        margin: as a share: what is called a difference of consequence.
        a_value, b_value: the absolute values in ``unit``.
        starts: of each side; ``starts_needed``: in all, to decide it; ``null`` where it is decided or nobody can tell.
        counter: what counted: ``callgrind`` counts in user space alone, ``perf_event`` the kernel's work too.
        settings: variables of the servers' environment that make every start do the same work.
        objects: shared object → instructions per request of A and of B, largest difference first.
        counts: every start of either side.
        packages: package → its version on A's side and on B's, where the two environments differ.
        folder: where the run's files are.
        limit: what ``--fail-if-slower`` came to; ``null`` without it.
    """

    a: str
    b: str
    point: str
    difference: float
    difference_low: float | None
    difference_high: float | None
    ratio: float
    ci_low: float | None
    ci_high: float | None
    difference_us: float | None
    ns_per_instruction: tuple[float, float | None, float | None] | None
    b_cpu_us: float | None
    verdict: Verdict
    margin: float
    a_value: float
    b_value: float
    starts: int
    starts_needed: int | None
    duration_s: float
    counter: str
    settings: Mapping[str, str]
    objects: Mapping[str, tuple[float, float]]
    control: tuple[float, float | None, float | None] | None
    counts: tuple[InstructionCount, ...]
    notes: tuple[Reason, ...]
    packages: Mapping[str, list[str]]
    folder: str
    limit: Limit | None
    metric: Literal["instructions"] = "instructions"
    unit: Literal["instructions per request"] = "instructions per request"
    schema: int = 2


def lines(result: InstructionResult, took_s: float, notes: Sequence[Reason], packages: Packages) -> list[str]:
    """The difference first, then how it was reached and where it comes from."""
    a, b = result.counts[:2]
    how = "Decided" if result.verdict != "undecided" else "Not decided"
    said = [
        f"{state(result)}: {VERDICTS[result.verdict]}; the margin is ±{significant(result.margin * 100)}%.",
        *_time(result),
        f"{how} in {format_duration(took_s)}: {number_of(result.starts, 'start')} of each side, {a.point}; "
        f"counted by {a.counter} {LEFT_OUT[a.counter]}.",
        *(
            f"{side_name(name, each.target)}: {_thousand(value)} thousand instructions per request; "
            f"left out: {_thousand(each.idle_per_s)} thousand per second when idle, "
            f"{_thousand(each.collections)} thousand per request for collections of garbage"
            for name, each, value in (("A", a, result.a), ("B", b, result.b))
        ),
        f"By shared object, in thousand: {_objects(result)}",
    ]
    if result.control is not None:
        said.append(f"A/A control: ratio {_ratio(result.control.value)}{_ends(result.control, _ratio)}")
    if packages:
        said.append(f"The two environments differ in: {listed_packages(packages)}")
    return [*said, *(f"note: {ENGLISH.reason(note)}" for note in notes)]


def _time(result: InstructionResult) -> list[str]:
    """What the difference is in CPU time, where CPU clocks gave anything."""
    if result.difference_us is None or result.ns is None:
        return []
    share = f", {_plus(result.difference_us / result.cpu_us * 100)}% of B's CPU cost" if result.cpu_us else ""
    ends = _ends(result.ns, lambda value: significant(value, 2))
    text = f"About {_plus(result.difference_us)} µs of CPU per request{share}"
    return [f"{text}: {significant(result.ns.value, 2)}{ends} ns per instruction on this machine, kernel included."]


def state(result: InstructionResult) -> str:
    """How far it is: ``+3.10 [+3.02, +3.18] thousand instructions per request, ratio 1.0043 [1.0042, 1.0044]``."""
    difference = signed_thousand(result.difference.value) + _ends(result.difference, signed_thousand)
    ratio = _ratio(result.ratio.value) + _ends(result.ratio, _ratio)
    return f"{difference} thousand instructions per request, ratio {ratio}"


def document(
    result: InstructionResult,
    took_s: float,
    notes: Sequence[Reason],
    packages: Packages,
    folder: str,
    limit: Limit | None = None,
) -> InstructionsDocument:
    """The JSON of ``harness versus --metric instructions --json``."""
    a, b = result.counts[:2]
    control, ns = result.control, result.ns
    return InstructionsDocument(
        a=a.target,
        b=b.target,
        point=a.point,
        difference=result.difference.value,
        difference_low=result.difference.ci_low,
        difference_high=result.difference.ci_high,
        difference_us=result.difference_us,
        ns_per_instruction=None if ns is None else (ns.value, ns.ci_low, ns.ci_high),
        b_cpu_us=result.cpu_us,
        ratio=result.ratio.value,
        ci_low=result.ratio.ci_low,
        ci_high=result.ratio.ci_high,
        verdict=result.verdict,
        margin=result.margin,
        a_value=result.a,
        b_value=result.b,
        starts=result.starts,
        starts_needed=result.starts_needed,
        duration_s=took_s,
        counter=a.counter,
        settings=a.settings,
        objects={each.name: (each.a, each.b) for each in result.objects},
        control=None if control is None else (control.value, control.ci_low, control.ci_high),
        counts=result.counts,
        notes=tuple(notes),
        packages=versions_of(packages),
        folder=folder,
        limit=limit,
    )


def signed_thousand(value: float) -> str:
    """``+3.10``, ``−12.4``: thousands, to a hundredth of a thousand at most."""
    return _plus(value / THOUSAND, _digits(value))


def _plus(value: float, digits: int = 2) -> str:
    return ("+" if value >= 0 else "") + signed(value, digits)


def _ratio(value: float) -> str:
    return f"{value:.4f}"


def _thousand(value: float) -> str:
    return significant(value / THOUSAND, _digits(value))


def _digits(value: float) -> int:
    """Whole hundreds of instructions are enough where there are many, and tens where there are few."""
    return max(2, min(DIGITS, len(str(int(abs(value) / 10)))))


def _ends(estimate: Estimate, show: Callable[[float], str]) -> str:
    if estimate.ci_low is None or estimate.ci_high is None:
        return ""
    return f" [{show(estimate.ci_low)}, {show(estimate.ci_high)}]"


def _objects(result: InstructionResult) -> str:
    shown = [f"{each.name} {signed_thousand(each.difference)}" for each in result.objects[:SHOWN]]
    rest = sum(each.difference for each in result.objects[SHOWN:])
    if result.objects[SHOWN:]:
        shown.append(f"{len(result.objects) - SHOWN} others {signed_thousand(rest)}")
    return ", ".join(shown)
