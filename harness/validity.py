"""The gates that a slot must pass; each that fires is a value with its reason. Pure.

None of them looks at what it guards: a gate reads error counts, the generator's and the machine's load, and whether
the books balance, never how a side's level compares with another's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from harness.load.spec import SideOutcome, SideSpec, SlotMeasurement
from harness.model import Gate

GENERATOR_LIMIT = 0.75
SERVER_LIMITED = 0.90
LITTLE_TOLERANCE = 0.02
IDLE_LIMIT = 0.03
IDLE_EACH = 0.001
"""Timers of an idle server take 0.07–0.08% of a CPU (9 servers up 0.75%, 68 up 4.7%), from every other side alike:
where very many are up, the limit is what so many idle ones may take together.
"""
WAIT_LIMIT = 0.05
NULL_SERVER = 1.5
UNSTEADY = "unsteady"
NO_CEILINGS: Mapping[int, float] = MappingProxyType({})
STEADY_ROUNDS = 8
STEADY_CHANGE = 0.25

MACHINE_GATES = (
    ("steal", "steal", 0.05, "other guests of the host took {:.1%} of the CPUs"),
    ("throttled", "throttled", 0.01, "the CPU quota of the cgroup stopped everything for {:.1%} of the time"),
    ("foreign-cpu", "foreign", 0.03, "other processes used {:.1%} of the server's CPU"),
    ("upstream-busy", "upstream", 0.5, "the upstream service used {:.1%} of a CPU, and may be what limits"),
)
"""Gate, name of the share in a slot's ``machine``, its limit, and the reason."""

Floats = npt.NDArray[np.float64]


def examine(
    sides: Sequence[SideSpec],
    measured: SlotMeasurement,
    machine: Mapping[str, float],
    ceilings: Mapping[int, float] = NO_CEILINGS,
) -> tuple[Gate, ...]:
    """All gates that fire for a slot.

    Args:
        machine: shares: see ``MACHINE_GATES``.
        ceilings: concurrency → replies per second from a null server; a concurrency without one is not held against it.
    """
    gates = machine_gates(machine)
    if starved := _starved(measured):
        gates.append(starved)
    slices = measured.slices
    index = np.asarray(slices.side)
    idle = float(np.sum(slices.foreign_cpu)) / max(float(np.sum(slices.length) + np.sum(slices.drain)), 1e-9)
    limit = max(IDLE_LIMIT, IDLE_EACH * len({side.target for side in sides}))
    if idle > limit:
        reason = f"servers used {idle:.1%} of a CPU while it was another's turn (limit {limit:.0%})"
        gates.append(Gate("idle-target-busy", "", "", reason))
    rates = _rates(measured)
    alone = _beside_neighbours(index, rates)
    for number, (side, outcome) in enumerate(zip(sides, measured.sides, strict=True)):
        mine = np.flatnonzero(index == number)
        for found in (
            _replies(outcome),
            _generator(measured, mine),
            _near_the_ceiling(side, measured, mine, ceilings),
            _little(side, measured, outcome, mine),
            _steady(rates[mine], alone[mine]),
        ):
            if found:
                gate, reason, fatal = found
                gates.append(Gate(gate, side.target, side.point, reason, fatal))
    return tuple(gates)


def transient(gates: Sequence[Gate]) -> bool:
    """Whether another try may go better: what the machine did passes, what a server answers does not."""
    passing = (
        "steal",
        "throttled",
        "foreign-cpu",
        "generator-starved",
        "generator-late",
        "idle-target-busy",
        "littles-law",
        UNSTEADY,
    )
    return any(gate.fatal and gate.gate in passing for gate in gates)


def machine_gates(machine: Mapping[str, float]) -> list[Gate]:
    """What the machine did beside the measurement."""
    return [
        Gate(gate, "", "", f"{what.format(machine[share])} (limit {limit:.0%})")
        for gate, share, limit, what in MACHINE_GATES
        if machine.get(share, 0.0) > limit
    ]


def _starved(measured: SlotMeasurement) -> Gate | None:
    """Others on the generator's CPU do not show in its own share of it, but in how long it was ready and not run."""
    share = measured.generator_wait / max(measured.duration_s, 1e-9)
    if share <= WAIT_LIMIT:
        return None
    return Gate("generator-starved", "", "", f"the generator waited {share:.1%} of the time for its CPU")


def _replies(outcome: SideOutcome) -> tuple[str, str, bool] | None:
    if outcome.fatal:
        return ("given-up", outcome.fatal, True)
    bad = {kind: count for kind, count in outcome.errors.items() if count and kind not in ("reconnects", "retries")}
    if not bad:
        return None
    example = next((text for kind, text in outcome.examples.items() if kind in bad), "")
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(bad.items()))
    return ("replies", f"{listed}{f' ({example})' if example else ''}", True)


