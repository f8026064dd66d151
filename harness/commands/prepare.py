"""What ``harness run`` was asked for, made into the manifest of a run to come."""

from __future__ import annotations

import random
import shlex
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path

from harness import __version__, environment
from harness.commands.alone import loads, plan_alone, taking_part, with_windows
from harness.commands.crew import CrewRequest, check_reachable, crew_of
from harness.commands.inputs import seconds
from harness.commands.select import chosen_targets
from harness.commands.selftest_file import selftest_facts
from harness.commands.studies import Wanted, with_trials
from harness.declare import load_declarations, select_targets
from harness.errors import UsageError, one_of
from harness.launch import remote
from harness.launch.envs import own_packages, shadowed
from harness.load.url import parse_url
from harness.model import Failure, Manifest, Scenario, Target
from harness.placement import Placement
from harness.plan import make_plan, with_twin
from harness.plan.profiles import PROFILES, Profile, default_targets
from harness.servers import Bind, command_of, interface_of
from harness.services import needs_of, pool_facts
from harness.verify import case_of

FLEETS = ("processes", "compose")


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
