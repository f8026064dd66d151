"""Perf events, with the kernel's CPU clock in place of the CPU's counter, which virtual machines do not have."""

import asyncio
import errno
import os
import subprocess
import sys
import threading
import time

import pytest

from harness.errors import NotReadyError
from harness.instruments import counter_kind
from harness.instruments.callgrind import Callgrind
from harness.instruments.perf import PerfEvents

TASK_CLOCK = (1, 1)
"""Nanoseconds of CPU."""
countable = pytest.mark.skipif(bool(PerfEvents.unavailable(TASK_CLOCK)), reason="no perf events on this machine")


@countable
def test_threads_and_processes_to_come_are_counted_and_each_read_begins_anew(tmp_path):
    async def counted():
        counter = PerfEvents(tmp_path, TASK_CLOCK)
        try:
            await counter.begin([os.getpid()])
            thread = threading.Thread(target=spin, args=(0.2,))
            thread.start()
            thread.join()
            first = (await counter.read())().costs.total()
            subprocess.run([sys.executable, "-c", "import time\nwhile time.process_time() < 0.3: pass"], check=True)
            return first, (await counter.read())().costs.total(), (await counter.read())().costs.total()
        finally:
            counter.close()

    first, second, third = asyncio.run(counted())
    assert first >= 0.2e9
    assert second >= 0.3e9
    assert third < 0.2e9


def spin(seconds):
    began = time.thread_time()
    while time.thread_time() - began < seconds:
        pass


def test_a_process_that_is_gone_cannot_be_counted(tmp_path):
    counter = PerfEvents(tmp_path, (99, 1))
    with pytest.raises(NotReadyError, match="cannot be counted"):
        asyncio.run(counter.begin([os.getpid()]))


@pytest.mark.parametrize(
    ("code", "said"),
    [(errno.EACCES, "perf_event_paranoid"), (errno.ENOENT, "this CPU or kernel counts no instructions")],
)
def test_where_the_cpu_does_not_count_valgrind_does_and_the_reason_is_told(monkeypatch, code, said):
    def refused(event, thread):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("harness.instruments.perf._open", refused)
    monkeypatch.setattr(Callgrind, "available", lambda: True)
    kind, why = counter_kind()
    assert kind is Callgrind
    assert said in why


def test_where_the_cpu_counts_valgrind_is_not_needed(monkeypatch):
    monkeypatch.setattr(PerfEvents, "unavailable", lambda: "")
    monkeypatch.setattr(Callgrind, "available", lambda: False)
    assert counter_kind() == (PerfEvents, "")
    assert PerfEvents.prefix == ()
