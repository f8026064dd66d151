"""The command line. Each command is one function in a module of its own: its signature declares the options.

Heavy modules are imported inside the functions, so that ``harness --help`` answers at once.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated

import typer

from harness import __version__
from harness.cli import defaults
from harness.cli.output import print_text, stdout_written
from harness.cli.signals import interruptible
from harness.errors import HarnessError

__all__ = ["app", "main"]

COMMANDS = (
    "run load worker versus profile compare check report export schema serve service reports verify list_ doctor "
    "selftest"
)

UNEXPECTED = 70
"""The exit code of an error of this program itself; 1 says that a limit failed."""

app = typer.Typer(
    name="harness",
    help="Which Python web framework and server, WSGI or ASGI, what does validation cost, and is the difference real?",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
for _name in COMMANDS.split():
    app.command(_name.strip("_"))(getattr(import_module(f"harness.cli.{_name}"), _name))


def main(words: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code; every error becomes a message on stderr."""
    words = sys.argv[1:] if words is None else words
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that cannot show a character shows a question mark.
            stream.reconfigure(errors="replace")
    with interruptible() as exit_code:
        try:
            code = app(words, prog_name="harness", standalone_mode=False, obj=words) or 0
            with stdout_written():
                return exit_code(code)
        except HarnessError as error:
            log = [f"    {line}" for line in getattr(error, "log", ())]
            return exit_code(_failed(str(error), log, error.hint, error.exit_code))
        except typer.TyperException as error:
            message, hint = defaults.explained(error)
            return exit_code(_failed(message, (), hint, error.exit_code))
        except typer.Abort:
            return exit_code(130)
        except Exception as error:
            traceback.print_exc()
            hint = "please report it, with the lines above"
            return exit_code(_failed(f"unexpected error: {type(error).__name__}: {error}", (), hint, UNEXPECTED))


def _failed(message: str, log: Sequence[str], hint: str, code: int) -> int:
    lines = [f"harness: {message}", *log, *([f"  {hint}"] if hint else [])]
    sys.stderr.write("\n".join(lines) + "\n")
    return code


def _version(requested: bool) -> None:
    if requested:
        print_text(f"harness {__version__}\n")
        raise typer.Exit


@app.callback()
def _defaults(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_version,
            is_eager=True,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    # Help shows the defaults that are declared, also where the project's file is broken.
    if not {"-h", "--help"}.intersection(context.obj):
        context.auto_envvar_prefix = defaults.PREFIX
        context.obj = defaults.read(context)
        context.default_map = context.obj.values
