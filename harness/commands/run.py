"""``harness run``."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from rich.console import Console

from harness.commands.alone import measure_alone
from harness.commands.plan_text import left_out, show_plan
from harness.commands.prepare import RunRequest, prepare
from harness.commands.progress import ProgressObserver
from harness.commands.select import RESULTS
from harness.commands.step_summary import append
from harness.commands.studies import planned_requests
from harness.conduct import conduct
from harness.errors import UsageError
from harness.launch import Servers, remote
from harness.load.engine import Engine
from harness.model import Extension
from harness.placement import Placement, detect
from harness.plan.allocate import next_block
from harness.plan.narrow import narrow
from harness.plan.profiles import PROFILES
from harness.record import Run, find_run
from harness.services import Need, Services, needs_of, services
from harness.services.ceiling import busy_concurrencies, ceilings


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
