"""The command line: parse, build a spec, call; nothing else. What is heavy is imported where it is used."""

from __future__ import annotations

import sys

import typer

from harness.cli import measuring, reading, serving
from harness.cli.app import app
from harness.errors import HarnessError

__all__ = ["app", "main", "measuring", "reading", "serving"]


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
