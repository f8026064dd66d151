"""Which interface an app has, asked of its own interpreter where its server gives no sound reply."""

from __future__ import annotations

import subprocess
import sys

from harness.errors import LaunchError
from harness.serve.server import Started, variables, working_folder
from harness.serve.servers import SERVERS, command_of, load_server
from harness.serve.servers.installed import answer

_ASK = """
import importlib, inspect, os, sys
sys.path.insert(0, os.getcwd())
module, _, name = sys.argv[1].partition(":")
app = importlib.import_module(module)
for part in name.split("."):
    app = getattr(app, part)
def takes(count):
    try:
        inspect.signature(app).bind(*range(count))
    except (TypeError, ValueError):
        return False
    return True
print({(True, False): "\\nwsgi", (False, True): "\\nasgi"}.get((takes(2), takes(3)), "\\nneither"))
"""
_ARTICLE = {"wsgi": "a WSGI", "asgi": "an ASGI"}


def check_interface(running: Started) -> None:
    """Raises ``LaunchError`` where the app is called in one way and takes another; where nobody can tell, nothing."""
    target = running.target
    application = "harness_app:app" if target.application.endswith(")") else target.application
    said = answer(
        [target.python or sys.executable, "-c", _ASK, application],
        stdin=subprocess.DEVNULL,
        env=variables(target, command_of(target, running.bind)),
        cwd=working_folder(target),
    )
    found = said.rpartition("\n")[2]
    if found not in _ARTICLE or target.interface not in _ARTICLE or found == target.interface:
        return
    servers = [name for name in SERVERS if found in load_server(name).interfaces]
    itself = f"{target.server} with interface={found}, or " if target.server in servers else ""
    others = ", ".join(name for name in servers if name != target.server)
    raise LaunchError(
        f"{target.name}: {target.application} is {_ARTICLE[found]} app, and {target.server} calls it as "
        f"{_ARTICLE[target.interface]} one",
        hint=f"serve it with {itself}{others}",
    )
