"""The engine's process: orders and answers, and that neither it nor its parent outlives the other unnoticed."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import psutil
import pytest

from harness.engine.engine import Engine
from harness.engine.spec import Address, LoadSpec, SideSpec, SlicesSpec
from harness.errors import EngineError

from .load_support import request
from .test_load_slices import server

pytestmark = pytest.mark.live


def load(port, **options):
    options = {"connections": 4, "duration_s": 0.3, "timeout_s": 2.0, "seed": 3} | options
    return LoadSpec(Address(port=port), (request(),), **options)


def slices(port, pid=0, budget_s=0.3):
    side = SideSpec("a", "p", Address(port=port), (request(),), 4, pid, slice_s=0.03, lead_in_s=0.005)
    return SlicesSpec((side,), 1, budget_s)


def wait_until(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def interrupt_soon(condition):
    """Sends this process a Ctrl-C once ``condition`` holds."""

    def go():
        wait_until(condition)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=go)
    thread.start()
    return thread


def test_one_process_carries_out_order_after_order_and_then_ends():
    cpu = min(os.sched_getaffinity(0))
    with server() as (port, pid), Engine((cpu,)) as engine:
        [child] = engine.pids
        measured = engine.run_slices(slices(port, pid))
        assert engine.pids == (child,)
        assert sum(measured.slices.replies) == len(measured.sides[0].service_time_us) > 0
        assert os.sched_getaffinity(child) == {cpu}
        answered = engine.run_load(load(port))
        assert engine.pids == (child,)
        assert answered.planned == answered.answered > 0
    assert gone(child)


def test_progress_is_told_while_a_slot_runs():
    told = []
    with server() as (port, pid), Engine() as engine:
        engine.run_slices(slices(port, pid, budget_s=1.0), told.append)
    assert told
    assert told[-1].replies > 0
    assert [progress.elapsed_s for progress in told] == sorted(progress.elapsed_s for progress in told)


def test_a_killed_process_is_an_engine_error_and_the_next_order_starts_another():
    with server() as (port, pid), Engine() as engine:
        engine.run_slices(slices(port, pid))
        [child] = engine.pids
        killer = threading.Timer(0.2, os.kill, (child, signal.SIGKILL))
        killer.start()
        with pytest.raises(EngineError, match="signal 9"):
            engine.run_slices(slices(port, pid, budget_s=30))
        killer.join()
        assert engine.run_load(load(port)).answered > 0


def test_a_fault_in_the_process_is_an_engine_error_with_its_reason():
    with Engine() as engine, pytest.raises(EngineError, match="weights") as caught:
        engine.run_load(replace(load(1), requests=(request(weight=-1), request())))
    assert "Traceback" in caught.value.hint


def test_the_process_ends_with_its_parent():
    code = (
        "from harness.engine.engine import Engine\n"
        "from harness.engine.spec import *\n"
        "engine = Engine()\n"
        "from apps.contract.case import get\n"
        "request = WireRequest(get('x', '/', {}), b'GET / HTTP/1.1\\r\\n\\r\\n')\n"
        "spec = LoadSpec(Address(port=1), (request,), 1, 60.0)\n"
        "engine.run_load(spec, lambda progress: print(engine.pids[0], flush=True))\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        child = int(parent.stdout.readline())
        assert not gone(child)
        parent.kill()
    wait_until(lambda: gone(child))


def test_ctrl_c_ends_a_load_with_what_was_measured():
    with server() as (port, _), Engine() as engine:
        engine.run_load(load(port, duration_s=0.05))
        told = []
        thread = interrupt_soon(lambda: told)
        measured = engine.run_load(load(port, duration_s=60.0), told.append)
        thread.join()
        assert measured.interrupted
        assert measured.answered > 0
        assert 0 < measured.duration_s < 60
        assert measured.planned == measured.answered + measured.failed + measured.unfinished
        assert not engine.run_load(load(port)).interrupted


def test_ctrl_c_in_a_slot_ends_the_process():
    with server() as (port, pid), Engine() as engine:
        told = []
        thread = interrupt_soon(lambda: told)
        with pytest.raises(KeyboardInterrupt):
            engine.run_slices(slices(port, pid, budget_s=60), told.append)
        thread.join()
        assert engine.pids == ()
