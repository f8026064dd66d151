"""What ``harness profile`` and ``harness versus --explain`` print: CPU cost by package and by function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.model import CpuProfile, Reason
from harness.model.units import format_duration, number_of, significant
from harness.report.language.catalogue import ENGLISH
from harness.results.profile import BUSY, OUTSIDE, SURE, Cost, Difference, by_function, by_package, differences
from harness.results.summary import Summary

SHOWN, NAMED = 15, 3
"""Rows of a table, and packages in a sentence."""
LEFT_OUT = f"{OUTSIDE}: the kernel, and native code that runs without the GIL"
VIEWER = "https://www.speedscope.app"


@dataclass(frozen=True, slots=True)
class ProfileDocument:
    """What ``harness profile --json`` prints.

    Attributes:
        cpu_us: microseconds of CPU of the server's process tree per verified reply.
        samples: stacks of threads that ran Python.
        replies: verified ones; ``duration_s``: in so many seconds.
        packages, functions: their costs, most first. Each list adds up to ``cpu_us``.
        flame_graph, speedscope: files.
    """

    target: str
    point: str
    cpu_us: float
    samples: int
    replies: int
    duration_s: float
    packages: tuple[Cost, ...]
    functions: tuple[Cost, ...]
    flame_graph: str
    speedscope: str
    notes: tuple[Reason, ...] = ()
    schema: int = 1


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where the difference between two targets comes from, by samples of both.

    Attributes:
        a, b: the profiles, with the CPU costs that the comparison measured.
        packages, functions: largest difference first. Each list adds up to the difference in CPU cost.
    """

    a: ProfileDocument
    b: ProfileDocument
    packages: tuple[Difference, ...]
    functions: tuple[Difference, ...]


def document(profile: CpuProfile, notes: Sequence[Reason] = ()) -> ProfileDocument:
    if profile.waited > BUSY:
        notes = [*notes, Reason("waited-for-cpu", {"target": profile.target, "waited": profile.waited})]
    own = ("target", "point", "cpu_us", "samples", "replies", "duration_s", "flame_graph", "speedscope")
    return ProfileDocument(
        packages=by_package(profile),
        functions=by_function(profile),
        notes=tuple(notes),
        **{name: getattr(profile, name) for name in own},
    )


def explanation(profiles: Sequence[CpuProfile], summary: Summary) -> Explanation:
    """By the CPU costs of the summary, so that the parts add up to its difference."""
    measured = {cell.target: cell.cpu_us.value for cell in summary.cells if cell.cpu_us is not None}
    first, second = (document(replace(each, cpu_us=measured.get(each.target, each.cpu_us))) for each in profiles)
    packages, functions = (first.packages, second.packages), (first.functions, second.functions)
    return Explanation(first, second, differences(*packages), differences(*functions))


def lines(shown: ProfileDocument) -> list[str]:
    """The cost and its parts, then the files and what a reader should know."""
    return [
        f"{shown.target}: {significant(shown.cpu_us, 3)} µs of CPU per request; {shown.point}, "
        f"{number_of(shown.replies, 'request')} in {format_duration(shown.duration_s)}, "
        f"{number_of(shown.samples, 'sample')}.",
        "",
        f"{'µs':>9}  {'share':>6}  package",
        *_listed(shown.packages, shown.cpu_us),
        "",
        f"{'µs':>9}  {'share':>6}  {'with calls':>10}  function",
        *_listed(shown.functions, shown.cpu_us, calls=True),
        "",
        f"Flame graph: {shown.flame_graph}",
        f"Speedscope: {shown.speedscope}, for {VIEWER}",
        f"note: {LEFT_OUT}",
        *(f"note: {ENGLISH.reason(note)}" for note in shown.notes),
    ]


def explained(shown: Explanation) -> list[str]:
    """The differences that stand out from the noise of sampling, largest first, then the files."""
    a, b = shown.a, shown.b
    total = a.cpu_us - b.cpu_us
    return [
        "",
        f"The difference of {_signed(total)} µs of CPU per request comes from {_largest(shown.packages, total)}.",
        f"A − B in µs, from {a.samples:,} and {b.samples:,} samples:",
        *_compared("package", shown.packages),
        *_compared("function", shown.functions),
        "",
        f"Flame graphs: {a.flame_graph}, {b.flame_graph}",
        f"Speedscope: {a.speedscope}, {b.speedscope}, for {VIEWER}",
        f"note: {LEFT_OUT}",
        *(f"note: {ENGLISH.reason(note)}" for note in (*a.notes, *b.notes)),
    ]


def _listed(costs: Sequence[Cost], cpu_us: float, *, calls: bool = False) -> list[str]:
    rest = [cost.us for cost in costs[SHOWN:] if cost.us]
    shown = [cost for cost in costs[:SHOWN] if cost.us]
    if rest:
        shown.append(Cost(number_of(len(rest), "other"), "", sum(rest), 0.0, sum(rest)))
    totals = (f"{_us(cost.total_us):>10}  " if calls else "" for cost in shown)
    return [f"{_us(c.us):>9}  {c.us / cpu_us:>6.1%}  {total}{c.name}" for c, total in zip(shown, totals, strict=True)]


def beyond_noise(rows: Sequence[Difference]) -> list[Difference]:
    """Those that stand out from the noise of sampling."""
    return [each for each in rows if abs(each.difference) > SURE * each.error_us]


def _largest(packages: Sequence[Difference], total: float) -> str:
    """``serializers.py (+3.00 µs), pydantic (+1.20 µs)``: what is certain, and of the same sign as the whole."""
    parts = [each for each in beyond_noise(packages) if each.difference * total > 0][:NAMED]
    named = ", ".join(f"{each.name} ({_signed(each.difference)} µs)" for each in parts)
    return named or "no package that stands out from the noise of sampling"


def _compared(kind: str, parts: Sequence[Difference]) -> list[str]:
    shown = beyond_noise(parts)[:SHOWN]
    rest = sum(each.difference for each in parts) - sum(each.difference for each in shown)
    rows = [
        ("A − B", "±", "A", "B", kind),
        *((_signed(c.difference), _us(SURE * c.error_us), _us(c.a), _us(c.b), c.name) for c in shown),
        (_signed(rest), "", "", "", number_of(len(parts) - len(shown), "other")),
    ]
    return ["", *(f"{delta:>9}  {error:>7}  {a:>8}  {b:>8}  {name}" for delta, error, a, b, name in rows)]


def _us(value: float) -> str:
    """Three digits at most, and no more than hundredths: samples are no finer."""
    return significant(value, 3) if value >= 1 else f"{value:.2f}"


def _signed(value: float) -> str:
    return ("+" if value >= 0 else "−") + _us(abs(value))
