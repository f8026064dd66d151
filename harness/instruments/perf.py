"""Linux's perf events: instructions that the CPU itself counts, at full speed and with the kernel's work."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.errors import NotReadyError
from harness.instruments.callgrind import Counts

_SYSCALLS = {"x86_64": 298, "aarch64": 241, "riscv64": 241, "ppc64le": 319, "s390x": 331}
_ATTRIBUTES = struct.Struct("=IIQQQQQIIQ")
"""The first version of ``struct perf_event_attr``, which every kernel takes."""
_INHERIT, _PINNED, _EXCLUDE_HV = 1 << 1, 1 << 2, 1 << 6
INSTRUCTIONS = (0, 1)
"""``PERF_TYPE_HARDWARE`` and ``PERF_COUNT_HW_INSTRUCTIONS``."""


class PerfEvents:
    """Counts the processes of one server with all their threads, and those that they start.

    Args:
        folder: as of ``Callgrind``; nothing is written to it.
        event: type and number, as in ``perf_event_open(2)``.
    """

    name = "perf_event"
    times = 20
    prefix: tuple[str, ...] = ()

    def __init__(self, folder: Path, event: tuple[int, int] = INSTRUCTIONS) -> None:
        self._event, self._files, self._before = event, list[int](), 0

    @staticmethod
    def unavailable(event: tuple[int, int] = INSTRUCTIONS) -> str:
        """Why nothing can be counted this way here; empty where it can."""
        try:
            os.close(_open(event, 0))
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM):
                return "perf_event_open is not allowed (kernel.perf_event_paranoid must be 1 or less)"
            return f"perf_event_open: {error.strerror}: this CPU or kernel counts no instructions"
        return ""

    async def begin(self, pids: Sequence[int]) -> None:
        """Counts these processes from now on.

        Raises:
            NotReadyError: one of them cannot be counted.
        """
        for pid in pids:
            for thread in os.listdir(f"/proc/{pid}/task"):
                try:
                    self._files.append(_open(self._event, int(thread)))
                except OSError as error:
                    raise NotReadyError(f"process {pid} cannot be counted: {error.strerror}") from None

    async def read(self) -> Callable[[], Counts]:
        """What was executed since the last call, as one function: the CPU counts no details."""
        values = [os.read(file, 8) for file in self._files]
        if not all(values):
            raise NotReadyError("other programs use the CPU's counters")
        total = sum(int.from_bytes(value, "little" if struct.pack("=H", 1)[0] else "big") for value in values)
        count, self._before = total - self._before, total
        return lambda: Counts(Counter({("server and kernel", ""): count}))

    def close(self) -> None:
        for file in self._files:
            os.close(file)
        self._files.clear()


def _open(event: tuple[int, int], thread: int) -> int:
    """A counter of a thread and of all that it starts; 0 is the caller. Raises ``OSError``."""
    if platform.system() != "Linux" or platform.machine() not in _SYSCALLS:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    kind, number = event
    flags = _INHERIT | _PINNED | _EXCLUDE_HV
    attributes = _ATTRIBUTES.pack(kind, _ATTRIBUTES.size, number, 0, 0, 0, flags, 0, 0, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    cloexec = 8
    file: int = libc.syscall(
        ctypes.c_long(_SYSCALLS[platform.machine()]), attributes, thread, -1, -1, ctypes.c_ulong(cloexec)
    )
    if file < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return file
