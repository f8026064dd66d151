"""The command line: parse, build a spec, call; nothing else. What is heavy is imported where it is used."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from harness import __version__
from harness.commands import completion
from harness.errors import HarnessError

app = typer.Typer(
    name="harness",
    help="Which Python web framework and server, WSGI or ASGI, what does validation cost, and is the difference real?",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)

Targets = Annotated[
    list[str],
    typer.Option(
        "-t",
        "--target",
        metavar="GLOB",
        autocompletion=completion.targets,
        help="Target by name or glob, or package.module:attribute@server[,option=value]…; repeatable.",
    ),
]
Workers = Annotated[int, typer.Option(metavar="N", help="Worker processes of this machine that share the load.")]
Join = Annotated[
    int, typer.Option(metavar="N", help="Workers that other machines start with: harness worker --master HOST.")
]
Listen = Annotated[
    str, typer.Option(metavar="ADDRESS", help="Where workers are taken: this machine alone, or with --join anywhere.")
]
Port = Annotated[int | None, typer.Option(help="Port at which workers are taken; 5557 with --join.", max=65535)]
OnLost = Annotated[
    str,
    typer.Option(
        "--on-lost-worker", metavar="invalid|continue", help="End where a worker is lost, or go on with the rest."
    ),
]
Live = Annotated[bool, typer.Option("--live", help="Show it on Locust's web page, http://127.0.0.1:8089.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress on stderr.")]


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"harness {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    if not {"-h", "--help"}.intersection(sys.argv):
        from harness.settings import defaults

        context.default_map = defaults()


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

    request = command.RunRequest(
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


@app.command()
def serve(
    target: Annotated[str, typer.Argument(metavar="TARGET", autocompletion=completion.targets)],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
) -> None:
    """Serve one target in the foreground, exactly as a run starts it.

    What it calls is started with it and ends with it: an embedded PostgreSQL with the seeded rows, and the upstream
    service. Those that HARNESS_DATABASE_URL and HARNESS_UPSTREAM_URL name are used as they are.

    Exit codes: 0 ended by Ctrl-C or SIGTERM; 2 usage; 3 the port is taken, or something does not come up.
    """
    from harness.commands import serve as command

    command.run(target, host, port)


@app.command()
def service(
    name: Annotated[str, typer.Argument(metavar="database|upstream")],
    host: Annotated[
        str, typer.Option(help="Address to listen on; a database lets in whoever reaches it.")
    ] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port; 5432 or 8100 unless given.")] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of a database that is to last; none is kept unless given."),
    ] = None,
) -> None:
    """Serve what the apps call, the database or the upstream service, in the foreground."""
    from harness.commands import service as command

    command.run(name, host, port, data)


@app.command()
def reports(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8080,
) -> None:
    """Serve a page that lists the runs of this folder, with their reports."""
    from harness.commands import reports as command

    command.run(host, port)


@app.command()
def verify(
    targets: Targets = [],  # noqa: B006
    features: Annotated[bool, typer.Option("--features", help="Probe what each target can do instead.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check every endpoint and case of the contract, or every declared capability, against live targets.

    Exit codes: 0 all as declared; 1 something differs; 3 a target did not come up.
    """
    from harness.commands import verify as command

    raise typer.Exit(command.run(tuple(targets), as_json, quiet, features=features))


@app.command("list")
def list_(
    what: Annotated[
        str,
        typer.Argument(
            metavar="targets|scenarios|servers|runs",
            autocompletion=completion.choice("targets", "scenarios", "servers", "runs"),
        ),
    ],
    as_json: Json = False,
) -> None:
    """List targets, scenarios, servers or runs."""
    from harness.commands import listing as command

    raise typer.Exit(command.run(what, as_json))


@app.command()
def doctor(as_json: Json = False) -> None:
    """Say whether this machine is fit to measure on, and why not.

    Exit codes: 0 fit, perhaps with warnings; 3 not fit.
    """
    from harness.commands import doctor as command

    raise typer.Exit(command.run(as_json))


@app.command()
def selftest(as_json: Json = False, quiet: Quiet = False) -> None:
    """Hold the harness against what is known to be true, and say what this machine can resolve (three minutes).

    Exit codes: 0 all checks hold; 1 some do not.
    """
    from harness.commands import selftest as command

    raise typer.Exit(command.run(as_json, quiet))