def _generator(measured: SlotMeasurement, mine: npt.NDArray[np.intp]) -> tuple[str, str, bool] | None:
    """The generator limits where it is nearly busy and the server is not."""
    if not len(mine):
        return None
    slices = measured.slices
    elapsed = np.asarray(slices.length)[mine] + np.asarray(slices.drain)[mine]
    generator = float(np.median(np.asarray(slices.generator_cpu)[mine] / elapsed))
    server = float(np.median(np.asarray(slices.cpu)[mine] / elapsed))
    if generator <= GENERATOR_LIMIT or server >= SERVER_LIMITED:
        return None
    return ("generator-bound", f"generator at {generator:.0%} of its CPU, the server only at {server:.0%}", True)


def _near_the_ceiling(
    side: SideSpec, measured: SlotMeasurement, mine: npt.NDArray[np.intp], ceilings: Mapping[int, float]
) -> tuple[str, str, bool] | None:
    """A server nearly as fast as one that does nothing shows the generator's speed and not its own."""
    ceiling = ceilings.get(side.connections, 0.0)
    if not ceiling or not len(mine):
        return None
    slices = measured.slices
    rate = float(np.median(np.asarray(slices.window_replies)[mine] / np.asarray(slices.window)[mine]))
    if rate * NULL_SERVER <= ceiling:
        return None
    return (
        "generator-bound",
        f"a null server answers only {ceiling / rate:.2f} times as fast (limit {NULL_SERVER:g} times)",
        True,
    )


def _little(
    side: SideSpec, measured: SlotMeasurement, outcome: SideOutcome, mine: npt.NDArray[np.intp]
) -> tuple[str, str, bool] | None:
    """Little's law over whole slices, which have no edges: the time that requests spent inside, summed, over the
    concurrency, lies between the slice's length and the length with its drain."""
    if not len(mine) or outcome.errors.get("timeout"):
        return None
    inside = np.bincount(outcome.slice_index, weights=outcome.service_time_us, minlength=len(measured.slices.side))
    spent = float(inside[mine].sum()) / 1e6 / side.connections
    length = float(np.asarray(measured.slices.length)[mine].sum()) - len(mine) * side.stagger_s / 2
    whole = length + len(mine) * side.stagger_s / 2 + float(np.asarray(measured.slices.drain)[mine].sum())
    if length * (1 - LITTLE_TOLERANCE) <= spent <= whole * (1 + LITTLE_TOLERANCE):
        return None
    off = (spent / length if spent < length else spent / whole) - 1
    return ("littles-law", f"time inside ÷ concurrency is off by {off:+.1%} (limit ±{LITTLE_TOLERANCE:.0%})", True)


def _rates(measured: SlotMeasurement) -> Floats:
    """ln replies per second of every slice, its drain included."""
    slices = measured.slices
    elapsed = np.asarray(slices.length) + np.asarray(slices.drain)
    return np.asarray(np.log(np.maximum(np.asarray(slices.replies), 0.5) / elapsed), dtype=float)


def _beside_neighbours(index: npt.NDArray[np.intp], rates: Floats) -> Floats:
    """The rates as distances from what the slices of other sides just before and after were, each from its own level.

    What the machine did to every side is not in them; where a side is alone it all is.
    """
    off = rates.copy()
    for side in np.unique(index):
        off[index == side] -= np.median(rates[index == side])
    places = np.arange(len(index))
    common = np.zeros(len(index))
    for side in np.unique(index):
        mine, others = index == side, index != side
        if others.any():
            common[mine] = np.interp(places[mine], places[others], off[others])
    return off - common


def _steady(rates: Floats, alone: Floats) -> tuple[str, str, bool] | None:
    """A trend over the slot that is the side's own: the later half against the earlier, if there are enough slices.

    A machine that changes its speed does so to all who take turns, which their contrasts do not notice.
    """
    if len(rates) < STEADY_ROUNDS or not (_changed(rates) and _changed(alone)):
        return None
    return (UNSTEADY, f"its rate changed by {math.expm1(_change(rates)):+.0%} within the slot", True)


def _change(logs: Floats) -> float:
    half = len(logs) // 2
    return float(np.median(logs[-half:]) - np.median(logs[:half]))


def _changed(logs: Floats) -> bool:
    half = len(logs) // 2
    early, late = logs[:half], logs[-half:]
    separate = late.min() > early.max() or late.max() < early.min()
    return bool(separate and abs(math.expm1(_change(logs))) > STEADY_CHANGE)
