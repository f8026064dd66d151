"""What the installed version of a server offers for an option, asked of the interpreter that will run it."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

_ASK = """
import importlib, json, sys
module, _, name = sys.argv[1].partition(":")
found = getattr(importlib.import_module(module), name)
print(json.dumps([str(getattr(value, "value", value)) for value in found]))
"""
_TIMEOUT_S = 30


@cache
def offered(where: str, python: str = "") -> tuple[str, ...]:
    """The values that the mapping or enumeration at the import string ``where`` holds; empty where it has none.

    A process of its own answers, so that no server is imported here, and that another environment's is asked itself.
    """
    try:
        done = subprocess.run(
            [python or sys.executable, "-c", _ASK, where], capture_output=True, text=True, timeout=_TIMEOUT_S
        )
        return tuple(json.loads(done.stdout)) if done.returncode == 0 else ()
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return ()
