"""One small module per server: what a target becomes as an argument list and an environment. Pure; starts nothing."""

from harness.servers.registry import SERVERS, command_of, interface_of, load_server
from harness.servers.spec import Bind, Command, Server

__all__ = ["SERVERS", "Bind", "Command", "Server", "command_of", "interface_of", "load_server"]
