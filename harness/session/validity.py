"""The gates that a window must pass; each that fires is a value with its ``Reason``. Pure.

No gate looks at the values that it guards: it reads error counts, the generator's and the machine's load, whether the
books balance and whether waits were waited, never how a side's level compares with another's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from harness.engine import soundness
from harness.engine.spec import SideOutcome, SideSpec, SlicesResult
from harness.model import Gate, Plan, Reason, Side, WindowRecord, times_only

GENERATOR_LIMIT = 0.75
SERVER_LIMITED = 0.90
LITTLE_TOLERANCE = 0.02
IDLE_LIMIT = 0.03
IDLE_EACH = 0.002
"""Timers of an idle server take 0.07–0.12% of a CPU (9 servers up 0.75%, 68 up 4.7%, 82 up 8.2–10.2%), from every
other side alike: where very many are up, the limit is what twice as many idle ones take together.
"""
WAIT_LIMIT = 0.05
NULL_SERVER = 1.5
UNSTEADY = "unsteady"
NO_CEILINGS: Mapping[int, float] = MappingProxyType({})
STEADY_ROUNDS = 8
STEADY_CHANGE = 0.25

MACHINE_GATES = (
    ("steal", "steal", 0.05),
    ("throttled", "throttled", 0.01),
    ("foreign-cpu", "foreign", 0.03),
    ("upstream-busy", "upstream", 0.5),
)
"""Code, name of the share in a window's ``machine``, and its limit."""

PASSING = frozenset(
    {
        "steal",
        "throttled",
        "foreign-cpu",
        "generator-starved",
        "generator-late",
        "worker-lost",
        "no-worker",
        "idle-target-busy",
        "littles-law",
        UNSTEADY,
    }
)
"""Codes of gates that another try may pass: what disturbed it is over by then. Wrong replies would come again."""

Floats = npt.NDArray[np.float64]


def examine(
    sides: Sequence[SideSpec],
    measured: SlicesResult,
    ceilings: Mapping[int, float] = NO_CEILINGS,
) -> tuple[Gate, ...]:
    """The gates that fire for sides that took turns, but for those of the machine.

    Args:
        ceilings: concurrency → replies per second from a null server; a concurrency without one is not held against it.
    """
    gates = []
    if starved := _starved(measured):
        gates.append(starved)
    slices = measured.slices
    index = np.asarray(slices.side)
    idle = float(np.sum(slices.foreign_cpu)) / max(float(np.sum(slices.length) + np.sum(slices.drain)), 1e-9)
    limit = max(IDLE_LIMIT, IDLE_EACH * len({side.target for side in sides}))
    if idle > limit:
        gates.append(Gate(Reason("idle-target-busy", {"share": idle, "limit": limit})))
    rates = _rates(measured)
    alone = _beside_neighbours(index, rates)
    for number, (side, outcome) in enumerate(zip(sides, measured.sides, strict=True)):
        mine = np.flatnonzero(index == number)
        for found in (
            _replies(outcome),
            _generator(measured, mine),
            _near_the_ceiling(side, measured, mine, ceilings),
            _little(side, measured, outcome, mine),
            _early(side, outcome),
            _steady(rates[mine], alone[mine]),
        ):
            if found:
                gates.append(Gate(found, side.target, side.point))
    return tuple(gates)


def transient(gates: Iterable[Gate]) -> bool:
    """Whether another try may go better."""
    return any(gate.reason.code in PASSING for gate in gates)


def try_again(record: WindowRecord, plan: Plan, tries: int) -> bool:
    """Whether a window is worth another try, of ``tries`` in all.

    Where the plan compares CPU cost alone, gates that void only times are no reason for one.
    """
    timed = not plan.contrasts or any(contrast.metric != "cpu_cost" for contrast in plan.contrasts)
    return record.attempt + 1 < tries and transient(gate for gate in record.gates if timed or not times_only(gate))


def not_of_time(gates: Iterable[Gate]) -> tuple[Gate, ...]:
    """The gates that matter where no time is measured: neither what passes nor how busy the generator is."""
    return tuple(gate for gate in gates if gate.reason.code not in {*PASSING, "generator-bound"})


