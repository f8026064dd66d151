"""``harness run``."""

from __future__ import annotations

import random
import secrets
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial
from itertools import chain, groupby
from operator import attrgetter
from pathlib import Path

from rich.console import Console

from harness import __version__, environment
from harness.commands.alone import loads, measure_alone, plan_alone, taking_part, with_windows
from harness.commands.crew import CrewRequest, check_reachable, crew_of
from harness.commands.inputs import seconds
from harness.commands.progress import ProgressObserver, time_of
from harness.commands.select import RESULTS, chosen_targets
from harness.commands.selftest_file import selftest_facts
from harness.commands.step_summary import append
from harness.commands.studies import Wanted, planned_requests, show_trials, with_trials
from harness.conduct import conduct
from harness.declare import load_declarations, select_targets
from harness.errors import UsageError, one_of
from harness.launch import Servers, remote
from harness.launch.envs import own_packages, shadowed
from harness.load.engine import Engine
from harness.load.url import parse_url
from harness.model import Extension, Failure, Manifest, Plan, Scenario, Target
from harness.placement import Placement, detect
from harness.plan import make_plan, with_twin
from harness.plan.allocate import next_block
from harness.plan.narrow import narrow
from harness.plan.profiles import PROFILES, Profile, default_targets
from harness.plan.timing import held_seconds
from harness.record import Run, find_run
from harness.servers import Bind, command_of, interface_of
from harness.services import Need, Services, needs_of, pool_facts, services
from harness.services.ceiling import busy_concurrencies, ceilings
from harness.units import format_duration
from harness.verify import case_of


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The options of ``harness run`` as the user gave them."""

    targets: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    profile: str = "quick"
    seed: int | None = None
    budget: str = ""
    dry_run: bool = False
    resume: str = ""
    out: Path | None = None
    report: Path | None = None
    name: str = ""
    fleet: str = "processes"
    locustfile: str = ""
    users: int | None = None
    urls: tuple[str, ...] = ()
    concurrency: int = 32
    crew: CrewRequest = field(default_factory=CrewRequest)
    as_json: bool = False
    quiet: bool = False


FLEETS = ("processes", "compose")


def run(request: RunRequest) -> int:
    """Measures, and returns the exit code."""
    errors = Console(stderr=True)
    placement = detect()
    if request.resume:
        opened = Run.open(find_run(request.resume, RESULTS))
        if request.targets or request.scenarios or request.locustfile or request.urls:
            raise UsageError("--resume goes on with the run's own plan", hint="leave out what it measures")
    else:
        manifest = prepare(request, placement)
        if request.dry_run:
            show_plan(manifest.plan)
            return 0
        opened = Run.create(request.out or RESULTS / manifest.run, manifest)
    for failure in opened.manifest.skipped:
        errors.print(f"{failure.target} is left out: {failure.message}", style="yellow", markup=False)
    for warning in opened.manifest.warnings:
        errors.print(f"warning: {warning}", style="yellow", markup=False)
    if opened.manifest.plan.left_out:
        errors.print(left_out(opened.manifest.plan), style="yellow", markup=False, soft_wrap=True)
    code = 0
    try:
        plan = opened.manifest.plan
        needs = needs_of(planned.endpoint for planned in planned_requests(opened.manifest))
        with (
            fleet_of(opened, request.fleet, needs, placement) as (placement, around, fleet),
            Engine(placement.generator) as engine,
            ProgressObserver(errors, request.quiet) as observer,
        ):
            observer.run_started(plan, str(opened.folder))
            null = ceilings(engine, placement, busy_concurrencies(plan)) if plan.blocks else {}
            alone = partial(measure_alone, opened, placement, observer, around, fleet, request.crew, errors)
            extend = spend_what_is_left
            outcome = conduct(opened, engine, placement, observer, extend, around, fleet, null, alone)
            code = 0 if outcome.complete else 4
    except KeyboardInterrupt:
        errors.print(f"interrupted; go on with: harness run --resume {opened.folder}", markup=False, soft_wrap=True)
        code = 130
        if not opened.slots() and not opened.windows():
            return code
    # What reads and draws takes long to import, and whoever mistyped a name need not wait for it.
    from harness.commands.finish import finish

    finish(opened, request.report, as_json=request.as_json)
    append((opened.folder / "summary.md").read_text("utf-8"))
    return code


@contextmanager
def fleet_of(
    opened: Run, kind: str, needs: set[Need], placement: Placement
) -> Iterator[tuple[Placement, Services, Callable[[], Servers] | None]]:
    """Where the servers run, what they call, and what makes a block's: processes of our own, containers, or nothing
    where they run already.
    """
    if all(target.server == remote.SERVER for target in opened.manifest.targets):
        yield replace(placement, server=()), Services(), remote.RemoteFleet
        return
    if kind == "processes":
        with services(needs, placement.backing) as around:
            yield placement, around, None
        return
    from harness.launch import compose

    targets, secret = opened.manifest.targets, secrets.token_hex(32)
    with compose.project(targets, secret) as found:
        told = {**opened.manifest.environment, **compose.facts(found, targets)}
        opened.update(replace(opened.manifest, environment=told))
        around = Services(compose.backing(found, needs))
        yield (
            compose.placement_of(found, targets, placement),
            around,
            lambda: compose.ComposeFleet(found, secret),
        )


def prepare(request: RunRequest, placement: Placement) -> Manifest:
    """The manifest of a run to come, with its plan; everything that the user may have got wrong is found here."""
    one_of("--fleet", request.fleet, FLEETS)
    profile = PROFILES[one_of("--profile", request.profile, PROFILES)]
    budget = seconds("--budget", request.budget) if request.budget else None
    declarations = load_declarations()
    seed = random.SystemRandom().randrange(1_000_000) if request.seed is None else request.seed
    scenarios, journeys = loads(request.scenarios, request.locustfile, request.users, declarations)
    studies: tuple[Scenario, ...] = ()
    targets: tuple[Target, ...] = ()
    skipped: tuple[Failure, ...] = ()
    if request.urls:
        targets, scenarios = elsewhere(request, scenarios)
    else:
        scenarios = chosen_scenarios(request, scenarios, profile)
        studies = tuple(scenario for scenario in scenarios if scenario.study)
        scenarios = tuple(scenario for scenario in scenarios if not scenario.study)
        if scenarios or journeys:
            targets, skipped = chosen_targets(request.targets, declarations)
            if request.targets:
                profile = replace(profile, variants=("*",))
            else:
                targets = default_targets(profile, targets)
                all_of_them = select_targets(declarations, (), interface_of)
                meant = {target.name for target in default_targets(profile, all_of_them)}
                skipped = tuple(failure for failure in skipped if failure.target in meant)
    shared = request.crew.asked
    if shared and studies:
        raise UsageError(f"study {studies[0].name!r} is sent by one worker", hint="leave out --workers, or this -s")
    alone = plan_alone(targets, scenarios, journeys, profile, seed, budget, shared)
    slots = None
    if scenarios and shared:
        targets = with_twin(targets)
    elif scenarios:
        targets = with_twin(targets)
        slots = make_plan(
            targets,
            scenarios,
            () if request.urls else declarations.contrasts,
            profile,
            seed=seed,
            budget_s=None if budget is None else budget - alone.estimate_s,
            studies=bool(studies) and not request.scenarios,
            ladders=() if request.urls else declarations.ladders,
        )
    plan = with_windows(slots, alone, profile, seed, budget)
    targets = taking_part(plan, targets)
    room = plan.studies_s if not request.scenarios else budget if not (scenarios or journeys) else None
    wanted = Wanted(studies, request.targets, named=bool(request.scenarios), room_s=room)
    plan, studied, without = with_trials(plan, wanted, declarations, profile.detail)
    targets = tuple({target.name: target for target in (*targets, *studied)}.values())
    skipped = tuple(dict.fromkeys((*skipped, *without)))
    if not request.urls:
        for target in targets:
            command_of(target, Bind("127.0.0.1", 1))
    for point in (*plan.points, *alone.points):
        for planned in point.requests:
            case_of(planned)
    sent = [each.requests for each in (*plan.points, *alone.points)] + [each.requests for each in alone.journeys]
    sent += [scenario.requests for scenario in studies]
    needs = needs_of(planned.endpoint for planned in chain.from_iterable(sent))
    created = datetime.now(UTC)
    warnings = tuple(note for note in (placement.note, *shadowed(targets)) if note)
    warnings += (remote.NOTE,) * bool(request.urls)
    return Manifest(
        run=f"{created:%Y%m%d-%H%M%S}-{seed}",
        name=request.name,
        created_at=created.isoformat(timespec="seconds"),
        status="running",
        command=repeat_command(request, seed),
        seed=seed,
        plan=plan,
        targets=targets,
        scenarios=(*scenarios, *studies),
        environment={**environment.describe(placement), **pool_facts(targets, needs), **selftest_facts()},
        versions=environment.versions(),
        warnings=warnings,
        skipped=skipped,
        journeys=alone.journeys,
        writer=__version__,
        packages=own_packages(targets),
    )


def elsewhere(request: RunRequest, scenarios: tuple[Scenario, ...]) -> tuple[tuple[Target, ...], tuple[Scenario, ...]]:
    """The targets of --url, and what they are asked for: the scenarios named, or the path that their URLs have.

    Raises:
        UsageError: an option does not go with --url, or a name is there twice.
        NotReadyError: one does not answer.
    """
    if request.targets or request.fleet != "processes":
        raise UsageError("--url is what runs already: it excludes -t and --fleet")
    targets = tuple(map(remote.remote_target, request.urls))
    if len({target.name for target in targets}) < len(targets):
        raise UsageError("two URLs have the same name", hint="--url first=http://… --url second=http://…")
    if request.crew.join:
        for target in targets:
            check_reachable(parse_url(target.application).address.host, crew_of(request.crew))
    if request.scenarios or request.locustfile:
        remote.bare(targets)
        return targets, tuple(replace(scenario, question="pick") for scenario in scenarios)
    return targets, (remote.raw_scenario(targets, request.concurrency),)


def chosen_scenarios(request: RunRequest, scenarios: tuple[Scenario, ...], profile: Profile) -> tuple[Scenario, ...]:
    """Those that are named, or else the profile's."""
    if request.scenarios:
        return scenarios
    return tuple(
        scenario
        for scenario in scenarios
        if (profile.studies_s if scenario.study else True)
        and any(fnmatchcase(scenario.name, glob) for glob in (profile.studies if scenario.study else profile.scenarios))
    )


