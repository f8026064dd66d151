"""Servers by the names of their modules; a module is imported when it is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module

from pydantic import ValidationError

from harness.config.files import OPTIONS
from harness.errors import OptionError, UsageError, nearest
from harness.model import Interface, OptionValue, Target
from harness.serve.servers.installed import offered, version_of
from harness.serve.servers.spec import RUNNERS, Bind, Command, Options, Server

SERVERS = (
    "cheroot", "daphne", "granian", "gunicorn", "hypercorn", "mod_wsgi", "tornado", "uvicorn", "uwsgi", "waitress",
)  # fmt: skip


def load_server(name: str) -> Server:
    """The server called ``name``.

    Raises:
        UsageError: there is none; the nearest names are offered.
    """
    if name not in SERVERS:
        hint = nearest(name, SERVERS) or f"known servers: {', '.join(SERVERS)}"
        raise UsageError(f"no server is called {name!r}", hint=hint)
    server: Server = import_module(f"harness.serve.servers.{name}").SERVER
    return server


def interface_of(name: str) -> Interface:
    """The interface that a server speaks by default."""
    return load_server(name).interfaces[0]


def command_of(target: Target, bind: Bind) -> Command:
    """What starts ``target`` at ``bind``.

    Raises:
        UsageError: the server does not speak the target's interface, or does not take one of its options.
    """
    server = load_server(target.server)
    if target.interface not in server.interfaces:
        others = [name for name in SERVERS if target.interface in load_server(name).interfaces]
        raise UsageError(
            f"target {target.name!r}: {server.name} serves {' and '.join(server.interfaces)}, not {target.interface}",
            hint=f"servers of {target.interface} apps: {', '.join(others)}",
        )
    if target.threads > 1 and not server.threads:
        raise UsageError(f"target {target.name!r}: {server.name} has no threads per worker", hint="leave out 'threads'")
    if target.workers > 1 and not server.workers:
        raise UsageError(f"target {target.name!r}: {server.name} has one worker", hint="leave out 'workers'")
    options = options_of(target)
    check_offered(server, options, target.python, f"target {target.name!r}: ")
    if not target.application.endswith(")"):
        return server.command(target, options, bind)
    command = server.command(replace(target, application="harness_app:app"), options, bind)
    factory = {"HARNESS_FACTORY": target.application}
    return replace(command, environment={**command.environment, **factory}, import_path=(str(RUNNERS / "factory"),))


def accepted_values(server: Server, option: str, python: str = "") -> tuple[str, ...]:
    """What ``python``'s version of the server takes for an option; empty where anything fits or this is unknown."""
    values = offered(server.choices[option], python) if option in server.choices else ()
    return (*values, *server.also.get(option, ())) if values else ()


def needed_by(target: Target) -> tuple[str, ...]:
    """The distributions that a target needs: its server, and what the server's options ask for."""
    server, chosen = load_server(target.server), options_of(target).model_dump()
    extra = [values.get(str(chosen.get(option)), "") for option, values in server.needs.items()]
    return tuple(dict.fromkeys([server.package, *filter(None, extra)]))


def missing_for(target: Target) -> str:
    """The first distribution that a target needs and that is not installed for this interpreter; empty without one."""
    return next((package for package in needed_by(target) if not version_of(package)), "")


def resolved(target: Target) -> Target:
    """The target with what follows from its server and options: backlog, number of processes, kind of listener."""
    server, options = load_server(target.server), options_of(target)
    processes = target.workers + server.extra_processes(target, options)
    return replace(target, backlog=options.backlog, processes=processes, listener=server.listener(options))


def options_of(target: Target) -> Options:
    """The options of a target, with the server's defaults for those that it does not set; raises ``OptionError``."""
    return read_options(load_server(target.server), target.options, f"target {target.name!r}: ")


def read_options(server: Server, values: Mapping[str, OptionValue], prefix: str = "") -> Options:
    """Raises ``OptionError`` where the server does not take one of them; its message begins with ``prefix``."""
    try:
        return server.options.model_validate(dict(values))
    except ValidationError as error:
        fault = error.errors()[0]
        name = ".".join(map(str, fault["loc"])) or "options"
        if fault["type"] == "extra_forbidden":
            accepted = [*server.options.model_fields, *OPTIONS]
            hint = " ".join(filter(None, [nearest(name, accepted), f"accepted options: {', '.join(accepted)}"]))
            raise OptionError(f"{prefix}{server.name} has no option {name!r}", option=name, hint=hint) from None
        message = fault["msg"].removeprefix("Input should be ").partition(", unable to parse")[0]
        message = f"{prefix}{server.name} option {name!r}: expected {message}, not {fault['input']!r}"
        raise OptionError(message, option=name) from None


def check_offered(server: Server, options: Options, python: str = "", prefix: str = "") -> None:
    """Raises ``OptionError`` where ``python``'s version of the server does not offer a value that is set."""
    for name in sorted(options.model_fields_set & server.choices.keys()):
        value, values = str(getattr(options, name)), accepted_values(server, name, python)
        if value and values and value not in values:
            message = f"{prefix}{server.name} option {name!r}: {value!r} is not offered by this version"
            hint = " ".join(filter(None, [nearest(value, values), f"accepted: {', '.join(values)}"]))
            raise OptionError(message, option=name, hint=hint)
