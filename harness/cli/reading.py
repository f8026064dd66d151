"""Commands that read what runs left."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.app import app
from harness.cli.options import Json
from harness.commands import completion


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
