"""The gates that a window must pass; each that fires is a value with its ``Reason``. Pure.

No gate looks at the values that it guards: it reads error counts, the generator's and the machine's load, whether
request counts add up and whether servers waited as asked, never how a side's level compares with another's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from harness.engine import soundness
from harness.engine.spec import SideOutcome, SideSpec, SlicesResult
from harness.model import Gate, Plan, Reason, Side, Slices, WindowRecord, times_only

SERVER_LIMITED = 0.90
LITTLE_TOLERANCE = 0.02
IDLE_LIMIT = 0.03
IDLE_EACH = 0.002
"""Timers of an idle server take 0.07–0.12% of a CPU (9 servers up 0.75%, 68 up 4.7%, 82 up 8.2–10.2%), from every
other side alike: where very many are up, the limit is what twice as many idle ones take together.
"""
NULL_SERVER = 1.5
UNSTEADY = "unsteady"
STEADY_ROUNDS = 8
STEADY_CHANGE = 0.25

MACHINE_GATES = (
    ("steal", "steal", 0.05),
    ("throttled", "throttled", 0.01),
    ("foreign-cpu", "foreign", 0.03),
    ("upstream-busy", "upstream", 0.5),
)
"""Code, name of the share in a window's ``machine``, and its limit."""

TRANSIENT = frozenset(
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
"""Codes of gates that another try may pass, as the disturbance is over by then. Wrong replies would come again."""

Floats = npt.NDArray[np.float64]
Columns = Mapping[str, Floats]
"""Of ``Slices``, by name."""


def examine(
    sides: Sequence[SideSpec],
    measured: SlicesResult,
    ceilings: Mapping[int, float] = MappingProxyType({}),
) -> tuple[Gate, ...]:
    """The gates that fire for sides that took turns, except those of the machine.

    Args:
        ceilings: concurrency → replies per second from a null server; without one, its gate does not apply.
    """
    starved = soundness.starved(measured.generator_wait / max(measured.duration_s, 1e-9))
    gates = [Gate(starved)] if starved else []
    slices = {name: np.asarray(getattr(measured.slices, name), dtype=float) for name in Slices.__slots__}
    index, elapsed = slices["side"], slices["length"] + slices["drain"]
    idle = float(slices["foreign_cpu"].sum()) / max(float(elapsed.sum()), 1e-9)
    limit = max(IDLE_LIMIT, IDLE_EACH * len({side.target for side in sides}))
    if idle > limit:
        gates.append(Gate(Reason("idle-target-busy", {"share": idle, "limit": limit})))
    # ln replies per second, drains included.
    rates = np.log(np.maximum(slices["replies"], 0.5) / elapsed)
    relative = _relative_to_neighbours(index, rates)
    for number, (side, outcome) in enumerate(zip(sides, measured.sides, strict=True)):
        turns = index == number
        mine = {name: column[turns] for name, column in slices.items()}
        reasons = [_replies(outcome), soundness.early(outcome.service_time_us, side.requests)]
        if turns.any():
            reasons += [_generator(mine), _near_the_ceiling(mine, ceilings.get(side.connections, 0.0))]
            reasons += [_littles_law(mine, side, outcome), _steady(rates[turns], relative[turns])]
        gates += [Gate(reason, side.target, side.point) for reason in reasons if reason]
    return tuple(gates)


def transient(gates: Iterable[Gate]) -> bool:
    """Whether another try may go better."""
    return any(gate.reason.code in TRANSIENT for gate in gates)


def try_again(record: WindowRecord, plan: Plan, tries: int) -> bool:
    """Whether a window is worth another try, of ``tries`` in all.

    Where the plan compares only CPU cost, gates that void only times are no reason for one.
    """
    timed = not plan.contrasts or any(contrast.metric == "throughput" for contrast in plan.contrasts)
    return record.attempt + 1 < tries and transient(gate for gate in record.gates if timed or not times_only(gate))


def without_timing(gates: Iterable[Gate]) -> tuple[Gate, ...]:
    """The gates that matter where no time is measured: neither transient ones nor that of a busy generator."""
    return tuple(gate for gate in gates if gate.reason.code not in {*TRANSIENT, "generator-bound"})


def machine_gates(machine: Mapping[str, float]) -> list[Gate]:
    """Gates for what else the machine did meanwhile."""
    return [
        Gate(Reason(code, {"share": machine[share], "limit": limit}))
        for code, share, limit in MACHINE_GATES
        if machine.get(share, 0.0) > limit
    ]


def ended(sides: Iterable[Side], pids: Mapping[str, Sequence[int]]) -> list[Gate]:
    """Gates for sides whose server lost processes: what was measured is not the whole server."""
    return [
        Gate(Reason("process-ended", {"count": len(pids[side.target])}), side.target, side.point)
        for side in sides
        if side.target in pids
    ]


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


def _generator(mine: Columns) -> Reason | None:
    """The generator limits where it is nearly busy and the server is not."""
    elapsed = mine["length"] + mine["drain"]
    generator, server = (float(np.median(mine[who] / elapsed)) for who in ("generator_cpu", "cpu"))
    if generator <= soundness.GENERATOR_SHARE or server >= SERVER_LIMITED:
        return None
    return Reason("generator-bound", {"cpu": generator})


def _near_the_ceiling(mine: Columns, ceiling: float) -> Reason | None:
    """A server nearly as fast as one that does nothing shows the generator's speed and not its own."""
    rate = float(np.median(mine["window_replies"] / mine["window"]))
    if not ceiling or rate * NULL_SERVER <= ceiling:
        return None
    return Reason("null-server", {"times": ceiling / rate, "limit": NULL_SERVER})


def _littles_law(mine: Columns, side: SideSpec, outcome: SideOutcome) -> Reason | None:
    """Little's law over whole slices, which have no edges: the time that requests spent inside, summed, over the
    concurrency, lies between the slice's length and the length with its drain."""
    if outcome.errors.get("timeout"):
        return None
    spent = float(outcome.service_time_us.sum()) / 1e6 / side.connections
    sent, drained = (float(mine[name].sum()) for name in ("length", "drain"))
    length, whole = sent - len(mine["length"]) * side.stagger_s / 2, sent + drained
    if length * (1 - LITTLE_TOLERANCE) <= spent <= whole * (1 + LITTLE_TOLERANCE):
        return None
    share = spent / length if spent < length else spent / whole
    return Reason("littles-law", {"in_flight": share * side.connections, "expected": float(side.connections)})


def _relative_to_neighbours(index: Floats, rates: Floats) -> Floats:
    """The rates minus those of other sides' slices just before and after, each relative to the level of its side.

    What the machine did to every side cancels out; with a single side, nothing does.
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


def _steady(rates: Floats, relative: Floats) -> Reason | None:
    """A trend over the window that is the side's own: the later half against the earlier, if there are enough slices.

    A machine that changes its speed does so to all who take turns, which their contrasts do not notice.
    """
    change = _change(rates) if len(rates) >= STEADY_ROUNDS else 0.0
    return Reason(UNSTEADY, {"change": change}) if change and _change(relative) else None


def _change(logs: Floats) -> float:
    """From the earlier half to the later one, as a share; 0 where it is small, or the halves overlap."""
    half = len(logs) // 2
    early, late = logs[:half], logs[-half:]
    separate = late.min() > early.max() or late.max() < early.min()
    change = math.expm1(float(np.median(late) - np.median(early)))
    return change if separate and abs(change) > STEADY_CHANGE else 0.0
