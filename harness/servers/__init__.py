"""One small module per server: what a target becomes as an argument list and an environment. Pure; starts nothing."""

from harness.servers.registry import SERVERS, accepted_values, command_of, interface_of, load_server, options_of
from harness.servers.spec import Bind, Command, Server

__all__ = [
    "SERVERS",
    "Bind",
    "Command",
    "Server",
    "accepted_values",
    "command_of",
    "interface_of",
    "load_server",
    "options_of",
]