def machine_gates(machine: Mapping[str, float]) -> list[Gate]:
    """What the machine did beside the measurement."""
    return [
        Gate(Reason(code, {"share": machine[share], "limit": limit}))
        for code, share, limit in MACHINE_GATES
        if machine.get(share, 0.0) > limit
    ]


def ended(sides: Iterable[Side], pids: Mapping[str, Sequence[int]]) -> list[Gate]:
    """Sides of which processes ended meanwhile, by target: what was measured is not of the whole server."""
    return [
        Gate(Reason("process-ended", {"count": len(pids[side.target])}), side.target, side.point)
        for side in sides
        if side.target in pids
    ]


def _starved(measured: SlicesResult) -> Gate | None:
    """Others on the generator's CPU do not show in its own share of it, but in how long it was ready and not run."""
    share = measured.generator_wait / max(measured.duration_s, 1e-9)
    return Gate(Reason("generator-starved", {"wait": share})) if share > WAIT_LIMIT else None


def _replies(outcome: SideOutcome) -> Reason | None:
    if limit := soundness.machine_limit(outcome.errors):
        return limit
    if outcome.fatal:
        return outcome.fatal
    bad = {kind: count for kind, count in outcome.errors.items() if count and kind not in ("reconnects", "retries")}
    if not bad:
        return None
    example = next((text for kind, text in outcome.examples.items() if kind in bad), "")
    return Reason("errors", {"count": sum(bad.values()), "kinds": tuple(sorted(bad)), "example": example})


def _generator(measured: SlicesResult, mine: npt.NDArray[np.intp]) -> Reason | None:
    """The generator limits where it is nearly busy and the server is not."""
    if not len(mine):
        return None
    slices = measured.slices
    elapsed = np.asarray(slices.length)[mine] + np.asarray(slices.drain)[mine]
    generator = float(np.median(np.asarray(slices.generator_cpu)[mine] / elapsed))
    server = float(np.median(np.asarray(slices.cpu)[mine] / elapsed))
    if generator <= GENERATOR_LIMIT or server >= SERVER_LIMITED:
        return None
    return Reason("generator-bound", {"cpu": generator, "server": server})


def _near_the_ceiling(
    side: SideSpec, measured: SlicesResult, mine: npt.NDArray[np.intp], ceilings: Mapping[int, float]
) -> Reason | None:
    """A server nearly as fast as one that does nothing shows the generator's speed and not its own."""
    ceiling = ceilings.get(side.connections, 0.0)
    if not ceiling or not len(mine):
        return None
    slices = measured.slices
    rate = float(np.median(np.asarray(slices.window_replies)[mine] / np.asarray(slices.window)[mine]))
    if rate * NULL_SERVER <= ceiling:
        return None
    return Reason("null-server", {"times": ceiling / rate, "limit": NULL_SERVER})


def _little(side: SideSpec, measured: SlicesResult, outcome: SideOutcome, mine: npt.NDArray[np.intp]) -> Reason | None:
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
    share = spent / length if spent < length else spent / whole
    return Reason("littles-law", {"in_flight": share * side.connections, "expected": float(side.connections)})


def _early(side: SideSpec, outcome: SideOutcome) -> Reason | None:
    """Who answers before the wait is over that a request asks for, as the contract's cases say, does not wait."""
    return soundness.early(outcome.service_time_us, side.requests)


def _rates(measured: SlicesResult) -> Floats:
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


def _steady(rates: Floats, alone: Floats) -> Reason | None:
    """A trend over the window that is the side's own: the later half against the earlier, if there are enough slices.

    A machine that changes its speed does so to all who take turns, which their contrasts do not notice.
    """
    if len(rates) < STEADY_ROUNDS or not (_changed(rates) and _changed(alone)):
        return None
    return Reason(UNSTEADY, {"change": math.expm1(_change(rates))})


def _change(logs: Floats) -> float:
    half = len(logs) // 2
    return float(np.median(logs[-half:]) - np.median(logs[:half]))


def _changed(logs: Floats) -> bool:
    half = len(logs) // 2
    early, late = logs[:half], logs[-half:]
    separate = late.min() > early.max() or late.max() < early.min()
    return bool(separate and abs(math.expm1(_change(logs))) > STEADY_CHANGE)
