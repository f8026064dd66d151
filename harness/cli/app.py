"""The command without its sub-commands, which register themselves here."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from harness import __version__

app = typer.Typer(
    name="harness",
    help="Which Python web framework and server, WSGI or ASGI, what does validation cost, and is the difference real?",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


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
