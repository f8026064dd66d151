"""Commands about targets, services and the machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.app import app
from harness.cli.options import Json, Quiet, Targets
from harness.commands import completion


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
