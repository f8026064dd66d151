"""A small process that ends servers when the process that started them is gone, however it went.

``python -m harness.guard FD`` reads lines ``+PGID``, ``-PGID``, ``+/FOLDER`` and ``-/FOLDER``; at the end of the pipe
it kills every process group that is still on its list, with all their descendants, removes the folders, and exits.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

REMOVAL_TRIES = 50
_RETRY_S = 0.1


class Guard:
    """Owns the guarding process; ``add`` and ``remove`` process groups and folders, ``close`` when done."""

    def __init__(self) -> None:
        reading, self._writing = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "harness.guard", str(reading)],
                pass_fds=[reading],
                start_new_session=True,
                stdin=subprocess.DEVNULL,
            )
        finally:
            os.close(reading)

    def add(self, what: int | Path) -> None:
        """A process group, or an absolute path of a folder of passing data."""
        self._tell(f"+{what}\n")

    def remove(self, what: int | Path) -> None:
        self._tell(f"-{what}\n")

    def close(self) -> None:
        os.close(self._writing)
        self._process.wait()

    def _tell(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(self._writing, line.encode())


def kill_tree(group: int) -> None:
    """SIGKILL to the process group and to every descendant of its leader, also one that left the group."""
    with contextlib.suppress(psutil.Error):
        for process in psutil.Process(group).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                process.kill()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def remove_folder(folder: str) -> None:
    """With all that is in it; processes that were just killed may still be writing there."""
    for _ in range(REMOVAL_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.lexists(folder):
            return
        time.sleep(_RETRY_S)


def main(descriptor: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    left: dict[str, None] = {}
    with os.fdopen(descriptor) as lines:
        for line in lines:
            sign, what = line[0], line[1:].rstrip("\n")
            if sign == "+":
                left[what] = None
            else:
                left.pop(what, None)
    for what in left:
        if not what.startswith("/"):
            kill_tree(int(what))
    for what in left:
        if what.startswith("/"):
            remove_folder(what)


if __name__ == "__main__":
    main(int(sys.argv[1]))
