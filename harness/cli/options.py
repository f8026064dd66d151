"""Options that several commands have, how the text of a value is read, and a command written again with its options."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from harness.cli import completion
from harness.errors import UsageError, one_of
from harness.model.units import parse_duration

RESULTS = Path("results")
REPORTS = Path("reports")
Complete = Callable[[str], list[str]]


class Quantity(float):
    """A number that remembers how its user wrote it: ``10m``, ``3%``."""

    text: str

    def __new__(cls, text: str, value: float) -> Quantity:
        quantity = super().__new__(cls, value)
        quantity.text = text
        return quantity

    def __str__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[type[float], tuple[float]]:
        """To other processes it is a number like any other."""
        return float, (float(self),)


def argument(metavar: str, help: str, complete: Complete | None = None) -> Any:
    return typer.Argument(metavar=metavar, help=help, autocompletion=complete)


def number(help: str, *names: str, min: int | None = 1, max: int | None = None) -> Any:
    """An option that takes a number."""
    return typer.Option(*names, metavar="N", min=min, max=max, help=help)


def time(help: str, *names: str) -> Any:
    """An option that takes a duration, to be annotated as ``Quantity``."""
    return typer.Option(*names, metavar="TIME", parser=duration, help=help)


def percent(help: str) -> Any:
    """An option that takes a share, to be annotated as ``Quantity``."""
    return typer.Option(metavar="PERCENT", parser=share, help=help)


def text(metavar: str, help: str, *names: str, complete: Complete | None = None, by_line: bool = False) -> Any:
    """An option that takes text; ``by_line`` if values may contain spaces: a variable then holds one on each line."""
    return typer.Option(*names, metavar=metavar, help=help, autocompletion=complete, allow_from_autoenv=not by_line)


def duration(text: object) -> Quantity:
    """Seconds from ``40s`` or ``1m30s``."""
    if isinstance(text, Quantity):
        return text
    if not isinstance(text, str):
        raise typer.BadParameter(f"{text!r} is not a duration: write '40s', '10m' or '1m30s'")
    try:
        return Quantity(text, parse_duration(text))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def share(text: object) -> Quantity:
    """0.03 from ``3%`` or ``0.03``; a number above 1 without its sign is a slip."""
    try:
        written = str(text)
        value = float(written.rstrip("%")) / 100 if written.endswith("%") else float(written)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise typer.BadParameter(f"{text!r} is not a percentage: expected something like 3%")
    if value > 1 and not written.endswith("%"):
        raise typer.BadParameter(f"{text!r} would be {value:.0%}: write {written}%")
    return Quantity(written, value)


def known(names: Callable[[], list[str]]) -> Callable[[str], str]:
    """Reads one of the names, which are looked up when they are needed."""

    def read(text: str) -> str:
        try:
            return one_of("", text, names())
        except UsageError as error:
            raise typer.BadParameter(_message(error)) from None

    return read


def spelled_out(text: str) -> str:
    """The text, unchanged; if it spells out a target, the server must take its options."""
    if "@" in text:
        from harness.prepare.select import parse_target
        from harness.serve.servers.registry import options_of

        try:
            options_of(parse_target(text))
        except UsageError as error:
            raise typer.BadParameter(_message(error, f"{text!r}: ")) from None
    return text


def _message(error: UsageError, before: str = "") -> str:
    return f"{before}{str(error).strip().removeprefix(before)}{error.hint and f' ({error.hint})'}"


def content(option: str, text: str) -> bytes:
    """``text`` itself, or the bytes of the file that is named after an ``@``.

    Raises:
        UsageError: the file cannot be read.
    """
    if not text.startswith("@"):
        return text.encode()
    try:
        return Path(text[1:]).read_bytes()
    except OSError as error:
        raise UsageError(f"{option} {text}: {error.strerror}", hint="write the name of a file after @") from None


SPELLED_OUT = "package.module:attribute@server[,option=value]…"
TARGET_HELP = f"Target by name or glob, or {SPELLED_OUT}; repeatable."
SCENARIO_HELP = "Scenario, study or journey by name or glob; repeatable."

Targets = Annotated[
    list[str],
    typer.Option(
        "-t", "--target", metavar="GLOB", help=TARGET_HELP, autocompletion=completion.targets, parser=spelled_out
    ),
]
Scenarios = Annotated[list[str], text("GLOB", SCENARIO_HELP, "-s", "--scenario", complete=completion.scenarios)]
Run = Annotated[str, argument("RUN", "A run's folder or id, or 'latest'.", completion.runs)]
Headers = Annotated[list[str], text("'NAME: VALUE'", "Repeatable.", "-H", "--header", by_line=True)]
Method = Annotated[str, text("METHOD", "Default: GET, or POST with a body.", "-X", "--method")]
Body = Annotated[str, text("TEXT|@FILE", "The body to send.")]
Scenario = Annotated[
    str, text("NAME", "A scenario, instead of --path.", "-s", "--scenario", complete=completion.scenarios)
]
ExpectStatus = Annotated[int | None, number("The correct status. Default: any below 400.")]
Concurrency = Annotated[int | None, number("Connections.", "-c", "--concurrency")]
CaCert = Annotated[str, text("FILE", "Certificates that are trusted for https://. Default: the system's.")]
Insecure = Annotated[bool, typer.Option("--insecure", help="Do not check certificates.")]
Seed = Annotated[int | None, number("Seed of every random choice. Default: a new one.", min=None)]
Workers = Annotated[int, number("Worker processes on this machine that share the load.", min=0, max=256)]
Join = Annotated[int, number("Workers on other machines: harness worker --master HOST.", min=0, max=256)]
Listen = Annotated[str, text("ADDRESS", "Where workers connect. Default: this machine only; with --join, any.")]
Port = Annotated[int | None, number("Port where workers connect. Default: 5557 with --join.", max=65535)]
OnLost = Annotated[
    Literal["invalid", "continue"],
    typer.Option("--on-lost-worker", help="When a worker is lost: end as invalid, or continue with the others."),
]
Live = Annotated[bool, typer.Option("--live", help="Show the load on Locust's web page, http://127.0.0.1:8089.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress on stderr.")]
Out = Annotated[Path | None, text("DIR", "Folder of the results. Default: results/<run>.")]
Host = Annotated[str, text("ADDRESS", "Address to listen on.")]
ListenPort = Annotated[int, number("Port to listen on.", max=65535)]

NOT_REPEATED = frozenset({"resume", "dry_run", "out", "report", "comment", "as_json", "quiet"})
"""Options about where a run begins and what it prints, and not about what it measures."""


def name_of(parameter: Any) -> str:
    """The longest name of a command's option: ``--max-slower``."""
    names: list[str] = parameter.opts
    return max(names, key=len)


def source_of(context: typer.Context, parameter: str) -> str:
    """Where its value was set: ``COMMANDLINE``, ``ENVIRONMENT``, ``DEFAULT_MAP`` or, nowhere, ``DEFAULT``."""
    source = context.get_parameter_source(parameter)
    return source.name if source is not None else "DEFAULT"


def repeated(context: typer.Context, **values: object) -> str:
    """The command that repeats this one, with all options that were set, also by a default of the user's.

    Args:
        values: parameter → the value to write in place of its own.
    """
    words = ["harness", context.info_name or ""]
    for parameter in context.command.params:
        name = parameter.name or ""
        if name not in NOT_REPEATED and (name in values or source_of(context, name) != "DEFAULT"):
            words += _words(parameter, values.get(name, context.params[name]))
    return shlex.join(words)


def _words(parameter: Any, value: object) -> list[str]:
    if parameter.param_type_name == "argument":
        return [str(value)]
    name = name_of(parameter)
    if isinstance(value, bool):
        return [name if value else parameter.secondary_opts[0]] if value or parameter.secondary_opts else []
    return [word for each in (value if isinstance(value, list | tuple) else [value]) for word in (name, str(each))]
