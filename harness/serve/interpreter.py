"""What a server's interpreter says: whether it has its lock, the GIL, and which interface an app has."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

from harness.errors import LaunchError
from harness.model import Reason
from harness.serve.server import Running, Started, variables, working_folder
from harness.serve.servers import SERVERS, command_of, load_server
from harness.serve.servers.installed import answer

_STATE = """import sys, sysconfig
free = sysconfig.get_config_var("Py_GIL_DISABLED")
print(("on" if sys._is_gil_enabled() else "off") if free else "always")"""
_TURNED_ON = re.compile(r"lock \(GIL\) has been enabled to load module '([^']+)'")
SETTING = "PYTHON_GIL"
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
"""Whether the interpreter that ``harness`` runs in can do without."""
_INTERFACE = """
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


def gil_state(running: Running) -> Reason | None:
    """Whether the server's interpreter has its lock; ``None`` where it always does, or where this is unknown."""
    if not running.pid:
        return None
    state = _output_of(running, _STATE, folder=Path(os.sep))
    return gil_reason(running.target.name, state, running.log_file.read_text("utf-8", "replace"))


def gil_reason(name: str, state: str, log: str) -> Reason | None:
    """The reason for the state of the lock, from the state at the interpreter's start and the server's log.

    A module that was not made for free threads turns the lock on when it is imported, and Python says so.
    """
    if state not in ("on", "off"):
        return None
    module = _TURNED_ON.search(log)
    if state == "off" and not module:
        return Reason("gil-off", {"target": name})
    return Reason("gil-on", {"target": name, "by": module[1] if module else SETTING})


def check_interface(running: Started) -> None:
    """Raises ``LaunchError`` where the server calls the app in another way than the app takes, as far as is known.

    Called where the server does not reply as expected.
    """
    target = running.target
    application = "harness_app:app" if target.application.endswith(")") else target.application
    actual = _output_of(running, _INTERFACE, application, folder=working_folder(target)).rpartition("\n")[2]
    if actual not in _ARTICLE or target.interface not in _ARTICLE or actual == target.interface:
        return
    servers = [name for name in SERVERS if actual in load_server(name).interfaces]
    itself = f"{target.server} with interface={actual}, or " if target.server in servers else ""
    others = ", ".join(name for name in servers if name != target.server)
    raise LaunchError(
        f"{target.name}: {target.application} is {_ARTICLE[actual]} app, and {target.server} calls it as "
        f"{_ARTICLE[target.interface]} one",
        hint=f"serve it with {itself}{others}",
    )


def _output_of(running: Running, code: str, *arguments: str, folder: Path) -> str:
    """What a small program prints under the server's interpreter and variables."""
    target = running.target
    command, launch = [target.python or sys.executable, "-c", code, *arguments], command_of(target, running.bind)
    return answer(command, stdin=subprocess.DEVNULL, env=variables(target, launch), cwd=folder)
