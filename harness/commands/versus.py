"""``harness versus``: two targets, one request, one verdict."""

from __future__ import annotations

import json
import random
import sys
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from harness import __version__, environment
from harness.analyse.check import Outcome, outcome_of, slower_limit
from harness.analyse.looks import LOOKS
from harness.analyse.summarise import summarise
from harness.analyse.summary import ContrastResult, Summary
from harness.commands.finish import save_summary
from harness.commands.inputs import content, seconds, share
from harness.commands.live import VersusObserver
from harness.commands.select import RESULTS, chosen_targets
from harness.commands.step_summary import append
from harness.conduct import conduct
from harness.declare import load_declarations, select_scenarios
from harness.errors import LaunchError, UsageError, one_of
from harness.launch.envs import own_packages, packages_of, shadowed, with_packages
from harness.load.engine import Engine
from harness.load.url import parse_headers
from harness.model import Extension, Manifest, Metric, Plan, Point, RawRequest, Scenario, Target
from harness.placement import Placement, detect
from harness.record import Run
from harness.render.markdown import render_markdown
from harness.render.versus import ABSENT, document, lines, state
from harness.services import Services, needs_of, services
from harness.services.ceiling import busy_concurrencies, ceilings
from harness.versus import block, named_apart, point_of, probe, raw_point, versus_plan

DEFAULT_CONCURRENCY = 32


@dataclass(frozen=True, slots=True)
class VersusRequest:
    """The options of ``harness versus`` as the user gave them."""

    a: str
    b: str
    path: str = ""
    scenario: str = ""
    method: str = ""
    headers: tuple[str, ...] = ()
    body: str = ""
    expect_status: int = 0
    concurrency: int | None = None
    metric: str = "cpu_cost"
    with_a: tuple[str, ...] = ()
    with_b: tuple[str, ...] = ()
    budget: str = "40s"
    fail_if_slower: str = ""
    control: bool = True
    seed: int | None = None
    out: Path | None = None
    as_json: bool = False
    quiet: bool = False


def run(request: VersusRequest) -> int:
    """Measures until it is decided or the budget is spent; returns the exit code."""
    errors = Console(stderr=True, quiet=request.quiet)
    limit = share("--fail-if-slower", request.fail_if_slower)
    metric = parse_metric(request.metric)
    budget = seconds("--budget", request.budget)
    a, b = sides(request)
    began = time.monotonic()
    placement = detect()
    point = requested_point(request, a, b)
    with services(needs_of(asked.endpoint for asked in point.requests), placement.backing) as around:
        probed = probe((a, b), point, placement, around)
        if probed.raw is not None:
            point = raw_point(probed.raw, point.concurrency)
        spent = time.monotonic() - began
        left = budget - spent
        seed = random.SystemRandom().randrange(1_000_000) if request.seed is None else request.seed
        plan = versus_plan(
            a,
            b,
            point,
            metric,
            seed=seed,
            budget_s=left,
            start_s=probed.start_s,
            control=request.control,
            spent_s=spent,
        )
        manifest = new_manifest(request, plan, (a, b), placement, seed)
        opened = Run.create(request.out or RESULTS / manifest.run, manifest)
        interrupted = measure(opened, placement, around, errors, limit)
    notes = [note for note in (probed.note, placement.note, *shadowed((a, b))) if note]
    if not opened.slots():
        return 130
    summary = summarise(opened.manifest, opened.slots(), opened.samples)
    save_summary(opened, summary)
    append(render_markdown(opened.manifest, summary))
    result = main_contrast(summary)
    took = time.monotonic() - began
    differing = differing_packages(a, b)
    if request.as_json:
        facts = document(summary, result, took, notes, differing, str(opened.folder))
        sys.stdout.write(json.dumps(facts, indent=1) + "\n")
    else:
        out = Console(file=sys.stdout, highlight=False)
        for line in lines(opened.manifest, summary, result, took, notes, differing):
            out.print(line, markup=False, soft_wrap=True)
    if interrupted:
        return 130
    _raise_failures(opened)
    if limit is None:
        return 0
    # A gate that had nothing to judge must not look like one that passed.
    return {"failed": 1, "missing": 4}.get(slower(result, limit), 0)


def measure(opened: Run, placement: Placement, around: Services, errors: Console, limit: float | None) -> bool:
    """Conducts the run, with its verdict told as it firms up; returns whether the user interrupted it."""
    with Engine(placement.generator) as engine, VersusObserver(errors) as observer:

        def extend(so_far: Run, left_s: float) -> Extension | None:
            return next_one(so_far, left_s, observer, limit)

        try:
            null = ceilings(engine, placement, busy_concurrencies(opened.manifest.plan))
            conduct(opened, engine, placement, observer, extend, around, ceilings=null, features=False)
        except KeyboardInterrupt:
            return True
    return False


