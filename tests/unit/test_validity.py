from dataclasses import replace

import numpy as np
import pytest

from harness.load.spec import Address, SideOutcome, SideSpec, SlotMeasurement
from harness.model import Slices
from harness.validity import examine, transient

SIDE = SideSpec("a", "json@10", Address(), (), 10, slice_s=0.1)
QUIET = {"steal": 0.0, "foreign": 0.01}


def measured(n=4, *, inside=None, replies=100, errors=None, fatal="", cpu=0.09, generator=0.02, foreign=0.0, wait=0.0):
    """Slices of 0.1 s and a drain of 10 ms; ``inside``: a reply's mean seconds, by default those of Little's law."""
    counts = replies if isinstance(replies, tuple) else (replies,) * n
    slices = Slices(
        tuple(range(n)), (0,) * n, tuple(0.11 * k for k in range(n)), (0.1,) * n, (0.09,) * n, (0.01,) * n,
        counts, counts, (0,) * n, (0,) * n, (cpu,) * n, (generator,) * n, (foreign,) * n,
    )  # fmt: skip
    times = [np.full(count, inside or 10 * 0.105 / count) * 1e6 for count in counts]
    index = np.repeat(np.arange(n), counts).astype(np.int32)
    examples = dict.fromkeys(errors or {}, "as it was")
    outcome = SideOutcome(np.concatenate(times), index, errors or {}, examples, fatal)
    return SlotMeasurement("s", n * 0.11, slices, (outcome,), n * generator, wait)


def fired(measurement, machine=QUIET, side=SIDE):
    return {gate.gate: gate for gate in examine([side], measurement, machine)}


def test_a_sound_slot_passes():
    assert fired(measured()) == {}


@pytest.mark.parametrize(
    ("measurement", "machine", "gate", "reason"),
    [
        (measured(), {"steal": 0.06}, "steal", "took 6.0% of the CPUs"),
        (measured(), {"throttled": 0.02}, "throttled", "stopped everything for 2.0%"),
        (measured(), {"foreign": 0.2}, "foreign-cpu", "used 20.0% of the server's CPU"),
        (measured(wait=0.1), QUIET, "generator-starved", "waited 22.7% of the time"),
        (measured(foreign=0.01), QUIET, "idle-target-busy", "while it was another's turn"),
        (measured(errors={"wrong-status": 3}), QUIET, "replies", "3 wrong-status (as it was)"),
        (measured(fatal="it died"), QUIET, "given-up", "it died"),
        (measured(generator=0.1, cpu=0.05), QUIET, "generator-bound", "generator at 91% of its CPU"),
        (measured(inside=0.005), QUIET, "littles-law", "off by -"),
        (measured(inside=0.02), QUIET, "littles-law", "off by +"),
        (measured(8, replies=(100,) * 4 + (40,) * 4), QUIET, "unsteady", "changed by -60%"),
    ],
)
def test_each_gate_fires_for_its_reason(measurement, machine, gate, reason):
    found = fired(measurement, machine)
    assert set(found) == {gate}
    assert reason in found[gate].reason
    assert found[gate].fatal


def in_turn(*replies):
    """The gates of a slot of as many sides as there are series of replies, which take turns."""
    counts = tuple(count for each_round in zip(*replies, strict=True) for count in each_round)
    whole = measured(len(counts), replies=counts)
    index = np.tile(np.arange(len(replies)), len(replies[0]))
    [joint] = whole.sides
    outcomes = []
    for number in range(len(replies)):
        mine = index[joint.slice_index] == number
        times, slices = joint.service_time_us[mine], joint.slice_index[mine]
        outcomes.append(replace(joint, service_time_us=times, slice_index=slices))
    whole = replace(whole, slices=replace(whole.slices, side=tuple(index)), sides=tuple(outcomes))
    sides = [replace(SIDE, target=f"t{number}") for number in range(len(replies))]
    return [(gate.gate, gate.target) for gate in examine(sides, whole, QUIET)]


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
    assert examine([SIDE], sound, QUIET, {10: 1_700.0}) == ()
    assert examine([SIDE], sound, QUIET, {11: 1.0}) == ()
    [gate] = examine([SIDE], sound, QUIET, {10: 1_600.0})
    assert (gate.gate, gate.fatal) == ("generator-bound", True)
    assert "only 1.44 times as fast" in gate.reason


@pytest.mark.parametrize(("idle", "fires"), [(0.05, False), (0.07, True)])
def test_very_many_idle_servers_may_take_what_their_timers_do(idle, fires):
    one = measured(foreign=idle * 0.11)
    sides = [replace(SIDE, target=f"t{number}") for number in range(60)]
    gates = examine(sides, replace(one, sides=one.sides * len(sides)), QUIET)
    assert ("idle-target-busy" in {gate.gate for gate in gates}) == fires


def test_staggered_sends_are_allowed_for():
    side = SideSpec("a", "io@10", Address(), (), 10, slice_s=0.1, stagger_s=0.02)
    assert fired(measured(inside=10 * 0.092 / 100), side=side) == {}
    assert "littles-law" in fired(measured(inside=10 * 0.092 / 100))


def test_only_what_the_machine_did_and_what_may_settle_is_worth_another_try():
    assert transient(examine([SIDE], measured(8, replies=(100,) * 4 + (40,) * 4), QUIET))
    assert transient(examine([SIDE], measured(), {"foreign": 0.2}))
    assert not transient(examine([SIDE], measured(errors={"reset": 1}), QUIET))
    assert not transient(())
