"""Alternating slices against small servers in processes of their own."""

import asyncio
import math
import os
import random
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from harness.engine.checks import ReplyCheck, endless, sequence
from harness.engine.clocks import ProcessGone, TreeClock, machine_delta, machine_sample
from harness.engine.closedloop import ClosedLoop
from harness.engine.slices import SETTLE_S, SETTLE_STEPS, SliceRunner, settled
from harness.engine.spec import Address, LoadSpec, SideSpec, SlicesSpec

from .load_support import CLOSE, HELLO, OK, request, run, scripted, serving

SERVER = """
import asyncio, os, sys, time
closes, dies_after, burn = sys.argv[1] == "close", int(sys.argv[2]), float(sys.argv[3])
reply = b'HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: 17\\r\\n'
reply += (b'Connection: close\\r\\n' if closes else b'') + b'\\r\\n{"hello":"world"}'
served = 0
async def handle(reader, writer):
    global served
    try:
        while await reader.readuntil(b"\\r\\n\\r\\n"):
            served += 1
            if served == dies_after:
                os._exit(1)
            until = time.perf_counter() + burn
            while time.perf_counter() < until:
                pass
            writer.write(reply)
            await writer.drain()
            if closes:
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()
async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@contextmanager
def server(kind="keep", dies_after=0, burn=0.0):
    """Yields the port and the pid."""
    arguments = [sys.executable, "-c", SERVER, kind, str(dies_after), str(burn)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
        try:
            yield int(process.stdout.readline()), process.pid
        finally:
            process.kill()


def side(port, pid=0, name="a", connections=4, **options):
    options = {"slice_s": 0.03, "lead_in_s": 0.005, "timeout_s": 2.0} | options
    return SideSpec(name, "p", Address(port=port), (request(expected=HELLO),), connections, pid, **options)


def measure(*sides, budget_s=0.5, **options):
    progress = []

    async def go():
        return await SliceRunner(SlicesSpec(sides, 7, budget_s, **options), progress.append, asyncio.Event()).run()

    return run(go()), progress


def test_sides_take_turns_and_each_slice_adds_up():
    with server() as (port, pid), server("close") as (other, other_pid):
        measured, progress = measure(side(port, pid), side(other, other_pid, "b"), budget_s=1.0)
    slices = measured.slices
    count = len(slices.round)
    assert count == 2 * (max(slices.round) + 1) >= 6
    assert {slices.side[index : index + 2] for index in range(0, count, 2)} <= {(0, 1), (1, 0)}
    assert progress
    for index in range(count):
        assert slices.replies[index] > 0
        assert slices.window_replies[index] <= slices.replies[index]
        assert slices.wrong[index] == slices.failed[index] == 0
        assert slices.length[index] >= 0.03 - 1e-6
        assert slices.window[index] == pytest.approx(slices.length[index] - 0.005, abs=1e-6)
        assert 0 < slices.cpu[index] < 5
        assert slices.foreign_cpu[index] >= 0
        assert slices.drain[index] >= 0
    assert sum(slices.window_replies) > 0
    assert list(slices.started) == sorted(slices.started)
    for number, outcome in enumerate(measured.sides):
        mine = [index for index in range(count) if slices.side[index] == number]
        assert not outcome.fatal
        assert len(outcome.service_time_us) == sum(slices.replies[index] for index in mine)
        assert (outcome.service_time_us > 0).all()
        assert not outcome.errors
    assert measured.generator_cpu > 0


def test_without_a_lead_in_all_replies_count_over_slice_and_drain():
    with server() as (port, pid):
        measured, _ = measure(side(port, pid, lead_in_s=0.0), budget_s=0.01, min_rounds=2)
    slices = measured.slices
    assert slices.window_replies == slices.replies
    for index in range(len(slices.round)):
        assert slices.window[index] == pytest.approx(slices.length[index] + slices.drain[index], abs=1e-6)


def test_the_order_follows_the_seed():
    with server() as (port, pid):
        sides = [side(port, pid, str(index), 1) for index in range(4)]
        orders = [measure(*sides, budget_s=0.01, min_rounds=2, warmup_rounds=0)[0].slices.side for _ in range(2)]
    rng = random.Random(7)
    assert orders[0] == orders[1] == tuple(rng.sample(range(4), 4) + rng.sample(range(4), 4))


def test_least_rounds_are_kept_without_budget():
    with server() as (port, pid):
        measured, _ = measure(side(port, pid), budget_s=0.001, min_rounds=4)
    assert len(measured.slices.round) == 4


def test_a_slow_side_gets_longer_slices():
    with server(burn=0.01) as (port, pid):
        measured, _ = measure(side(port, pid), budget_s=0.1, min_rounds=1)
    assert measured.slices.length[0] >= 0.19
    assert measured.slices.length[0] <= 2.0


def test_a_side_that_refuses_is_given_up_and_the_other_goes_on():
    with server() as (port, pid):
        measured, _ = measure(side(1, 0, "closed"), side(port, pid))
    assert measured.sides[0].fatal.fields["kind"] == "refused"
    assert measured.sides[0].errors["refused"] > 0
    assert set(measured.slices.side) == {1}
    assert not measured.sides[1].fatal


def test_wrong_replies_are_no_throughput_and_give_a_side_up():
    async def go():
        async with serving(scripted([OK.replace(b"200 OK", b"404 Not Found")])) as address:
            spec = SlicesSpec((side(address.port),), 1, 0.2, warmup_rounds=0)
            return await SliceRunner(spec, lambda progress: None, asyncio.Event()).run()

    measured = run(go())
    assert measured.sides[0].fatal.fields["kind"] == "wrong-status"
    assert measured.slices.replies == measured.slices.window_replies == (0,)
    assert measured.slices.wrong[0] == measured.sides[0].errors["wrong-status"] > 0
    assert math.isnan(measured.slices.cpu[0])
    assert len(measured.sides[0].service_time_us) == 0


def test_a_server_that_dies_midway_is_given_up_and_its_last_slice_is_not_recorded():
    with server(dies_after=20) as (port, pid), server() as (other, other_pid):
        measured, _ = measure(side(port, pid), side(other, other_pid, "b"), budget_s=1.0)
    assert measured.sides[0].fatal.code == "process-ended"
    assert "process-died" in measured.sides[0].errors
    assert not measured.sides[1].fatal
    mine = [index for index, number in enumerate(measured.slices.side) if number == 0]
    assert sum(measured.slices.replies[index] for index in mine) == len(measured.sides[0].service_time_us) <= 60


def test_a_server_that_hangs_ends_within_its_time_out():
    async def go():
        async with serving(scripted([OK], [3600.0])) as address:
            spec = SlicesSpec((side(address.port, timeout_s=0.3),), 1, 0.2)
            return await SliceRunner(spec, lambda progress: None, asyncio.Event()).run()

    started = time.monotonic()
    measured = run(go())
    assert time.monotonic() - started < 45
    assert measured.sides[0].fatal.fields["kind"] == "timeout"


def test_a_slot_can_be_stopped():
    async def go():
        async with serving(scripted([OK])) as address:
            stop = asyncio.Event()
            asyncio.get_running_loop().call_later(0.2, stop.set)
            return await SliceRunner(SlicesSpec((side(address.port),), 1, 600), lambda progress: None, stop).run()

    assert run(go()).duration_s < 60


def test_connections_are_kept_open_between_turns():
    handler = scripted([OK])

    async def go():
        async with serving(handler) as address:
            loop = ClosedLoop(LoadSpec(address, (request(),), 3, 0.0, timeout_s=2.0), 0)
            turns = [await loop.turn(0.02) for _ in range(4)]
            loop.close()
            return turns, loop.traffic

    turns, traffic = run(go())
    assert traffic.connects == handler.state["connections"] == 3
    assert all(turn.replies >= 3 for turn in turns)


def test_a_server_that_closes_gets_a_connection_per_request_and_none_that_idles():
    handler = scripted([OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1), CLOSE])

    async def go():
        async with serving(handler) as address:
            loop = ClosedLoop(LoadSpec(address, (request(),), 3, 0.0, timeout_s=2.0), 0)
            turn = await loop.turn(0.02)
            loop.close()
            return turn, loop.traffic

    turn, traffic = run(go())
    assert turn.failed == turn.wrong == 0
    assert traffic.connects == turn.replies == handler.state["connections"]


def test_staggered_sends_are_spread_over_the_wait():
    handler = scripted([OK])

    async def go():
        async with serving(handler) as address:
            loop = ClosedLoop(LoadSpec(address, (request(),), 4, 0.0, timeout_s=2.0), 0)
            turn = await loop.turn(0.2, stagger_s=0.1, phase=0.5)
            loop.close()
            return turn

    turn = run(go())
    firsts = sorted(end - service - turn.started for end, service in zip(turn.ends, turn.service, strict=True))
    assert firsts[0] >= 0
    assert max(firsts) >= 0.075
    assert turn.ended - turn.started >= 0.2


def test_mix_holds_the_weights_exactly_and_follows_the_seed():
    order = sequence([3, 1, 0, 2], 5)
    assert len(order) % 6 == 0
    assert [order.count(index) / len(order) for index in range(4)] == [3 / 6, 1 / 6, 0, 2 / 6]
    assert order == sequence([3, 1, 0, 2], 5) != sequence([3, 1, 0, 2], 6)
    with pytest.raises(ValueError, match="weights"):
        sequence([0, 0], 1)


def test_shares_of_a_mix_interleave_to_the_whole():
    requests = [request(name=str(index), weight=index + 1) for index in range(3)]
    checks = [ReplyCheck(item) for item in requests]
    whole = endless(checks, 9)
    parts = [endless(checks, 9, share, 2) for share in range(2)]
    assert [next(whole) for _ in range(3000)] == [next(parts[index % 2]) for index in range(3000)]


def test_the_tree_clock_counts_children_and_sees_them_end():
    code = "import subprocess,sys,time\nchild=subprocess.Popen([sys.executable,'-c','input()'],stdin=subprocess.PIPE)\n"
    code += "print(child.pid,flush=True)\ninput()\nchild.communicate()\nprint('ended',flush=True)\ninput()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            child = int(process.stdout.readline())
            clock = TreeClock(process.pid)
            assert set(clock.pids) == {process.pid, child}
            assert clock.cpu() > 0
            assert clock.memory_bytes() > 1_000_000
            process.stdin.write(b"\n")
            process.stdin.flush()
            process.stdout.readline()
            with pytest.raises(ProcessGone) as caught:
                clock.cpu()
            assert caught.value.pid == child
            assert clock.refresh() == (child,)
            assert clock.cpu() > 0
        finally:
            process.kill()
    clock.refresh()
    with pytest.raises(ProcessGone):
        clock.cpu()


def test_the_tree_clock_measures_cpu_and_not_time():
    clock = TreeClock(os.getpid())
    before, own = clock.cpu(), time.process_time()
    while time.process_time() < own + 0.05:
        pass
    assert clock.cpu() - before >= 0.05


def test_machine_shares_are_shares():
    before = machine_sample()
    delta = machine_delta(before, machine_sample())
    assert 0 <= delta.steal <= 1
    assert len(delta.busy) >= 1
    assert all(0 <= share <= 1 for share in delta.busy.values())
    assert machine_delta(before, before).steal == 0


@pytest.mark.parametrize(
    ("work_s", "slice_s", "at_least_s"),
    [
        pytest.param(0.0, 60.0, 0.0, id="none left"),
        pytest.param(0.06, 60.0, 0.06, id="more than the usual, and waited for"),
        pytest.param(math.inf, 0.1, 0.1, id="without end: as long as the slice"),
        pytest.param(math.inf, 0.001, SETTLE_STEPS * SETTLE_S, id="without end, a short slice"),
    ],
)
@pytest.mark.parametrize("tick_s", [0.0, 0.004], ids=["exact clock", "clock that moves every 4 ms"])
def test_what_a_slice_left_to_do_is_waited_for(work_s, slice_s, at_least_s, tick_s):
    began = time.perf_counter()

    class Busy:
        def cpu(self):
            spent = min(time.perf_counter() - began, work_s)
            return spent // tick_s * tick_s if tick_s and spent < work_s else spent

    asyncio.run(settled(Busy(), slice_s))
    assert at_least_s <= time.perf_counter() - began < at_least_s + 45
