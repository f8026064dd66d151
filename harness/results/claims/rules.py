"""The parts of which rules are made: each finds its cases in a run, and none where the run has nothing of the kind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Literal

from harness.model import Interface, Metric, Target
from harness.results.claims.facts import BOTH, Alike, Case, Facts, Kind, above_bound, ratio_above_bound
from harness.results.summary import ContrastResult, Evidence
from harness.stats.estimate import DIFFERENT, REAL
from harness.studies.connections import ConnectionRow

Part = Callable[[Facts], Sequence[Case]]
MIN_HEADROOM = 1.5
"""How many times what its threads allow a target must be able to answer, for its throughput to show their limit."""
TROUBLE = 2.0
"""How many times its p99 alone the p99 of a request is next to a neighbour that disturbs it."""
MIN_BLOCKS = 4
"""With so many blocks a side, it has less than 5% chance by itself that one side's are all beyond the other's."""
OPEN = ("undecided", "not-measurable")


def better(
    ours: Kind,
    theirs: Kind,
    scenarios: Collection[str],
    metrics: Collection[Metric] = BOTH,
    *,
    factor: float = 0.0,
    ties: bool = False,
    alike: Alike = lambda a, b: True,
    against: str = "",
) -> Part:
    """``ours`` is better by the margin (with ``ties``, not worse by it), or at least ``factor`` times as good.

    Each at the same point as those of ``theirs`` that it is ``alike``, or against them at another scenario; best first.
    """

    def cases(facts: Facts) -> list[Case]:
        rated: list[tuple[float, Case]] = []
        for index, contrast in enumerate(facts.summary.contrasts):
            a, b = facts.target(contrast.a.target), facts.target(contrast.b.target)
            if a is None or b is None or contrast.metric not in metrics or not alike(a, b):
                continue
            at, to = facts.scenario(contrast.a.point), facts.scenario(contrast.b.point)
            if not any(fnmatchcase(at, glob) for glob in scenarios):
                continue
            if to != against if against else contrast.a.point != contrast.b.point:
                continue
            swapped = not (a in ours and b in theirs)
            if swapped and not (b in ours and a in theirs):
                continue
            ratio, low, high = _seen(contrast, swapped)
            holds: bool | None = None
            if contrast.verdict not in OPEN and contrast.ratio is not None:
                differs = contrast.verdict in DIFFERENT
                holds = above_bound(low, high, factor) if factor else ratio > 1 if differs else ties
            rated.append((ratio, Case(holds, (Evidence("contrast", f"contrasts.{index}"),))))
        return [case for _, case in sorted(rated, key=lambda each: -each[0])]

    return cases


def waits(kind: Kind, scenario: str, *, beyond: bool) -> Part:
    """While requests wait, throughput lies ``beyond`` workers × threads ÷ wait, or within it.

    Only where the connections and the CPU would allow far more: elsewhere these bound it.
    """

    def cases(facts: Facts) -> list[Case]:
        results = []
        for path, cell, target in facts.cells(kind, scenario):
            wait, rate, cost = facts.wait_s(cell.point), cell.throughput_rps, cell.cpu_us
            if not wait or rate is None or cost is None:
                continue
            allowed = target.worker_threads / wait
            if min(cell.concurrency / wait, target.workers * 1e6 / cost.value) < MIN_HEADROOM * allowed:
                continue
            above = above_bound(rate.ci_low, rate.ci_high, allowed * (1 + facts.summary.margin))
            results.append(Case(None if above is None else above == beyond, (Evidence("capacity", path),)))
        return results

    return cases


def served(kind: Kind, scenario: str) -> Part:
    """Every request under load gets its right reply; open where the machine was too busy."""
    return lambda facts: [
        Case(
            None if cell.status == "not-measurable" else cell.status == "ok" and not cell.errors,
            (Evidence("served", path),),
        )
        for path, cell, _ in facts.cells(kind, scenario)
    ]


def runs(server: str, interface: Interface) -> Part:
    """Some target under the server answers."""
    return lambda facts: _best(served(Kind(interfaces=(interface,), server=server), "*")(facts))


def probe(capability: str, kind: Kind) -> Part:
    """A live probe finds the capability in some target of the kind."""
    return lambda facts: _best(
        [
            Case(feature.present, (Evidence("feature", path),))
            for path, feature, _ in facts.rows("features", kind)
            if feature.capability == capability
        ]
    )


def untouched(app: str, *capabilities: str) -> Part:
    """Live probes of the smallest app of a framework, or of the introduction's, find the capabilities."""
    return lambda facts: [
        Case(feature.present, (Evidence("untouched", f"untouched.{index}"),))
        for index, feature in enumerate(facts.summary.untouched)
        if feature.target == app and feature.capability in capabilities
    ]


