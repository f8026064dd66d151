"""Runs by hand for the rules of claims: what a run found, said in a line each, on the targets that are declared."""

from __future__ import annotations

import shlex
from dataclasses import replace
from itertools import pairwise

from harness.config import load_declarations
from harness.model import Effort, Feature, Ladder, Manifest, Point, Reason, Side
from harness.plan.profiles import PROFILES
from harness.prepare.choose import select
from harness.prepare.plan import plan_run
from harness.results.claims.facts import Facts
from harness.results.claims.judge import CLAIMS, judge
from harness.results.summary import (
    Cell,
    ClaimResult,
    ContrastResult,
    Estimate,
    LadderResult,
    LadderStep,
    Summary,
    Upkeep,
)
from harness.studies.connections import ConnectionRow
from harness.studies.groups import Spread
from harness.studies.neighbours import NeighbourRow
from harness.studies.registry import StudyResults
from harness.verify.features import CAPABILITIES
from harness.verify.untouched import APPS
from tests.unit.summaries import JSON, contrast, manifest, summary

NOT_THERE = Reason("unexpected-reply", {"status": 404, "type": "text/html"})
WAITS_S = {"io-sleep": 0.02, "io-db": 0.02, "io-upstream": 0.02}
SCENARIOS = (
    "json", "items", "products", "orders-raw", "orders-validated", "orders-refused", "orders-full", "dependency",
    "io-file", *WAITS_S,
)  # fmt: skip
RUN: Manifest = manifest(
    targets=load_declarations().targets,
    plan=replace(
        manifest().plan,
        points=tuple(Point(f"{name}@64", name, {}, 64, (JSON,), WAITS_S.get(name, 0.0)) for name in SCENARIOS),
    ),
)
ROOMS = {
    Cell: "cells", ContrastResult: "contrasts", Upkeep: "upkeep", Effort: "effort", LadderResult: "ladders",
}  # fmt: skip


def about(low: float, high: float | None = None) -> Estimate:
    """An estimate by its interval; by one value, 1% around it."""
    ends = (low * 0.99, low * 1.01) if high is None else (low, high)
    return Estimate(sum(ends) / 2, *ends, 8)


def versus(a: str, b: str, ratio: float, metric: str = "throughput", *, at: str = "json", verdict: str = "different"):
    """``a`` has ``ratio`` times what ``b`` has of the metric."""
    return contrast(verdict, ratio, ratio * 0.97, ratio * 1.03, a=a, b=b, point=f"{at}@64", metric=metric)


def refuses(target: str, cpu: float, verdict: str = "different"):
    """Refusing an order takes the target ``cpu`` times what a right one takes."""
    at, to = "orders-refused@64", "orders-validated@64"
    return contrast(verdict, cpu, cpu * 0.97, cpu * 1.03, a=target, b=target, point=at, to=to, metric="cpu_cost")


def answers(target: str, scenario: str, rps: float | Estimate, cpu_us: float = 300.0, **more: object) -> Cell:
    rate = rps if isinstance(rps, Estimate) else about(rps)
    return Cell(
        target,
        f"{scenario}@64",
        scenario,
        {},
        64,
        status="ok",
        throughput_rps=rate,
        cpu_us=about(cpu_us),
        replies=1000,
        **more,
    )


def fails(target: str, scenario: str = "json", status: str = "failed") -> Cell:
    return Cell(
        target, f"{scenario}@64", scenario, {}, 64, status=status, reasons=(Reason("died", {"exit_code": "1"}),)
    )  # type: ignore[arg-type]


def probed(target: str, *has: str, lacks: tuple[str, ...] = ()) -> list[Feature]:
    """Capabilities of a target of the contract."""
    return [Feature(target, name, True, name not in lacks, detail=NOT_THERE) for name in (*has, *lacks)]


def bare(app: str, *has: str, lacks: tuple[str, ...] = ()) -> list[tuple[str, Feature]]:
    """Capabilities of the smallest app of a framework."""
    return [("untouched", feature) for feature in probed(app, *has, lacks=lacks)]


def needs(app: str, framework: str, lines: int, *packages: str, endpoints: int = 26) -> Effort:
    return Effort(app, framework, endpoints, {"app": lines}, dict.fromkeys(packages, "1.0"))


def small(**lines: int) -> list[Effort]:
    """Lines of the smallest apps of these frameworks."""
    return [needs(f"untouched.with_{name}", name, count, endpoints=2) for name, count in lines.items()]


def beside(target: str, times: Estimate) -> NeighbourRow:
    """The p99 beside a neighbour that blocks, in times of the one alone."""
    spread = Spread(1000, 900.0, 5e4, 4e4, 6e4)
    return NeighbourRow(target, "neighbours", "ok", "", 5, "io-blocking", 5, 50, 180, "json", spread, times)


def echoes(target: str, low_ms: float, high_ms: float) -> ConnectionRow:
    """The lowest and the highest block's p99 of WebSocket echoes."""
    spread = Spread(1000, low_ms * 500, high_ms * 900, low_ms * 1e3, high_ms * 1e3)
    return ConnectionRow(target, "connections", "ok", "", 5, "sockets", 100, 100, spread)


