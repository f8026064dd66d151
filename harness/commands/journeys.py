"""What ``harness run`` does about journeys: which are meant, their windows in the plan, and sending them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from harness.commands.select import chosen_loads
from harness.declare import Declarations
from harness.errors import UsageError
from harness.launch import Servers
from harness.load.spec import Progress
from harness.model import Journey, Plan, Scenario, Target
from harness.observe import Observer
from harness.placement import Placement
from harness.profiles import Profile
from harness.record import Run
from harness.services import Services
from harness.swarm.conduct import conduct_journeys
from harness.swarm.journeys import journey_of
from harness.swarm.messages import JourneyMeasurement, JourneySpec
from harness.swarm.plan import JourneyPlan, journey_plan
from harness.swarm.process import run_journey

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


def plan_journeys(
    targets: Sequence[Target],
    scenarios: Sequence[Scenario],
    journeys: Sequence[Journey],
    profile: Profile,
    seed: int,
    budget_s: float | None,
) -> JourneyPlan:
    """The windows of the journeys; with scenarios too, they have a part of a budget that was given."""
    if not journeys:
        return JourneyPlan((), ())
    whole = budget_s or profile.budget_s
    part = whole * PART if scenarios else whole
    return journey_plan(targets, journeys, profile, seed=seed, budget_s=part, fixed=budget_s is not None)


def with_journeys(plan: Plan | None, alone: JourneyPlan, profile: Profile, seed: int, budget_s: float | None) -> Plan:
    """The plan of the slots, if there are any, and the windows after them."""
    took = alone.estimate_s
    if plan is None:
        return Plan(profile.name, seed, budget_s or took, took, (), (), (), windows=alone.windows)
    if not alone.windows:
        return plan
    return replace(plan, budget_s=plan.budget_s + took, estimate_s=plan.estimate_s + took, windows=alone.windows)


def taking_part(plan: Plan, targets: Sequence[Target]) -> tuple[Target, ...]:
    """Those that are in a block or have a window."""
    names = {window.target for window in plan.windows}
    names |= set(plan.blocks[0].targets) if plan.blocks else set()
    return tuple(target for target in targets if target.name in names)


def send_journeys(
    opened: Run,
    placement: Placement,
    observer: Observer,
    around: Services,
    fleet: Callable[[], Servers] | None,
    deadline: float,
) -> int:
    """Measures the windows that are left; returns how many have no valid number."""

    def send(
        spec: JourneySpec, on_mark: Callable[[str], None], on_progress: Callable[[Progress], None]
    ) -> JourneyMeasurement:
        return run_journey(spec, placement.generator, on_mark, on_progress)

    return conduct_journeys(opened, send, placement, observer, around, deadline, fleet)