def spend_what_is_left(opened: Run, left_s: float) -> Extension | None:
    """More waits where a crossover is wide, then a block for what is undecided, while there is time."""
    from harness.analyse.live import open_at_crossovers, sign_changes, undecided
    from harness.analyse.looks import LOOKS

    manifest, slots = opened.manifest, opened.slots()
    blocks = len(manifest.plan.blocks)
    profile = PROFILES.get(manifest.plan.profile)
    if blocks < LOOKS[0]:
        return None
    if profile is not None and profile.bisect:
        wide = sign_changes(manifest, slots)
        added = narrow(manifest.plan, manifest.scenarios, manifest.targets, wide, left_s, profile.longest_turn_s)
        if added is not None:
            return added
        block = next_block(manifest.plan, blocks, open_at_crossovers(manifest, slots, LOOKS[-1]), left_s)
    elif blocks < LOOKS[-1]:
        block = next_block(manifest.plan, blocks, undecided(manifest, slots), left_s)
    else:
        return None
    return None if block is None else Extension((block,))


def left_out(plan: Plan) -> str:
    """How much the plan leaves out, and why the first of it."""
    first = plan.left_out[0]
    name = f"{first.target} at {first.point}" if first.target else first.point
    return f"{len(plan.left_out)} left out that would take too long; {name}: {first.message}"


