"""Commands that send load: run, load, worker and versus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.app import app
from harness.cli.options import Join, Json, Listen, Live, OnLost, Port, Quiet, Targets, Workers
from harness.commands import completion


@app.command()
def run(
    targets: Targets = [],  # noqa: B006
    scenarios: Annotated[
        list[str],
        typer.Option(
            "-s",
            "--scenario",
            metavar="GLOB",
            autocompletion=completion.scenarios,
            help="Scenario by name or glob; repeatable.",
        ),
    ] = [],  # noqa: B006
    profile: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            autocompletion=completion.profiles,
            help="smoke (30 s), quick (4 min), standard (30 min), thorough (1 h) or async (30 min).",
        ),
    ] = "quick",
    seed: Annotated[int | None, typer.Option(help="Seed of every random choice; a fresh one unless given.")] = None,
    budget: Annotated[
        str, typer.Option(metavar="TIME", help="Wall time of the whole run, such as 10m; the profile's unless given.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and its time, measure nothing.")] = False,
    resume: Annotated[
        str, typer.Option(metavar="RUN", autocompletion=completion.runs, help="Go on with an interrupted run.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The run's folder; results/<run> unless given.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The report; reports/<run>.html unless given.")
    ] = None,
    name: Annotated[str, typer.Option(metavar="TEXT", help="A name for the run, shown in the report.")] = "",
    fleet: Annotated[
        str, typer.Option(metavar="processes|compose", help="Servers as processes, or as containers of a compose file.")
    ] = "processes",
    locustfile: Annotated[
        str, typer.Option(metavar="FILE", help="A Locust journey of your own; scenarios too only where -s names some.")
    ] = "",
    users: Annotated[
        int | None, typer.Option(min=1, help="Users of a journey; the journey's own unless given.")
    ] = None,
    urls: Annotated[
        list[str],
        typer.Option("--url", metavar="[NAME=]URL", help="A target that runs elsewhere, in place of -t; repeatable."),
    ] = [],  # noqa: B006
    concurrency: Annotated[
        int, typer.Option("-c", "--concurrency", min=1, help="Connections, with --url and without -s.")
    ] = 32,
    workers: Workers = 0,
    join: Join = 0,
    listen: Listen = "",
    port: Port = None,
    on_lost: OnLost = "invalid",
    live: Live = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure targets on scenarios (and Locust journeys, where -s names them) and write a report.

    With --workers, or --join and "harness worker" on other machines, several workers send, to one target at a time.

    Exit codes: 0 done; 2 usage; 3 a target or the machine is not ready; 4 finished with failed or invalid slots;
    130 interrupted, with everything measured so far saved.
    """
    from harness.commands import run as command
    from harness.commands.crew import CrewRequest
    from harness.commands.prepare import RunRequest

    request = RunRequest(
        targets=tuple(targets),
        scenarios=tuple(scenarios),
        profile=profile,
        seed=seed,
        budget=budget,
        dry_run=dry_run,
        resume=resume,
        out=out,
        report=report,
        name=name,
        fleet=fleet,
        locustfile=locustfile,
        users=users,
        urls=tuple(urls),
        concurrency=concurrency,
        crew=CrewRequest(workers, join, listen, port, on_lost, live),
        as_json=as_json,
        quiet=quiet,
    )
    raise typer.Exit(command.run(request))


