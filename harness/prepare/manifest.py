"""The manifest of a new run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from harness import __version__
from harness.config.placement import Placement
from harness.model import Failure, Journey, Manifest, Plan, Reason, Scenario, Target
from harness.prepare.plan import planned_requests
from harness.serve import environment
from harness.serve.envs import own_packages, shadowed
from harness.serve.services import needs_of, pool_facts


def new_manifest(
    plan: Plan,
    targets: Sequence[Target],
    scenarios: Sequence[Scenario],
    *,
    placement: Placement,
    command: str,
    results: Path,
    name: str = "",
    kind: str = "",
    journeys: tuple[Journey, ...] = (),
    skipped: tuple[Failure, ...] = (),
) -> Manifest:
    """Args:
    command: repeats the run.
    results: the folder where the last selftest may be.
    kind: the end of the run's id.
    """
    created = datetime.now(UTC)
    needs = needs_of(request.endpoint for request in planned_requests(plan, tuple(scenarios), journeys))
    machine = {**environment.describe(placement), **pool_facts(targets, needs), **environment.resolution(results)}
    elsewhere = [target.elsewhere for target in targets]
    notes = (placement.note, *shadowed(targets), Reason("elsewhere") if any(elsewhere) else None)
    return Manifest(
        run=f"{created:%Y%m%d-%H%M%S}-{plan.seed}{kind}",
        name=name,
        created_at=created.isoformat(timespec="seconds"),
        status="running",
        command=command,
        seed=plan.seed,
        plan=plan,
        targets=tuple(targets),
        scenarios=tuple(scenarios),
        environment=machine,
        versions=environment.versions(),
        placement=(replace(placement, server=(), many=()) if all(elsewhere) else placement).cpus,
        warnings=tuple(note for note in notes if note),
        skipped=skipped,
        journeys=journeys,
        writer=__version__,
        packages=own_packages(targets),
    )