def suffers(kind: Kind, neighbour: str = "io-blocking") -> Part:
    """The p99 of a fast endpoint is far worse next to the neighbour than alone, in the same block."""
    return lambda facts: [
        Case(above_bound(row.times.ci_low, row.times.ci_high, TROUBLE), (Evidence("neighbour", path),))
        for path, row, _ in facts.rows("studies.neighbours", kind)
        if row.neighbour == neighbour and row.times
    ]


def slower_echo(ours: Kind, theirs: Kind, alike: Alike) -> Part:
    """In every block ``ours`` has a higher p99 of WebSocket echoes than ``theirs`` in any, at as many connections."""
    return lambda facts: [
        Case(_above(own, other), (Evidence("echo", one), Evidence("echo", two)))
        for one, own, two, other in facts.pairs("studies.connections", ours, theirs, alike)
        if own.kind == other.kind == "sockets" and own.number == other.number
        if min(own.blocks, other.blocks) >= MIN_BLOCKS
    ]


def heavier(kind: Kind, than: Kind, figure: Literal["rss_bytes", "startup_s"], alike: Alike) -> Part:
    """It takes more memory, or longer to start, by the margin."""
    shown: Literal["memory", "startup"] = "memory" if figure == "rss_bytes" else "startup"
    return lambda facts: [
        Case(ratio_above_bound(value, least, 1 + facts.summary.margin), (Evidence(shown, one), Evidence(shown, two)))
        for one, own, two, other in facts.pairs("upkeep", kind, than, alike)
        if (value := getattr(own, figure)) and (least := getattr(other, figure))
    ]


def layer(adds: tuple[str, str], to: tuple[str, str]) -> Part:
    """What a framework and scenario add to another, as a step of a ladder, costs CPU; substitutions are not layers."""

    def cases(facts: Facts) -> list[Case]:
        results = []
        for number, ladder in enumerate(facts.summary.ladders):
            for index, step in enumerate(ladder.steps):
                a, b = facts.target(step.a.target), facts.target(step.b.target)
                if a is None or b is None or ladder.kind != "framework":
                    continue
                upper = a.framework, facts.scenario(step.a.point)
                if (upper, (b.framework, facts.scenario(step.b.point))) == (adds, to):
                    cost = (step.difference or 0) > 0 and step.verdict in REAL
                    known = cost or step.verdict in {*REAL, "same"}
                    shown = (Evidence("step", f"ladders.{number}.steps.{index}"),)
                    results.append(Case(cost if known else None, shown))
        return results[:1]

    return cases


def bundled(capability: str, kind: Kind, package: str) -> Part:
    """A live probe finds the capability, and no app of the framework imports a package of that sort for it."""

    def cases(facts: Facts) -> list[Case]:
        apps = [(i, app) for i, app in enumerate(facts.summary.effort) if app.framework in kind.frameworks]
        adding = [(i, app) for i, app in apps if any(package in name for name in app.packages)]
        shown = tuple(Evidence("packages", f"effort.{index}") for index, _ in (adding or apps)[:1])
        probed = probe(capability, kind)(facts) if apps else []
        return [Case(bool(case.holds) and not adding, (*case.evidence, *shown)) for case in probed]

    return cases


