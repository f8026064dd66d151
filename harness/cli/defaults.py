"""Defaults of options: ``HARNESS_*`` variables, then ``[tool.harness]`` in the project's ``pyproject.toml``.

Options on the command line override both::

    [tool.harness]               # every command that has the option: quiet, seed
    quiet = true

    [tool.harness.run]           # HARNESS_RUN_PROFILE, HARNESS_RUN_TARGET, …
    profile = "standard"
    target = ["shop.web:app@uvicorn,name=shop", "raw-asgi-uvicorn"]

    [tool.harness.check]         # HARNESS_CHECK_MAX_SLOWER, …
    gate = ["shop json cpu < 120us"]

Keys are the options' names, with ``-`` or ``_``. In a variable, spaces separate several values (of gates and headers:
line ends). The signatures of the commands say which options there are: typer reads a command's own variables, and this
module makes the rest into its ``default_map``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from harness.cli.options import name_of, source_of
from harness.errors import DeclarationError, UsageError, nearest
from harness.project import TABLE, line_of, project_table

PREFIX = "HARNESS"
Options = Mapping[str, Mapping[str, Any]]
"""Command → name of an option → typer's parameter."""

SCENARIOS = "scenarios"
"""The one key of ``[tool.harness]`` that is no command: ``harness.config`` reads it."""

SHARED = ("quiet", "seed")
"""What ``[tool.harness]``, ``HARNESS_QUIET`` and ``HARNESS_SEED`` set for every command that has the option."""


@dataclass(slots=True)
class Defaults:
    """Command → parameter → value, and where each value was set, for messages."""

    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    places: dict[tuple[str, str], str] = field(default_factory=dict)

    def set(self, command: str, parameter: Any, value: Any, place: str) -> None:
        listed = parameter.multiple and not isinstance(value, list)
        self.values.setdefault(command, {})[parameter.name] = [value] if listed else value
        self.places[command, parameter.name] = place


def read(context: typer.Context) -> Defaults:
    """The defaults of all commands of the context's group.

    Raises:
        DeclarationError: the file has an unknown key; with its line, and the nearest known ones.
        UsageError: the same of a variable.
    """
    group: Any = context.command
    options: Options = {
        name: {name_of(each).lstrip("-"): each for each in command.params if each.param_type_name == "option"}
        for name, command in group.commands.items()
    }
    defaults = Defaults()
    _add_file(defaults, options)
    for command, known in options.items():
        _add_variables(defaults, command, known)
    return defaults


def explained(error: typer.TyperException) -> tuple[str, str]:
    """Message and hint of a wrong command line; a wrong value is named by the place where it was set."""
    context = getattr(error, "ctx", None)
    hint = f"{context.command_path} --help" if context is not None else ""
    parameter = getattr(error, "param", None)
    if not isinstance(error, typer.BadParameter) or context is None or parameter is None or not error.message:
        return error.format_message(), hint
    source = source_of(context, parameter.name)
    place, value = name_of(parameter) if parameter.opts[0].startswith("-") else parameter.metavar, None
    if source == "ENVIRONMENT":
        place = f"{context.auto_envvar_prefix}_{parameter.name.upper()}"
        value = os.environ[place]
    elif source == "DEFAULT_MAP":
        place = context.obj.places[context.command.name, parameter.name]
        value = context.default_map[parameter.name]
    message = error.message.removeprefix("Value error, ").rstrip(".")
    values = value if isinstance(value, list) else str(value).split()
    shown = value is None or any(repr(each) in message for each in [value, *values])
    return f"{place}: {message}{'' if shown else f', not {value!r}'}", hint


def _add_file(defaults: Defaults, options: Options) -> None:
    file, text, table = project_table(Path.cwd())

    def unknown(known: list[str], *keys: str) -> DeclarationError:
        where = ".".join((*TABLE, *keys[:-1]))
        hint = nearest(keys[-1], known) or f"{where} takes {', '.join(known)}"
        line = line_of(text, (*TABLE, *keys))
        return DeclarationError("unknown key", file=file, line=line, key=f"{where}.{keys[-1]}", hint=hint)

    def add(command: str, parameter: Any, value: object, *keys: str) -> None:
        place = f"{file}:{line_of(text, (*TABLE, *keys))}: {'.'.join((*TABLE, *keys))}"
        defaults.set(command, parameter, value, place)

    shared = {key: value for key, value in table.items() if key in SHARED}
    for key, value in shared.items():
        for command, known in options.items():
            if key in known:
                add(command, known[key], value, key)
    for command, values in table.items():
        if command in shared or command == SCENARIOS:
            continue
        if command not in options or not isinstance(values, dict):
            raise unknown([*options, *SHARED, SCENARIOS], command)
        for key, value in values.items():
            parameter = options[command].get(key.replace("_", "-"))
            if parameter is None:
                raise unknown(list(options[command]), command, key)
            add(command, parameter, value, command, key)


def _add_variables(defaults: Defaults, command: str, known: Mapping[str, Any]) -> None:
    for key in SHARED:
        if key in known and (value := os.environ.get(f"{PREFIX}_{key.upper()}")):
            defaults.set(command, known[key], value, f"{PREFIX}_{key.upper()}")
    own = f"{PREFIX}_{command.upper()}_"
    names = {f"{own}{parameter.name.upper()}": parameter for parameter in known.values()}
    for name, value in os.environ.items():
        if not name.startswith(own) or not value:
            continue
        if name not in names:
            raise UsageError(f"{name}: unknown option", hint=nearest(name, names) or f"{own}… takes {', '.join(known)}")
        # Options whose values contain spaces are not left to typer, which would split them there.
        if not names[name].allow_from_autoenv:
            defaults.set(command, names[name], value.splitlines(), name)
