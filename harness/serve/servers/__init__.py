"""One small module per server: what a target becomes as an argument list and an environment. Pure; starts nothing."""

from harness.serve.servers.installed import (
    extra_of as extra_of,
    how_to_install as how_to_install,
    version_of as version_of,
)
from harness.serve.servers.registry import (
    SERVERS as SERVERS,
    accepted_values as accepted_values,
    command_of as command_of,
    interface_of as interface_of,
    load_server as load_server,
    missing_for as missing_for,
    needed_by as needed_by,
    resolved as resolved,
)
from harness.serve.servers.spec import (
    Bind as Bind,
    Command as Command,
    Server as Server,
)
