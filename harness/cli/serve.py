"""``harness serve``: one target in the foreground, with what it calls."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import completion
from harness.cli.options import Host, ListenPort

if TYPE_CHECKING:
    from harness.model import Target
    from harness.serve.services import Need


def serve(
    target: Annotated[str, typer.Argument(metavar="TARGET", autocompletion=completion.targets)],
    host: Host = "127.0.0.1",
    port: ListenPort = 8000,
) -> None:
    """Serve one target in the foreground, exactly as a run starts it.

    The services it calls are started and stopped with it: an embedded PostgreSQL with the seeded rows, and the
    upstream service. To use your own, set HARNESS_DATABASE_URL and HARNESS_UPSTREAM_URL.

    Exit codes: 2 usage; 3 the port is in use, or something does not start; 130 Ctrl-C; 143 SIGTERM (some servers end
    with a code of their own).
    """
    from harness.prepare.choose import chosen_target
    from harness.serve import JWT_SECRET
    from harness.serve.foreground import become_server, check_free, run_server
    from harness.serve.servers import Bind, command_of
    from harness.serve.services import VARIABLES, needs_of, services
    from harness.verify import endpoints_of

    chosen, bind = chosen_target(target), Bind(host, port)
    command_of(chosen, bind)
    check_free(host, port)
    os.environ[JWT_SECRET] = os.environ.get(JWT_SECRET) or secrets.token_hex(32)
    needs = {need: VARIABLES[need] for need in sorted(needs_of(endpoints_of(chosen)))}
    missing = [need for need, variable in needs.items() if not os.environ.get(variable)]
    if not missing:
        _announce(chosen, host, port, needs, os.environ)
        become_server(chosen, bind)
    with services(missing) as around:
        _announce(chosen, host, port, needs, {**os.environ, **around.environment})
        run_server(chosen, bind, around.environment)


def _announce(target: Target, host: str, port: int, needs: Mapping[Need, str], environment: Mapping[str, str]) -> None:
    """Says on stderr where everything is."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    url = f"http://{shown}:{port}"
    lines = [f"{target.name} ({target.server}, {target.interface}) on {url}"]
    if "*" in target.endpoints and "docs" not in target.lacks:
        lines.append(f"  documentation  {url}/docs  {url}/redoc")
    for need, variable in needs.items():
        where = f"from {variable}" if os.environ.get(variable) else "started for it, ends with it"
        lines.append(f"  {need:<13}  {_without_password(environment[variable])}  ({where})")
    sys.stderr.write("\n".join([*lines, "  Ctrl-C ends it", ""]))


def _without_password(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    user, at, place = rest.rpartition("@")
    return f"{scheme}{mark}{user.partition(':')[0]}{at}{place}"
