"""A small process that ends servers when the process that started them is gone, for whatever reason.

The process, ``guard.py FD``, reads lines ``+PGID MARK``, ``-PGID``, ``+/FOLDER`` and ``-/FOLDER``; at the end
of the pipe it kills every process group that is still on its list, with all its descendants, removes the folders, and
exits.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

MARK = "HARNESS_SERVER"
ROUNDS = 50
REMOVAL_TRIES = 50
_PAUSE_S = 0.02
_RETRY_S = 0.1


class Guard(contextlib.AbstractContextManager["Guard"]):
    """Owns the guarding process: ``start`` and ``end`` processes, ``add`` and ``remove`` what else is to be removed."""

    def __init__(self) -> None:
        reading, self._writing = os.pipe()
        try:
            self._process = subprocess.Popen(
                # By its path: it needs nothing else of this package, which would take a second to import.
                [sys.executable, "-P", __file__, str(reading)],
                pass_fds=[reading],
                start_new_session=True,
                stdin=subprocess.DEVNULL,
            )
        finally:
            os.close(reading)

    def start(self, command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        """A process without input in a group of its own; ``options`` are those of ``Popen``."""
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **options)
        self.add(process.pid)
        return process

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """Kills a process that was started here, with all its descendants."""
        kill_trees({process.pid: ""})
        process.wait()
        self.remove(process.pid)

    def add(self, what: int | Path, mark: str = "") -> None:
        """A process group, or an absolute path of a folder of temporary data.

        ``mark`` is the value of the variable ``MARK`` in the environment of the group's first process.
        """
        self._send(f"+{what} {mark}\n" if mark else f"+{what}\n")

    def remove(self, what: int | Path) -> None:
        self._send(f"-{what}\n")

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        os.close(self._writing)
        self._process.wait()

    def _send(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(self._writing, line.encode())


def kill_trees(groups: Mapping[int, str], family: Sequence[psutil.Process] = ()) -> None:
    """SIGKILL to process groups, to descendants of their leaders, to all that carries their marks, and to ``family``.

    A process that left its group and whose parents are gone is found by its environment alone. What is killed may have
    forked meanwhile, so it is looked for until nothing is left.
    """
    marks = set(groups.values()) - {""}
    doomed = [*family, *(process for group in groups for process in descendants(group))]
    for _ in range(ROUNDS):
        for group in groups:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        for process in doomed:
            with contextlib.suppress(psutil.Error):
                process.kill()
        doomed = [*(process for group in groups for process in descendants(group)), *_marked(marks)]
        if not doomed:
            return
        time.sleep(_PAUSE_S)


def descendants(leader: int) -> list[psutil.Process]:
    """The living descendants of ``leader``."""
    try:
        return [child for child in psutil.Process(leader).children(recursive=True) if _lives(child)]
    except psutil.Error:
        return []


def _marked(marks: set[str]) -> list[psutil.Process]:
    processes = []
    for process in psutil.process_iter() if marks else ():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) in marks and _lives(process):
                processes.append(process)
    return processes


def _lives(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def main(descriptor: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    folders: set[str] = set()
    groups: dict[int, str] = {}
    with os.fdopen(descriptor) as lines:
        for line in lines:
            added, what = line[0] == "+", line[1:].rstrip("\n")
            group, _, mark = what.partition(" ")
            if what.startswith("/"):
                (folders.add if added else folders.discard)(what)
            elif added:
                groups[int(group)] = mark
            else:
                groups.pop(int(group), None)
    kill_trees(groups)
    for folder in folders:
        # Processes that were just killed may still be writing there.
        for _ in range(REMOVAL_TRIES):
            shutil.rmtree(folder, ignore_errors=True)
            if not os.path.lexists(folder):
                break
            time.sleep(_RETRY_S)


if __name__ == "__main__":
    main(int(sys.argv[1]))
