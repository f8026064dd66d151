"""What a run is measured with: services, the engine, servers or containers, and workers, for as long as it lasts."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Literal

from harness.cluster.cluster import Cluster
from harness.cluster.options import ClusterOptions
from harness.cluster.senders import JourneySender, SharedLoadSender
from harness.config.placement import Placement
from harness.engine.engine import Engine, OnNote
from harness.errors import UsageError
from harness.journeys.process import Journeys
from harness.plan.single_side import JOURNEY, WORKERS
from harness.prepare.ceiling import ceilings
from harness.prepare.plan import planned_requests
from harness.prepare.remote import MixedFleet
from harness.record import Run
from harness.serve import LOOPBACK, Servers
from harness.serve.services import Services, needs_of, services
from harness.session import Bench
from harness.session.observe import Observer
from harness.session.sender import Sender

FleetKind = Literal["processes", "compose"]


@contextmanager
def bench_of(
    run: Run, placement: Placement, observer: Observer, *, fleet: FleetKind, cluster: ClusterOptions, on_note: OnNote
) -> Iterator[Bench]:
    """Args:
        cluster: the workers that share the load, if any.
        on_note: called when a worker joins, is refused or is lost.

    Raises:
        UsageError: there are loads for workers, and no workers.
        NotReadyError: a service, a container or a worker does not start.
    """
    plan = run.manifest.plan
    with (
        _servers(run, fleet, placement) as (placement, around, make),
        Engine(placement.generator) as engine,
        _senders(run, placement, cluster, on_note) as senders,
    ):
        observer.run_started(plan, str(run.folder))
        yield Bench(
            engine,
            placement,
            observer,
            around,
            make,
            kind=MixedFleet,
            host=cluster.listen or LOOPBACK,
            ceilings=ceilings(engine, placement, plan),
            senders=senders,
        )


@contextmanager
def _servers(
    run: Run, kind: FleetKind, placement: Placement
) -> Iterator[tuple[Placement, Services, Callable[[], Servers] | None]]:
    """Where the servers run, what they call, and what makes a block's: processes of our own, containers, or nothing
    if they run already.
    """
    manifest = run.manifest
    if all(target.elsewhere for target in manifest.targets):
        yield replace(placement, server=()), Services(), None
        return
    sent = planned_requests(manifest.plan, manifest.scenarios, manifest.journeys)
    needs = needs_of(request.endpoint for request in sent)
    if kind == "processes":
        with services(needs, placement.backing) as around:
            yield placement, around, None
        return
    from harness.serve import compose

    secret = secrets.token_hex(32)
    project = compose.project(manifest.targets, secret)
    facts = {**manifest.environment, **compose.facts(project, manifest.targets)}
    placement = compose.placement_of(project, manifest.targets, placement)
    run.update(replace(manifest, environment=facts, placement=placement.cpus))
    yield placement, Services(compose.backing(project, needs)), lambda: compose.ComposeFleet(project, secret)


@contextmanager
def _senders(run: Run, placement: Placement, options: ClusterOptions, on_note: OnNote) -> Iterator[dict[str, Sender]]:
    """Study → what sends its windows, with the workers up that it needs."""
    manifest = run.manifest
    studies = {block.study for block in manifest.plan.studies} & {JOURNEY, WORKERS}
    if not studies:
        yield {}
        return
    if not options.count:
        if WORKERS in studies:
            raise UsageError("this run's loads are shared by workers", hint="--workers 2")
        yield {JOURNEY: JourneySender(run, Journeys(placement.generator))}
        return
    files = [journey.file for journey in manifest.journeys]
    # With targets elsewhere no server runs here: workers may use every CPU.
    cpus = placement.generator if placement.server else ()
    with Cluster(replace(options, cpus=cpus, locustfile=files[0] if files else ""), on_note) as cluster:
        yield {JOURNEY: JourneySender(run, cluster), WORKERS: SharedLoadSender(cluster)}
