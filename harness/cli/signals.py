"""Ctrl-C, SIGTERM and SIGHUP end a command in one way."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

LIMIT_S = 1.9
"""From a signal to the end of the command."""

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupted(KeyboardInterrupt):
    """A signal arrived, ``at`` a moment of ``time.monotonic()``."""

    def __init__(self) -> None:
        super().__init__()
        self.at = time.monotonic()


class OutOfTime(BaseException):
    """The command has to end. No error of an operation, and so not caught as one."""


@contextmanager
def interruptible() -> Iterator[Callable[[int], int]]:
    """The first signal raises ``KeyboardInterrupt`` in the command, the second ends the process at once.

    Yields a function that turns the command's exit code into 130, 143 or 129 after a signal.
    """
    received: list[int] = []
    terminals = [descriptor for descriptor in (1, 2) if os.isatty(descriptor)]

    def stop(number: int, frame: FrameType | None) -> None:
        if received:
            # Servers and folders are left to the guard, which outlives this process.
            os._exit(128 + number)
        received.append(number)
        if number == getattr(signal, "SIGHUP", 0):
            # Writing to a terminal that hung up is an error: it must not keep results from being saved.
            for descriptor in terminals:
                os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
        raise Interrupted

    # A signal that is ignored, as under nohup, stays ignored.
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield lambda code: 128 + received[0] if received else code
    finally:
        for number in SIGNALS:
            signal.signal(number, before[number])


@contextmanager
def time_left(interrupt: KeyboardInterrupt) -> Iterator[None]:
    """Ends the block with ``OutOfTime`` when the command has to end, as far as the system can do that."""
    left = LIMIT_S - (time.monotonic() - getattr(interrupt, "at", time.monotonic()))
    if not hasattr(signal, "setitimer"):
        yield
        return

    def late(number: int, frame: FrameType | None) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, max(left, 1e-3))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
