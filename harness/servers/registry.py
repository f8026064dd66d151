"""Servers by name; a module is imported when it is used."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module

from pydantic import ValidationError

from harness.errors import UsageError
from harness.model import Interface, Target
from harness.servers.installed import packages_of, version_of
from harness.servers.offers import offered
from harness.servers.spec import Bind, Command, Options, Server

SERVERS = {
    "cheroot": "harness.servers.cheroot",
    "daphne": "harness.servers.daphne",
    "granian": "harness.servers.granian",
    "gunicorn": "harness.servers.gunicorn",
    "hypercorn": "harness.servers.hypercorn",
    "mod_wsgi": "harness.servers.mod_wsgi",
    "tornado": "harness.servers.tornado",
    "uvicorn": "harness.servers.uvicorn",
    "uwsgi": "harness.servers.uwsgi",
    "waitress": "harness.servers.waitress",
}


def load_server(name: str) -> Server:
    """The server called ``name``.

    Raises:
        UsageError: there is none; the nearest names are offered.
    """
    if name not in SERVERS:
        near = get_close_matches(name, SERVERS, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known servers: {', '.join(SERVERS)}"
        raise UsageError(f"no server is called {name!r}", hint=hint)
    server: Server = import_module(SERVERS[name]).SERVER
    return server


def interface_of(name: str) -> Interface:
    """The interface that a server speaks unless told otherwise."""
    return load_server(name).interfaces[0]


def command_of(target: Target, bind: Bind) -> Command:
    """What starts ``target`` at ``bind``.

    Raises:
        UsageError: the server does not speak the target's interface, or does not take one of its options.
    """
    server = load_server(target.server)
    if target.interface not in server.interfaces:
        raise UsageError(
            f"target {target.name!r}: {server.name} serves {' and '.join(server.interfaces)}, not {target.interface}"
        )
    if target.threads > 1 and not server.threads:
        raise UsageError(f"target {target.name!r}: {server.name} has no threads per worker", hint="leave out 'threads'")
    if target.workers > 1 and not server.workers:
        raise UsageError(f"target {target.name!r}: {server.name} has one worker", hint="leave out 'workers'")
    options = options_of(target)
    for name in server.choices:
        value, values = str(getattr(options, name)), accepted_values(server, name, target.python)
        if value and values and value not in values:
            raise UsageError(
                f"target {target.name!r}: {server.name} option {name!r}: {value!r} is not offered by this version",
                hint=f"accepted: {', '.join(values)}",
            )
    return server.command(target, options, bind)


def accepted_values(server: Server, option: str, python: str = "") -> tuple[str, ...]:
    """What ``python``'s version of the server takes for an option; empty where anything fits or nobody can tell."""
    found = offered(server.choices[option], python) if option in server.choices else ()
    return (*found, *server.also.get(option, ())) if found else ()


def missing_for(target: Target) -> str:
    """The first distribution that a target needs and that is not installed for this interpreter; empty without one."""
    packages = packages_of(load_server(target.server), options_of(target))
    return next((package for package in packages if not version_of(package)), "")


def backlog_of(target: Target) -> int:
    """Connections that may wait to be accepted by a target's server; 0 where it takes no such option."""
    return int(getattr(options_of(target), "backlog", 0))


def options_of(target: Target) -> Options:
    """The options of a target, with the server's defaults for those that it does not give.

    Raises:
        UsageError: the server does not take one of them.
    """
    server = load_server(target.server)
    try:
        return server.options.model_validate(dict(target.options))
    except ValidationError as error:
        fault = error.errors()[0]
        name = ".".join(map(str, fault["loc"])) or "options"
        if fault["type"] == "extra_forbidden":
            accepted = ", ".join(server.options.model_fields) or "none"
            raise UsageError(
                f"target {target.name!r}: {server.name} has no option {name!r}", hint=f"accepted options: {accepted}"
            ) from None
        raise UsageError(f"target {target.name!r}: {server.name} option {name!r}: {fault['msg']}") from None