def repeat_command(request: RunRequest, seed: int) -> str:
    """The command that repeats the run."""
    words = ["harness", "run", "--profile", request.profile, "--seed", str(seed)]
    for option, values in (("-t", request.targets), ("-s", request.scenarios)):
        for value in values:
            words += [option, value]
    if request.fleet != "processes":
        words += ["--fleet", request.fleet]
    if request.budget:
        words += ["--budget", request.budget]
    if request.locustfile:
        words += ["--locustfile", request.locustfile]
    if request.users is not None:
        words += ["--users", str(request.users)]
    for url in request.urls:
        words += ["--url", url]
    if request.urls and not request.scenarios:
        words += ["--concurrency", str(request.concurrency)]
    for option, count in (("--workers", request.crew.workers), ("--join", request.crew.join)):
        words += [option, str(count)] * (count > 0)
    return shlex.join(words)


def show_plan(plan: Plan) -> None:
    """The plan on stdout."""
    out = Console(file=sys.stdout, highlight=False)
    for name, windows in groupby(sorted(plan.windows, key=attrgetter("point")), attrgetter("point")):
        listed = list(windows)
        out.print(
            f"{name}: {len({w.target for w in listed})} targets in {len({w.block for w in listed})} blocks, "
            f"{listed[0].seconds:g} s each, about {format_duration(sum(w.budget_s for w in listed))}.",
            markup=False, soft_wrap=True,
        )  # fmt: skip
    if plan.trials:
        show_trials(plan, out)
    if not plan.blocks:
        return
    first = plan.blocks[0]
    out.print(
        f"{len(plan.blocks)} blocks with fresh servers, each with {len(first.slots)} slots; "
        f"{len(first.targets)} targets, {len(plan.points)} points, {len(plan.contrasts)} contrasts; "
        f"{time_of(plan)}, of a budget of {format_duration(plan.budget_s)}.",
        markup=False, soft_wrap=True,
    )  # fmt: skip
    holding = [block for block in plan.blocks if block.held]
    if holding:
        out.print(
            f"  {'memory of waiting requests':<28} {len(first.held)} targets in {len(holding)} of the blocks"
            f"{held_seconds(len(first.held)):>17.1f} s a block",
            markup=False, soft_wrap=True,
        )  # fmt: skip
    for slot in sorted(first.slots, key=lambda slot: slot.id):
        sides = f"{len(slot.sides)} sides in turns of {slot.slice_s * 1e3:.0f} ms"
        out.print(
            f"  {slot.id.partition('-')[2]:<28} {sides:<34} {slot.budget_s:5.1f} s a block",
            markup=False,
            soft_wrap=True,
        )
    for failure in plan.left_out:
        name = f"{failure.target} at {failure.point}" if failure.target else failure.point
        out.print(f"  left out: {name}: {failure.message}", markup=False, soft_wrap=True)
