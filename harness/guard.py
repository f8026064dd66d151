"""A small process that ends servers when the process that started them is gone, however it went.

``python -m harness.guard FD`` reads lines ``+PGID`` and ``-PGID``; at the end of the pipe it kills every process group
that is still on its list, with all their descendants, and exits.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

import psutil


class Guard:
    """Owns the guarding process; ``add`` and ``remove`` process groups, ``close`` when done."""

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

    def add(self, group: int) -> None:
        self._tell(f"+{group}\n")

    def remove(self, group: int) -> None:
        self._tell(f"-{group}\n")

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


def main(descriptor: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    groups: set[int] = set()
    with os.fdopen(descriptor) as lines:
        for line in lines:
            (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    for group in groups:
        kill_tree(group)


if __name__ == "__main__":
    main(int(sys.argv[1]))
