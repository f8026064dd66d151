"""The command that does again what this one does."""

from __future__ import annotations

import shlex
from typing import Any

import typer

NOT_REPEATED = frozenset({"resume", "dry_run", "out", "report", "comment", "as_json", "quiet"})
"""Options about where a run begins and what it prints, and not about what it measures."""


def repeated(context: typer.Context, **values: object) -> str:
    """The command line of the context with all options that were given, on it or by a default of the user's own.

    Args:
        values: parameter → the value to write in place of its own.
    """
    words = ["harness", context.info_name or ""]
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name)
        given = source is not None and source.name != "DEFAULT"
        if parameter.name in NOT_REPEATED or not (given or parameter.name in values):
            continue
        words += _words(parameter, values.get(parameter.name, context.params[parameter.name]))
    return shlex.join(words)


def _words(parameter: Any, value: object) -> list[str]:
    if parameter.param_type_name == "argument":
        return [str(value)]
    name = max(parameter.opts, key=len)
    if isinstance(value, bool):
        return [name if value else parameter.secondary_opts[0]] if value or parameter.secondary_opts else []
    return [word for each in (value if isinstance(value, list | tuple) else [value]) for word in (name, str(each))]