@app.command()
def compare(
    base: Annotated[
        str,
        typer.Argument(
            metavar="BASE", autocompletion=completion.runs, help="The earlier run: its folder or id, or 'latest'."
        ),
    ],
    new: Annotated[
        str, typer.Argument(metavar="NEW", autocompletion=completion.runs, help="The later run.")
    ] = "latest",
    anchor: Annotated[
        str,
        typer.Option(metavar="TARGET", help="A target in both runs that did not change; a raw floor unless given."),
    ] = "",
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print a table for a pull request.")] = False,
    as_json: Json = False,
) -> None:
    """Say what changed between two runs, target by target and contrast by contrast.

    Values are taken relative to an anchor where both runs have one; else their intervals allow for what the machine
    did in between. To compare two versions, harness versus is quicker and surer: they take turns.

    Exit codes: 0 compared; 3 no such run; 4 NEW lacks a number that BASE has.
    """
    from harness.commands import compare as command

    raise typer.Exit(command.run(base, new, anchor, as_json, as_markdown))


@app.command()
def check(
    run_name: Annotated[
        str, typer.Argument(metavar="[RUN]", autocompletion=completion.runs, help="A run's folder or id.")
    ] = "latest",
    gates: Annotated[
        list[str],
        typer.Option(
            "--gate",
            metavar="'TARGET [POINT] METRIC < LIMIT'",
            help="Such as 'fastapi-uvicorn json cpu < 120us', 'new / old json throughput > -3%'; repeatable. "
            "Metrics: cpu, throughput, p50, p90, p99, p999, errors.",
        ),
    ] = [],  # noqa: B006
    against: Annotated[
        str,
        typer.Option(metavar="BASE", autocompletion=completion.runs, help="The baseline: another run's folder or id."),
    ] = "",
    max_slower: Annotated[
        str,
        typer.Option(metavar="SHARE", help="Worse than BASE in throughput or CPU, at most; the margin unless given."),
    ] = "",
    max_p99: Annotated[str, typer.Option(metavar="SHARE", help="The same for p99; no limit unless given.")] = "",
    anchor: Annotated[
        str, typer.Option(metavar="TARGET", help="A target in both runs that did not change; see compare.")
    ] = "",
    strict: Annotated[bool, typer.Option("--strict", help="Fail also where the interval holds the limit.")] = False,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="One line where nothing failed.")] = False,
) -> None:
    """Hold a run against gates, and against a baseline; for CI.

    A gate fails only where the whole 99% interval lies beyond its limit. Gates can stand in pyproject.toml, as
    gate = […] under [tool.harness.check].

    Exit codes: 0 none failed; 1 one failed (with --strict: or is undecided); 2 usage; 3 no such run; 4 a number is
    missing.
    """
    from harness.commands import check as command

    request = command.CheckRequest(run_name, tuple(gates), against, max_slower, max_p99, anchor, strict, as_json, quiet)
    raise typer.Exit(command.run(request))


@app.command()
def report(
    run_name: Annotated[
        str, typer.Argument(metavar="RUN", autocompletion=completion.runs, help="A run's folder or id, or 'latest'.")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="reports/<run>.html unless given.")
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    lang: Annotated[str, typer.Option(metavar="en|ko", help="Language of the page.")] = "en",
) -> None:
    """Make a run's report again, from its folder alone."""
    from harness.commands import report as command

    raise typer.Exit(command.run(run_name, output, open_it, lang))


@app.command()
def export(
    run_name: Annotated[
        str, typer.Argument(metavar="[RUN]", autocompletion=completion.runs, help="A run's folder or id.")
    ] = "latest",
    format_: Annotated[
        str,
        typer.Option(
            "-f", "--format", metavar="csv|parquet|json", autocompletion=completion.choice("csv", "parquet", "json")
        ),
    ] = "csv",
    table: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="cells, contrasts, slices, windows or all; all for JSON and cells elsewhere unless given.",
        ),
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="A folder for several tables; stdout unless given."),
    ] = None,
) -> None:
    """Write a run's numbers as CSV, Parquet or JSON, with units in the columns' names."""
    from harness.commands import export as command

    raise typer.Exit(command.run(run_name, format_, table or ("all" if format_ == "json" else "cells"), output))


@app.command()
def schema(
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="One of the documents; all are listed unless given.")
    ] = "",
) -> None:
    """Print the JSON Schema of a file or of what a command prints as JSON."""
    from harness.commands import schema as command

    raise typer.Exit(command.run(name))


def main() -> None:
    """The console script; errors become a message and an exit code."""
    try:
        app()
    except HarnessError as error:
        _fail(error)
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        sys.exit(130)


def _fail(error: HarnessError) -> None:
    typer.echo(f"harness: {error}", err=True)
    for line in getattr(error, "log", ()):
        typer.echo(f"    {line}", err=True)
    if error.hint:
        typer.echo(f"  {error.hint}", err=True)
    sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
