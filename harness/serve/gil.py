"""Whether a free-threaded interpreter serves without its lock, the GIL."""

from __future__ import annotations

import os
import re
import sys
import sysconfig

from harness.model import Reason
from harness.serve.server import Running, variables
from harness.serve.servers import command_of
from harness.serve.servers.installed import answer

_STATE = """import sys, sysconfig
free = sysconfig.get_config_var("Py_GIL_DISABLED")
print(("on" if sys._is_gil_enabled() else "off") if free else "always")"""
_TURNED_ON = re.compile(r"lock \(GIL\) has been enabled to load module '([^']+)'")
SETTING = "PYTHON_GIL"
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
"""Whether the interpreter that ``harness`` runs in can do without."""


def gil_state(running: Running) -> Reason | None:
    """Whether the server's interpreter has its lock; nothing where it always does, or the server is not seen."""
    if not running.pid:
        return None
    target = running.target
    given = variables(target, command_of(target, running.bind))
    state = answer([target.python or sys.executable, "-c", _STATE], env=given, cwd=os.sep)
    return told(target.name, state, running.log_file.read_text("utf-8", "replace"))


def told(name: str, state: str, log: str) -> Reason | None:
    """What follows from the state at the interpreter's start, and from the log of the server that it runs.

    A module that was not made for free threads turns the lock on when it is imported, and Python says so.
    """
    if state not in ("on", "off"):
        return None
    module = _TURNED_ON.search(log)
    if state == "off" and not module:
        return Reason("gil-off", {"target": name})
    return Reason("gil-on", {"target": name, "by": module[1] if module else SETTING})
