"""What ``harness run`` does about load on one target alone: journeys, and loads that several workers share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial

from rich.console import Console

from harness.commands.crew import CrewRequest, crew_of, teller
from harness.commands.select import chosen_loads
from harness.declare import Declarations
from harness.errors import UsageError
from harness.guard import Guard
from harness.launch import Fleet, Servers
from harness.load.spec import Progress
from harness.model import Journey, Plan, Scenario, Target
from harness.observe import Observer
from harness.placement import Placement
from harness.plan import expand, with_twin
from harness.plan.profiles import Profile
from harness.record import Run
from harness.services import Services
from harness.swarm.cluster import Cluster
from harness.swarm.conduct import JourneySender, LoadSender, RunJourney
from harness.swarm.journeys import journey_of
from harness.swarm.messages import JourneyMeasurement, JourneySpec
from harness.swarm.plan import JOURNEY, SWARM, WindowPlan, journey_plan, load_plan
from harness.swarm.process import run_journey
from harness.swarm.windows import Sender, conduct_windows

PART = 1 / 3
"""Of a budget that was given, what journeys get beside scenarios."""


def loads(
    patterns: Sequence[str], locustfile: str, users: int | None, declarations: Declarations
) -> tuple[tuple[Scenario, ...], tuple[Journey, ...]]:
    """What -s and --locustfile name; all scenarios without either, and none beside a locustfile alone.

    Raises:
        UsageError: a name is unknown, the file is none, or there are users without a journey.
    """
    scenarios, journeys = chosen_loads(patterns, declarations)
    if locustfile:
        journeys = (*journeys, journey_of(locustfile))
        scenarios = scenarios if patterns else ()
    if users is not None and not journeys:
        raise UsageError("--users is for journeys", hint="-s journey, or --locustfile FILE")
    return scenarios, journeys if users is None else tuple(replace(journey, users=users) for journey in journeys)


def plan_alone(
    targets: Sequence[Target],
    scenarios: Sequence[Scenario],
    journeys: Sequence[Journey],
    profile: Profile,
    seed: int,
    budget_s: float | None,
    shared: bool,
) -> WindowPlan:
    """The windows of journeys, and where workers share the load those of the scenarios too, with an A/A control.

    With both, journeys have a part of a budget that was given.
    """
    whole, fixed = budget_s or profile.budget_s, budget_s is not None
    plan = WindowPlan()
    if journeys:
        part = whole * PART if scenarios else whole
        plan = journey_plan(targets, journeys, profile, seed=seed, budget_s=part, fixed=fixed)
    if scenarios and shared:
        points = [point for scenario in scenarios for point in expand(scenario, profile.detail)]
        left = whole - plan.estimate_s
        found = load_plan(with_twin(targets), points, profile, seed=seed, budget_s=left, fixed=fixed)
        plan = replace(plan, windows=(*plan.windows, *found.windows), points=found.points)
    return plan


def with_windows(plan: Plan | None, alone: WindowPlan, profile: Profile, seed: int, budget_s: float | None) -> Plan:
    """The plan of the slots, if there are any, and the windows after them."""
    took = alone.estimate_s
    if plan is None:
        plan = Plan(profile.name, seed, (budget_s or took) - took, 0.0, (), (), ())
    if not alone.windows:
        return plan
    return replace(
        plan,
        budget_s=plan.budget_s + took,
        estimate_s=plan.estimate_s + took,
        windows=alone.windows,
        points_alone=alone.points,
    )


def taking_part(plan: Plan, targets: Sequence[Target]) -> tuple[Target, ...]:
    """Those that are in a block or have a window."""
    names = {window.target for window in plan.windows}
    names |= set(plan.blocks[0].targets) if plan.blocks else set()
    return tuple(target for target in targets if target.name in names)


def measure_alone(
    opened: Run,
    placement: Placement,
    observer: Observer,
    around: Services,
    fleet: Callable[[], Servers] | None,
    crew: CrewRequest,
    errors: Console,
    deadline: float,
) -> int:
    """Measures the windows that are left; returns how many have no valid number.

    Raises:
        UsageError: there are loads for workers, and nobody said who they are.
    """
    manifest = opened.manifest
    studies = {window.study for window in manifest.plan.windows}
    if not studies:
        return 0
    if SWARM in studies and not crew.asked:
        raise UsageError("this run's loads are shared by workers", hint="--workers 2")
    guard = Guard()
    try:
        if fleet is None and crew.listen:
            fleet = partial(_reachable_fleet, guard, placement, around, crew.listen)
        files = [journey.file for journey in manifest.journeys]
        # Beside targets elsewhere no server runs here: workers may use every CPU.
        cpus = placement.generator if placement.server else ()
        asked = crew_of(crew, cpus, files[0] if files else "")
        told = teller(errors, errors.quiet, asked)
        with Cluster(asked, told) if crew.asked else nullcontext() as cluster:
            carry_out: RunJourney = partial(_here, placement) if cluster is None else cluster.run_journey
            senders: list[Sender] = []
            if JOURNEY in studies:
                senders.append(JourneySender(opened, carry_out, asked.count))
            if SWARM in studies and cluster is not None:
                points = {point.id: point for point in manifest.plan.points_alone}
                senders.append(LoadSender(points, cluster, manifest.seed))
            return sum(conduct_windows(opened, s, placement, observer, around, deadline, fleet) for s in senders)
    finally:
        guard.close()


def _here(
    placement: Placement,
    spec: JourneySpec,
    on_mark: Callable[[str], None],
    on_progress: Callable[[Progress], None],
) -> JourneyMeasurement:
    return run_journey(spec, placement.generator, on_mark, on_progress)


def _reachable_fleet(guard: Guard, placement: Placement, around: Services, host: str) -> Fleet:
    """Servers that listen where workers of other machines reach them."""
    cpus = tuple(sorted({*placement.server, *placement.generator}))
    return Fleet(guard, start_cpus=cpus, server_cpus=placement.server, environment=around.environment, host=host)
