import math
from dataclasses import replace

import numpy as np
import pytest

from harness.engine.spec import Address, SideOutcome, SideSpec, SlicesResult, WireRequest
from harness.model import Gate, Reason, Slices
from harness.session.validity import examine, machine_gates, transient

from .load_support import case

SIDE = SideSpec("a", "json@10", Address(), (), 10, slice_s=0.1)
QUIET = {"steal": 0.0, "foreign": 0.01}


def measured(
    n=4, *, inside=None, replies=100, errors=None, fatal=None, cpu=0.09, generator=0.02, foreign=0.0, wait=0.0
):
    """Slices of 0.1 s and a drain of 10 ms; ``inside``: a reply's mean seconds, by default those of Little's law."""
    counts = replies if isinstance(replies, tuple) else (replies,) * n
    slices = Slices(
        tuple(range(n)), (0,) * n, tuple(0.11 * k for k in range(n)), (0.1,) * n, (0.09,) * n, (0.01,) * n,
        counts, counts, (0,) * n, (0,) * n, (cpu,) * n, (generator,) * n, (foreign,) * n,
    )  # fmt: skip
    times = [np.full(count, inside or 10 * 0.105 / count) * 1e6 for count in counts]
    examples = dict.fromkeys(errors or {}, "as it was")
    outcome = SideOutcome(np.concatenate(times), errors or {}, examples, fatal)
    return SlicesResult(n * 0.11, slices, (outcome,), n * generator, wait)


def fired(measurement, machine=QUIET, side=SIDE):
    return {gate.reason.code: gate.reason for gate in (*machine_gates(machine), *examine([side], measurement))}


def test_a_sound_slot_passes():
    assert fired(measured()) == {}


@pytest.mark.parametrize(
    ("measurement", "machine", "gate", "fields"),
    [
        (measured(), {"steal": 0.06}, "steal", {"share": 0.06, "limit": 0.05}),
        (measured(), {"throttled": 0.02}, "throttled", {"share": 0.02, "limit": 0.01}),
        (measured(), {"foreign": 0.2}, "foreign-cpu", {"share": 0.2, "limit": 0.03}),
        (measured(wait=0.1), QUIET, "generator-starved", {"wait": 0.227}),
        (measured(foreign=0.01), QUIET, "idle-target-busy", {"share": 0.09, "limit": 0.03}),
        (
            measured(errors={"wrong-status": 3}),
            QUIET,
            "errors",
            {"count": 3, "kinds": ("wrong-status",), "example": "as it was"},
        ),
        (measured(fatal=Reason("process-ended", {"count": 1})), QUIET, "process-ended", {"count": 1}),
        (measured(generator=0.1, cpu=0.05), QUIET, "generator-bound", {"cpu": 0.91}),
        (measured(generator=0.1, cpu=math.nan), QUIET, "generator-bound", {"cpu": 0.91}),
        (measured(inside=0.005), QUIET, "littles-law", {"in_flight": 5.0, "expected": 10.0}),
        (measured(inside=0.02), QUIET, "littles-law", {"in_flight": 19.0, "expected": 10.0}),
        (measured(8, replies=(100,) * 4 + (40,) * 4), QUIET, "unsteady", {"change": -0.6}),
    ],
)
def test_each_gate_fires_for_its_reason(measurement, machine, gate, fields):
    found = fired(measurement, machine)
    assert set(found) == {gate}
    assert found[gate].fields == {
        name: pytest.approx(value, rel=0.1) if isinstance(value, float) else value for name, value in fields.items()
    }


def in_turn(*replies):
    """The gates of a window of as many sides as there are series of replies, which take turns."""
    counts = tuple(count for each_round in zip(*replies, strict=True) for count in each_round)
    whole = measured(len(counts), replies=counts)
    index = np.tile(np.arange(len(replies)), len(replies[0]))
    [joint] = whole.sides
    side_of = np.repeat(index, counts)
    outcomes = [
        replace(joint, service_time_us=joint.service_time_us[side_of == number]) for number in range(len(replies))
    ]
    whole = replace(whole, slices=replace(whole.slices, side=tuple(index)), sides=tuple(outcomes))
    sides = [replace(SIDE, target=f"t{number}") for number in range(len(replies))]
    return [(gate.reason.code, gate.target) for gate in examine(sides, whole)]


def test_a_machine_that_changes_its_speed_leaves_those_who_take_turns_comparable():
    assert in_turn((100,) * 4 + (40,) * 4, (200,) * 4 + (80,) * 4, (50,) * 4 + (20,) * 4) == []


def test_a_side_that_changes_by_itself_is_the_one_named():
    assert in_turn((100,) * 8, (200,) * 4 + (80,) * 4, (50,) * 8) == [("unsteady", "t1")]


def test_a_side_that_warms_up_is_seen_on_a_machine_that_slows_down():
    assert ("unsteady", "t0") in in_turn((30,) * 4 + (100,) * 4, (100,) * 4 + (70,) * 4, (100,) * 4 + (70,) * 4)


def test_a_saturated_server_beside_a_busy_generator_is_no_fault():
    assert fired(measured(generator=0.1, cpu=0.105)) == {}


def test_a_server_nearly_as_fast_as_none_shows_the_generators_speed():
    sound = measured()
    assert examine([SIDE], sound, {10: 1_700.0}) == ()
    assert examine([SIDE], sound, {11: 1.0}) == ()
    [gate] = examine([SIDE], sound, {10: 1_600.0})
    assert gate.reason == Reason("null-server", {"times": pytest.approx(1.44, abs=0.01), "limit": 1.5})


@pytest.mark.parametrize(("idle", "fires"), [(0.11, False), (0.13, True)])
def test_very_many_idle_servers_may_take_what_their_timers_do(idle, fires):
    one = measured(foreign=idle * 0.11)
    sides = [replace(SIDE, target=f"t{number}") for number in range(60)]
    gates = examine(sides, replace(one, sides=one.sides * len(sides)))
    assert ("idle-target-busy" in {gate.reason.code for gate in gates}) == fires


@pytest.mark.parametrize(("least_s", "fires"), [(0.0105, False), (0.0115, False), (0.012, True), (0.02, True)])
def test_replies_that_come_before_their_wait_is_over_refuse_the_slot(least_s, fires):
    """Ten connections and 100 replies in 0.105 s: each took 10.5 ms, and may be 1 ms early."""
    side = replace(SIDE, requests=(WireRequest(case(least_ms=1000 * least_s), b""),))
    found = fired(measured(), side=side)
    assert ("early" in found) == fires
    if fires:
        assert found["early"].fields["wait_ms"] == pytest.approx(least_s * 1000)
        assert not transient([Gate(reason) for reason in found.values()])


def test_staggered_sends_are_allowed_for():
    side = SideSpec("a", "io@10", Address(), (), 10, slice_s=0.1, stagger_s=0.02)
    assert fired(measured(inside=10 * 0.092 / 100), side=side) == {}
    assert "littles-law" in fired(measured(inside=10 * 0.092 / 100))


def test_only_what_the_machine_did_and_what_may_settle_is_worth_another_try():
    assert transient(examine([SIDE], measured(8, replies=(100,) * 4 + (40,) * 4)))
    assert transient(machine_gates({"foreign": 0.2}))
    assert not transient(examine([SIDE], measured(errors={"reset": 1})))
    assert not transient(())