def shorter(app: str, *others: str) -> Part:
    """The app has no more lines of its own than either of the others, which do the same."""
    return lambda facts: [
        Case(own.own_lines <= other.own_lines, (Evidence("lines", one), Evidence("lines", two)))
        for one, own in facts.apps(app)
        for two, other in facts.apps(*others)
    ]


def needed(*apps: str, kind: Literal["lines", "packages"] = "lines") -> Part:
    """For show: the lines or the packages of these apps."""
    return lambda facts: [Case(None, (Evidence(kind, path),)) for path, _ in facts.apps(*apps)]


def any_of(*parts: Part) -> Part:
    """One case: that something in one of the parts holds; that nothing does takes a decided case of each part."""

    def cases(facts: Facts) -> list[Case]:
        by_part = [part(facts) for part in parts]
        known = [[case.holds for case in part if case.holds is not None] for part in by_part]
        holds = True if any(map(any, known)) else False if all(known) else None
        ordered = sorted((case for part in by_part for case in part), key=lambda case: not case.holds)
        return [Case(holds, tuple(one for case in ordered for one in case.evidence))] if ordered else []

    return cases


def together(*parts: Part) -> Part:
    """The cases of all parts, of which a run need not have each."""
    return lambda facts: [case for part in parts for case in part(facts)]


def each_of(*parts: Part) -> Part:
    """The cases of all parts; open as long as one of the parts is."""

    def cases(facts: Facts) -> list[Case]:
        by_part = [part(facts) for part in parts]
        whole = all(any(case.holds is not None for case in each) for each in by_part)
        return [case if whole else replace(case, holds=None) for each in by_part for case in each]

    return cases


def same_framework(a: Target, b: Target) -> bool:
    return a.framework == b.framework


def same_interface(a: Target, b: Target) -> bool:
    return a.interface == b.interface


def same_loop(a: Target, b: Target) -> bool:
    return event_loop(a) == event_loop(b)


def same_parts(a: Target, b: Target) -> bool:
    """One app with as many workers, and the same event loop and parser: the two differ in their server alone."""
    return a.application == b.application and a.workers == b.workers and uvicorn_parts(a) == uvicorn_parts(b)


def full_against_lesser(a: Target, b: Target) -> bool:
    """One app, once with uvloop and httptools, and once with asyncio's loop, with h11 or with both."""
    full, lesser = ("uvloop", "httptools"), {("uvloop", "h11"), ("asyncio", "httptools"), ("asyncio", "h11")}
    parts = {uvicorn_parts(a), uvicorn_parts(b)}
    return a.application == b.application and full in parts and bool(parts & lesser)


def event_loop(target: Target) -> str:
    """Uvicorn takes uvloop where it is installed, and Tornado asyncio's."""
    loop = str(target.options.get("loop", "auto"))
    return loop if loop != "auto" else "asyncio" if target.server == "tornado" else "uvloop"


def uvicorn_parts(target: Target) -> tuple[str, str]:
    """Event loop and parser; what a target does not say is what Uvicorn takes where both are installed."""
    http = str(target.options.get("http", "auto"))
    return event_loop(target), "httptools" if http == "auto" else http


def _best(cases: Sequence[Case]) -> Sequence[Case]:
    return sorted(cases, key=lambda case: (case.holds is False, case.holds is None))[:1]


def _seen(contrast: ContrastResult, swapped: bool) -> tuple[float, float, float]:
    """Its ratio and interval as seen from A, or from B where ``swapped``: above 1 where that side is the better one."""
    ratio = contrast.ratio or 1.0
    low, high = contrast.ci_low or ratio, contrast.ci_high or ratio
    # More requests per second is better, and so is less CPU: seen from A, a ratio of CPU counts upside down.
    return (1 / ratio, 1 / high, 1 / low) if swapped != (contrast.metric == "cpu_cost") else (ratio, low, high)


def _above(own: ConnectionRow, other: ConnectionRow) -> bool | None:
    if own.latency is None or other.latency is None:
        return None
    if own.latency.p99_low_us > other.latency.p99_high_us:
        return True
    return False if own.latency.p99_high_us < other.latency.p99_low_us else None