@app.command()
def load(
    url: Annotated[str, typer.Argument(metavar="URL", help="http://…, ws://…, or http+unix://%2Fpath%2Fof.sock/…")],
    connections: Annotated[int, typer.Option("-c", "--connections", help="Concurrency.")] = 32,
    duration: Annotated[str, typer.Option("-d", "--duration", metavar="TIME")] = "5s",
    rate: Annotated[
        float | None, typer.Option("-r", "--rate", help="Requests per second, whatever the replies do (open loop).")
    ] = None,
    arrivals: Annotated[
        str,
        typer.Option(
            metavar="constant|poisson",
            autocompletion=completion.choice("constant", "poisson"),
            help="How an open loop spaces them.",
        ),
    ] = "constant",
    method: Annotated[str, typer.Option("-X", "--method", help="GET, or POST where there is a body.")] = "",
    headers: Annotated[list[str], typer.Option("-H", "--header", metavar="'NAME: VALUE'", help="Repeatable.")] = [],  # noqa: B006
    bodies: Annotated[
        list[str],
        typer.Option("--body", metavar="TEXT|@FILE", help="Repeatable: several are sent in a seeded order."),
    ] = [],  # noqa: B006
    expect_status: Annotated[
        int | None, typer.Option(help="The status that is right; any of 2xx and 3xx unless given.")
    ] = None,
    expect_body: Annotated[str | None, typer.Option(metavar="TEXT|@FILE", help="The body that is right.")] = None,
    timeout: Annotated[str, typer.Option(metavar="TIME", help="After which a request has failed.")] = "10s",
    processes: Annotated[int, typer.Option(help="Generator processes that share the load.")] = 1,
    seed: Annotated[int | None, typer.Option(help="Seed of arrivals and bodies.")] = None,
    cpus: Annotated[list[int], typer.Option("--cpu", help="CPU to send from; repeatable.")] = [],  # noqa: B006
    sse: Annotated[bool, typer.Option("--sse", help="Read server-sent events.")] = False,
    messages_in_flight: Annotated[int, typer.Option(help="WebSocket: messages under way on each connection.")] = 1,
    workers: Workers = 0,
    join: Join = 0,
    listen: Listen = "",
    port: Port = None,
    on_lost: OnLost = "invalid",
    live: Live = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Send a load to a URL; every reply is checked, every latency kept.

    With --workers, or --join and "harness worker" on other machines, all begin at one moment, and each sends its share.

    Exit codes: 0 measured; 1 no right reply, or one that differed from --expect-…; 2 usage; 3 nothing listens there;
    4 a worker was lost; 130 interrupted, with what was measured so far printed.
    """
    from harness.commands import load as command
    from harness.commands.crew import CrewRequest

    request = command.LoadRequest(
        url=url,
        connections=connections,
        duration=duration,
        rate=rate,
        arrivals=arrivals,
        method=method,
        headers=tuple(headers),
        bodies=tuple(bodies),
        expect_status=expect_status,
        expect_body=expect_body,
        timeout=timeout,
        processes=processes,
        seed=seed,
        cpus=tuple(cpus),
        sse=sse,
        messages_in_flight=messages_in_flight,
        crew=CrewRequest(workers, join, listen, port, on_lost, live),
        as_json=as_json,
        quiet=quiet,
    )
    raise typer.Exit(command.run(request))


@app.command()
def worker(
    master: Annotated[str, typer.Option("--master", metavar="HOST[:PORT]", help="Where the load is ordered from.")],
    processes: Annotated[int, typer.Option(help="Workers of this machine, one for each CPU that is to send.")] = 1,
    locustfile: Annotated[str, typer.Option(metavar="FILE", help="The journey, where it is one of your own.")] = "",
    wait: Annotated[str, typer.Option(metavar="TIME", help="How long to wait for the master.")] = "60s",
    keep: Annotated[
        str, typer.Option(metavar="DIR", help="Keep every latency here too, order by order, as .npz.")
    ] = "",
) -> None:
    """Be one more load machine: join a master, send what it orders, and leave when it is done.

    The master is "harness load URL --join N" or "harness run --join N" on another machine, of the same version.

    Exit codes: 0 the master was done; 2 usage; 3 there was no master, it refused this worker, or it went away.
    """
    from harness.commands import worker as command

    raise typer.Exit(command.run(command.WorkerRequest(master, processes, locustfile, wait, keep)))


@app.command()
def versus(
    a: Annotated[
        str,
        typer.Argument(
            metavar="A",
            autocompletion=completion.targets,
            help="A target, or package.module:attribute@server[,option=value]…",
        ),
    ],
    b: Annotated[
        str, typer.Argument(metavar="B", autocompletion=completion.targets, help="The target that A is compared with.")
    ],
    path: Annotated[
        str, typer.Option("--path", metavar="PATH", help="The path that is asked for, with its query.")
    ] = "",
    scenario: Annotated[
        str,
        typer.Option(
            "-s",
            "--scenario",
            autocompletion=completion.scenarios,
            help="A scenario of the contract, in place of --path.",
        ),
    ] = "",
    method: Annotated[str, typer.Option("-X", "--method", help="GET, or POST where there is a body.")] = "",
    headers: Annotated[list[str], typer.Option("-H", "--header", metavar="'NAME: VALUE'", help="Repeatable.")] = [],  # noqa: B006
    body: Annotated[str, typer.Option("--body", metavar="TEXT|@FILE")] = "",
    expect_status: Annotated[int, typer.Option(help="The status that is right; any below 400 unless given.")] = 0,
    concurrency: Annotated[int | None, typer.Option("-c", "--concurrency", min=1, help="Connections.")] = None,
    metric: Annotated[
        str,
        typer.Option(
            metavar="cpu_cost|throughput",
            autocompletion=completion.choice("cpu_cost", "throughput"),
            help="What is compared.",
        ),
    ] = "cpu_cost",
    with_a: Annotated[
        list[str], typer.Option("--with-a", metavar="PACKAGE==VERSION", help="Packages of A's own environment.")
    ] = [],  # noqa: B006
    with_b: Annotated[
        list[str], typer.Option("--with-b", metavar="PACKAGE==VERSION", help="Packages of B's own environment.")
    ] = [],  # noqa: B006
    budget: Annotated[str, typer.Option(metavar="TIME", help="Wall time, with server starts.")] = "40s",
    fail_if_slower: Annotated[
        str, typer.Option(metavar="SHARE", help="Exit with 1 where A is shown to be slower than B by more, say 3%.")
    ] = "",
    control: Annotated[bool, typer.Option(help="Measure A a second time as the A/A control.")] = True,
    seed: Annotated[int | None, typer.Option(help="Seed of every random choice.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the data; results/<run> unless given.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say whether A is cheaper (or faster) than B, by how much, and how sure that is.

    Exit codes: 0 measured; 1 slower by more than --fail-if-slower; 2 usage; 3 a side is not ready; 4 nothing valid to
    hold against --fail-if-slower; 130 interrupted.
    """
    from harness.commands import versus as command

    request = command.VersusRequest(
        a=a,
        b=b,
        path=path,
        scenario=scenario,
        method=method,
        headers=tuple(headers),
        body=body,
        expect_status=expect_status,
        concurrency=concurrency,
        metric=metric,
        with_a=tuple(with_a),
        with_b=tuple(with_b),
        budget=budget,
        fail_if_slower=fail_if_slower,
        control=control,
        seed=seed,
        out=out,
        as_json=as_json,
        quiet=quiet,
    )
    raise typer.Exit(command.run(request))