def next_one(run: Run, left_s: float, observer: VersusObserver, limit: float | None) -> Extension | None:
    """One more block until the contrast and the limit are decided at a look, or the time or the looks are over."""
    plan = run.manifest.plan
    done = len(plan.blocks)
    records = run.slots()
    if any(record.failures for record in records):
        return None
    result = main_contrast(summarise(run.manifest, records, lambda record: {}))
    observer.firmed_up(state(result))
    if done >= LOOKS[-1] or (done in LOOKS and decided(result, limit)):
        return None
    first = plan.blocks[0].slots[0]
    spent = sum(record.duration_s for record in records)
    starting = max(0.0, (plan.budget_s - left_s - spent) / done)
    if left_s < first.budget_s + starting:
        return None
    return Extension((block(done, first.sides, first.slice_s, first.budget_s),))


def main_contrast(summary: Summary) -> ContrastResult:
    """The contrast of A and B, not the control."""
    return next(result for result in summary.contrasts if not result.id.endswith(":control"))


def sides(request: VersusRequest) -> tuple[Target, Target]:
    """The two targets, each in its own environment where one was asked for."""
    declarations = load_declarations()
    found = []
    for text, extra in ((request.a, request.with_a), (request.b, request.with_b)):
        targets, _ = chosen_targets([text], declarations)
        if len(targets) > 1:
            raise UsageError(f"{text!r} names {len(targets)} targets: {', '.join(t.name for t in targets)}")
        target = targets[0]
        if extra:
            python = str(with_packages(extra, target.python))
            target = replace(target, python=python, name=f"{target.name} with {', '.join(extra)}")
        found.append(target)
    return named_apart(*found)


def requested_point(request: VersusRequest, a: Target, b: Target) -> Point:
    if request.scenario and request.path:
        raise UsageError("--scenario and --path exclude each other")
    contract = bool(a.endpoints and b.endpoints)
    if request.scenario or (contract and not request.path):
        [scenario, *more] = select_scenarios(load_declarations(), [request.scenario or "json"])
        if more:
            raise UsageError(f"{request.scenario!r} names {len(more) + 1} scenarios", hint="harness list scenarios")
        return point_of(scenario, request.concurrency)
    path = request.path or "/"
    if not path.startswith("/"):
        raise UsageError(f"--path {path!r} must begin with /")
    method = request.method or ("POST" if request.body else "GET")
    body = content("--body", request.body).decode("latin-1")
    raw = RawRequest(method.upper(), path, parse_headers(request.headers), body, request.expect_status)
    return raw_point(raw, request.concurrency or DEFAULT_CONCURRENCY)


def new_manifest(
    request: VersusRequest, plan: Plan, pair: tuple[Target, Target], placement: Placement, seed: int
) -> Manifest:
    a, b = pair
    names = {side.target for side in plan.blocks[0].slots[0].sides}
    twins = tuple(replace(a, name=name, twin_of=a.name) for name in names - {a.name, b.name})
    point = plan.points[0]
    scenario = Scenario(point.scenario, point.id, "real", "", point.requests, (point.concurrency,))
    created = datetime.now(UTC)
    return Manifest(
        run=f"{created:%Y%m%d-%H%M%S}-{seed}-versus",
        name=f"{a.name} against {b.name}",
        created_at=created.isoformat(timespec="seconds"),
        status="running",
        command=f"harness versus '{request.a}' '{request.b}' --seed {seed}",
        seed=seed,
        plan=plan,
        targets=(a, b, *twins),
        scenarios=(scenario,),
        environment=environment.describe(placement),
        versions=environment.versions(),
        warnings=(placement.note,) if placement.note else (),
        writer=__version__,
        packages=own_packages((a, b)),
    )


def differing_packages(a: Target, b: Target) -> dict[str, tuple[str, str]]:
    """Package → its version on either side, for those that differ; empty where both use one interpreter."""
    if a.python == b.python:
        return {}
    first, second = packages_of(a.python), packages_of(b.python)
    return {
        name: (first.get(name, ABSENT), second.get(name, ABSENT))
        for name in sorted({*first, *second})
        if first.get(name) != second.get(name)
    }


def decided(result: ContrastResult, limit: float | None) -> bool:
    """Whether there is a verdict, and the interval lies on one side of ``limit``, a share, where there is one."""
    if result.verdict in ("undecided", "not-measurable"):
        return False
    return limit is None or slower(result, limit) != "undecided"


def slower(result: ContrastResult, limit: float) -> Outcome:
    """The gate that A is slower (dearer) than B by at most ``limit``, a share."""
    most = result.metric == "cpu_cost"
    return outcome_of((result.ratio, result.ci_low, result.ci_high), slower_limit(limit, most=most), most=most)


def parse_metric(text: str) -> Metric:
    """Raises ``UsageError`` for any other text."""
    return "cpu_cost" if one_of("--metric", text, ("cpu_cost", "throughput")) == "cpu_cost" else "throughput"


def _raise_failures(run: Run) -> None:
    """Raises ``LaunchError`` where a side failed while it was measured."""
    for record in run.slots():
        for failure in record.failures:
            raise LaunchError(f"{failure.target}: {failure.message}", log=failure.log)