def keeps(target: str, mebibytes: float | Estimate, startup_s: float | Estimate = 0.5) -> Upkeep:
    memory = mebibytes if isinstance(mebibytes, Estimate) else about(mebibytes)
    start = startup_s if isinstance(startup_s, Estimate) else about(startup_s)
    bytes_ = Estimate(memory.value * 2**20, memory.ci_low * 2**20, memory.ci_high * 2**20, memory.blocks)  # type: ignore[operator]
    return Upkeep(target, start, bytes_)


def adds(scenario: str, to: str, verdict: str, us: float = 12.0, *, framework: str = "fastapi", below: str = "fastapi"):
    """A step of a ladder from one scenario, of the framework ``below``, to another."""
    upper, lower = Side(f"{framework}-uvicorn", f"{scenario}@64"), Side(f"{below}-uvicorn", f"{to}@64")
    step = step_of(f"{scenario} after {to}", upper, lower, verdict, us)
    return LadderResult(framework, framework, "framework", (), (step,))


def step_of(label: str, upper: Side, lower: Side, verdict: str = "different", us: float = 12.0) -> LadderStep:
    ends = {"difference": us, "difference_low": us - 2, "difference_high": us + 2}
    given = {"ratio": 1.2, "ci_low": 1.1, "ci_high": 1.3} | ends
    return LadderStep(label=label, a=upper, b=lower, within="round", verdict=verdict, **given)  # type: ignore[arg-type]


def found(*facts: object) -> Summary:
    """The summary of a run that found this and nothing else."""
    flat = [one for fact in facts for one in (fact if isinstance(fact, list) else [fact])]
    rooms: dict[str, list[object]] = {name: [] for name in ("features", "untouched", *ROOMS.values())}
    for fact in flat:
        if isinstance(fact, tuple):
            rooms[fact[0]].append(fact[1])
        elif isinstance(fact, Feature):
            rooms["features"].append(fact)
        elif type(fact) in ROOMS:
            rooms[ROOMS[type(fact)]].append(fact)
    neighbours = tuple(fact for fact in flat if isinstance(fact, NeighbourRow))
    connections = tuple(fact for fact in flat if isinstance(fact, ConnectionRow))
    studies = StudyResults(neighbours=neighbours, connections=connections)
    return summary(**{name: tuple(values) for name, values in rooms.items()}, studies=studies)


def result(claim: str, *facts: object) -> ClaimResult:
    return judge(next(one for one in CLAIMS if one.id == claim), Facts(RUN, found(*facts)))


def verdict(claim: str, *facts: object) -> str:
    return result(claim, *facts).verdict


def whole(command: str) -> Facts:
    """What a run of the command would find if it measured all that it plans, and every contrast came out different."""
    words = shlex.split(command)
    asked = {flag: [words[i + 1] for i, word in enumerate(words) if word == flag] for flag in ("-s", "-t", "--profile")}
    profile = PROFILES[(asked["--profile"] or ["quick"])[0]]
    planned = plan_run(select(profile, asked["-t"], asked["-s"]), profile, seed=1, budget_s=9e5)
    plan = planned.plan
    sides = {side for block in plan.blocks for window in block.windows for side in window.sides}
    points = {point.id: point for point in plan.points}
    cells = [answers_at(side.target, points[side.point]) for side in sorted(sides, key=lambda side: side.id)]
    contrasts = [
        contrast("different", 3, 2.9, 3.1, a=c.a.target, b=c.b.target, point=c.a.point, to=c.b.point, metric=c.metric)
        for c in plan.contrasts
    ]
    served = [target for target in planned.targets if any(side.target == target.name for side in sides)]
    abilities = [probed(t.name, name) for t in served for name, one in CAPABILITIES.items() if one.concerns(t)]
    frameworks = {target.framework for target in served}
    untouched = [(name, app) for name, app in APPS.items() if app.framework in frameworks]
    probes = [bare(name, *app.checks) for name, app in untouched]
    sizes = [*small(**{name: 30 for name, _ in untouched}), *(needs(f"{name}_app", name, 300) for name in frameworks)]
    kept = [keeps(target.name, 50 + 10 * number, 1 + number) for number, target in enumerate(served)]
    neighbours = [beside(t.target, about(20, 30)) for b in plan.blocks for t in b.trials if t.study == "neighbours"]
    facts = (*cells, *contrasts, *map(climbed, plan.ladders), *abilities, *probes, *sizes, *kept, *neighbours)
    return Facts(replace(RUN, targets=planned.targets, plan=plan), found(*facts))


def answers_at(target: str, point: Point) -> Cell:
    return Cell(
        target,
        point.id,
        point.scenario,
        point.params,
        point.concurrency,
        status="ok",
        throughput_rps=about(9000),
        cpu_us=about(50),
    )


def climbed(ladder: Ladder) -> LadderResult:
    rungs = [rung for rung in ladder.rungs if rung.point]
    steps = [step_of(upper.label, upper.side, lower.side) for lower, upper in pairwise(rungs)]
    return LadderResult(ladder.name, ladder.title, ladder.kind, (), tuple(steps))
