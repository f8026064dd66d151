"""One small module per server: what a target becomes as an argument list and an environment. Pure; starts nothing."""

from harness.servers.installed import extra_of, how_to_install, version_of
from harness.servers.registry import (
    SERVERS,
    accepted_values,
    backlog_of,
    command_of,
    interface_of,
    load_server,
    missing_for,
)
from harness.servers.spec import Bind, Command, Server

__all__ = [
    "SERVERS",
    "Bind",
    "Command",
    "Server",
    "accepted_values",
    "backlog_of",
    "command_of",
    "extra_of",
    "how_to_install",
    "interface_of",
    "load_server",
    "missing_for",
    "version_of",
]
