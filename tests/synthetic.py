"""Synthetic runs: a manifest and records of windows with known true costs, for the tests of analysis and rendering."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.model import (
    Block,
    Contrast,
    Failure,
    Gate,
    Manifest,
    Metric,
    Plan,
    PlannedRequest,
    Point,
    Question,
    Reason,
    Scenario,
    Side,
    Slices,
    Target,
    Window,
    WindowRecord,
)
from harness.results.predict import model_rps
from tests.records import side_of, turns

SLICE_S, LEAD_IN_S = 0.06, 0.01
METRICS: tuple[Metric, ...] = ("cpu_cost", "throughput")

TARGETS = (
    Target("fastapi-uvicorn", "fastapi", "asgi", "uvicorn", "apps.fastapi_app.app:app", reference=True),
    Target("flask-gunicorn", "flask", "wsgi", "gunicorn", "apps.flask_app.app:app", threads=8, reference=True),
    Target("django-gunicorn", "django", "wsgi", "gunicorn", "apps.django_app.wsgi:app", threads=8, reference=True),
    Target("django-uvicorn", "django", "asgi", "uvicorn", "apps.django_app.asgi:app", reference=True),
    Target("tornado", "tornado", "native", "tornado", "apps.tornado_app.app:app", reference=True),
)
HOSTILE_NAMES = (
    "<script>alert('x')</script>",
    'quo"te & <b>amp</b>',
    "pipe|comma,semi;tab\t",
    "`back` *star* [link](javascript:alert(1))",
    "日本語 — ünïcode \u202e",
)

CPU_US = {
    "fastapi-uvicorn": 110.0,
    "flask-gunicorn": 260.0,
    "django-gunicorn": 400.0,
    "django-uvicorn": 450.0,
    "tornado": 150.0,
}
"""True CPU cost of ``json`` in µs per request; other scenarios add ``EXTRA_US``."""
EXTRA_US = {
    "json": 0.0,
    "io-sleep": 40.0,
    "orders-raw": 30.0,
    "orders-validated": 55.0,
    "orders-full": 95.0,
}


@dataclass(frozen=True, slots=True)
class Run:
    """What ``summarise`` takes."""

    manifest: Manifest
    records: tuple[WindowRecord, ...]

    def samples(self, record: WindowRecord) -> Mapping[int, NDArray[np.float64]]:
        """Service times in µs per side: a few hundred, the same for the same record."""
        if not record.samples:
            return {}
        rng = np.random.default_rng(zlib.crc32(record.samples.encode()))
        return {
            index: rng.gamma(8.0, 500.0, 300)
            for index in range(len(record.sides))
            if any(side == index for side in record.slices.side)
        }


def points(*, waits_ms: Iterable[int] = (2, 20), concurrencies: Iterable[int] = (8, 64)) -> tuple[Point, ...]:
    """``json@32``, the three ``orders-*@32`` and ``io-sleep`` at every wait × concurrency."""
    plain = tuple(
        Point(f"{name}@32", name, {}, 32, (PlannedRequest(name, "ok"),))
        for name in ("json", "orders-raw", "orders-validated", "orders-full")
    )
    waits = tuple(
        Point(
            f"io-sleep[ms={ms}]@{count}",
            "io-sleep",
            {"ms": ms},
            count,
            (PlannedRequest("io-sleep", "ok", {"ms": ms}),),
            wait_s=ms / 1e3,
        )
        for ms in waits_ms
        for count in concurrencies
    )
    return plain + waits


def scenarios() -> tuple[Scenario, ...]:
    def orders(name: str, against: str) -> Scenario:
        request = (PlannedRequest(name, "ok"),)
        return Scenario(
            name,
            f"An order, {name[7:]}",
            "validate",
            "what validation costs",
            request,
            (32,),
            group="orders",
            against=against,
        )

    return (
        Scenario("json", "A small JSON reply", "pick", "the floor", (PlannedRequest("json", "ok"),), (32,)),
        orders("orders-raw", ""),
        orders("orders-validated", "orders-raw"),
        orders("orders-full", "orders-validated"),
        Scenario(
            "io-sleep",
            "A wait without CPU",
            "move",
            "threads against the loop",
            (PlannedRequest("io-sleep", "ok"),),
            (8, 64),
            matrix={"ms": (2, 20)},
            wait_ms="{ms}",
            bisect="ms",
        ),
    )


def contrasts(targets: Iterable[Target], at: Iterable[Point]) -> tuple[Contrast, ...]:
    """A/A first; every target against the first; validation step by step; ASGI against WSGI per framework."""
    listed, all_points = tuple(targets), tuple(at)
    plain = [target for target in listed if not target.twin_of]
    found: list[Contrast] = []

    def declare(question: Question, metric: Metric, a: Side, b: Side, label: str) -> None:
        found.append(Contrast(f"{question}:{metric}:{a.id}/{b.id}", question, metric, a, b, label))

    for twin in listed:
        if twin.twin_of:
            for metric in METRICS:
                here = Side(twin.name, all_points[0].id), Side(twin.twin_of, all_points[0].id)
                declare("real", metric, *here, "A/A")
    for point in all_points:
        if point.scenario == "json":
            for target in plain[1:]:
                a, b = Side(target.name, point.id), Side(plain[0].name, point.id)
                declare("pick", "cpu_cost", a, b, f"{target.name} against {plain[0].name}")
                declare("pick", "throughput", a, b, f"{target.name} against {plain[0].name}")
        if point.scenario == "io-sleep":
            for asgi in (target for target in plain if target.interface == "asgi"):
                for wsgi in (target for target in plain if target.interface == "wsgi"):
                    if asgi.framework == wsgi.framework:
                        a, b = Side(asgi.name, point.id), Side(wsgi.name, point.id)
                        declare("move", "throughput", a, b, f"{asgi.framework}: ASGI against WSGI, {point.id}")
    ids = {point.id for point in all_points}
    for later, earlier in (("orders-validated@32", "orders-raw@32"), ("orders-full@32", "orders-validated@32")):
        if {later, earlier} <= ids:
            for target in plain:
                a, b = Side(target.name, later), Side(target.name, earlier)
                declare("validate", "cpu_cost", a, b, f"{target.name}: {later} against {earlier}")
    return tuple(found)


def true_cost_us(target: Target, point: Point) -> float:
    name = target.twin_of or target.name
    return CPU_US.get(name, 200.0) + EXTRA_US.get(point.scenario, 0.0)


def true_throughput_rps(target: Target, point: Point) -> float:
    return model_rps(target, point.wait_s, point.concurrency, true_cost_us(target, point), cpus=1)


def make_run(
    *,
    targets: Iterable[Target] = TARGETS,
    at: Iterable[Point] | None = None,
    costs_us: Mapping[tuple[str, str], float] | None = None,
    blocks: int = 8,
    rounds: int = 20,
    seed: int = 1,
    slice_sd: float = 0.03,
    block_sd: float = 0.006,
    control: bool = True,
    hostile: bool = False,
    failing: Iterable[str] = (),
    gates: Iterable[Gate] = (),
    gated_blocks: Iterable[int] | None = None,
    retried: bool = False,
    wrong: Iterable[Side] = (),
    missing: Iterable[Side] = (),
    all_failed: bool = False,
    interrupted: bool = False,
) -> Run:
    """A run whose true costs are known.

    Args:
        costs_us: (target, point id) → true CPU µs per request, in place of ``true_cost_us``.
        slice_sd: sd of ln of a slice's noise; noise shared by the whole round, three times as large, comes on top.
        block_sd: sd of ln of each target's own factor in each block.
        control: adds a twin of the first target.
        hostile: the targets get names that break careless escaping.
        failing: targets that die in every block.
        gates: put on every record that holds their side, in ``gated_blocks`` (all, where that is ``None``).
        retried: the gates fire at the first attempt only, and a second one follows.
        wrong: sides one of whose slices has wrong replies.
        missing: sides that are in no window.
        interrupted: the last block has only its first window.
    """
    rng = np.random.default_rng(seed)
    base = tuple(targets)
    names = {target.name: HOSTILE_NAMES[i % len(HOSTILE_NAMES)] for i, target in enumerate(base)} if hostile else {}
    listed = base
    if control and base:
        twin = replace(base[0], name=f"{base[0].name} twin", reference=False, twin_of=base[0].name)
        listed = (*base, twin)
    by_name = {target.name: target for target in listed}
    all_points = points() if at is None else tuple(at)
    costs = {
        (target.name, point.id): (costs_us or {}).get((target.name, point.id), true_cost_us(target, point))
        for target in listed
        for point in all_points
    }
    absent, faulty, dying, fired = set(missing), set(wrong), set(failing), tuple(gates)
    where = set(range(blocks)) if gated_blocks is None else set(gated_blocks)

    groups: dict[str, list[Side]] = {}
    for point in all_points:
        key = "orders@32" if point.scenario.startswith("orders-") else point.id
        for target in listed:
            side = Side(target.name, point.id)
            if side not in absent:
                groups.setdefault(key, []).append(side)
    by_id = {point.id: point for point in all_points}

    planned: list[Block] = []
    records: list[WindowRecord] = []
    for block in range(blocks):
        factor = {target.name: float(np.exp(rng.normal(0.0, block_sd))) for target in listed}
        windows = []
        for number, (key, sides) in enumerate(groups.items()):
            seconds = rounds * SLICE_S * len(sides)
            window = Window.in_turns(key, block, tuple(sides), seconds, 3)
            windows.append(window)
            if interrupted and block == blocks - 1 and number:
                continue
            dead = {side for side in sides if all_failed or side.target in dying}
            hit = tuple(gate for gate in fired if block in where and any(_hits(gate, side) for side in sides))
            for attempt in range(2 if retried and hit else 1):
                slices = _slices(rng, window, rounds, slice_sd, factor, costs, by_name, by_id, dead, faulty)
                records.append(
                    turns(
                        window.id,
                        block,
                        window.sides,
                        slices,
                        attempt=attempt,
                        started_at=f"2026-01-01T00:{block:02d}:{number:02d}Z",
                        duration_s=window.seconds,
                        errors={i: {"wrong-body": 3} for i, side in enumerate(sides) if side in faulty},
                        failures=tuple(
                            Failure(
                                side.target,
                                side.point,
                                Reason("died", {"text": "exited with code 1"}),
                                ("Traceback", "boom <&>"),
                            )
                            for side in sides
                            if side in dead
                        ),
                        gates=() if attempt else hit,
                        rss_bytes={side.target: 60_000_000 for side in sides if side not in dead},
                        startup_s={side.target: 0.8 for side in sides if side not in dead},
                        machine={"steal": 0.001, "foreign": 0.004, "server_busy": 0.97},
                        samples=f"samples/{window.id}-{attempt}.bin",
                    )
                )
        planned.append(Block(block, tuple(target.name for target in listed), tuple(windows)))

    plan = Plan(
        profile="standard",
        seed=seed,
        budget_s=600.0,
        estimate_s=540.0,
        points=all_points,
        contrasts=contrasts(listed, all_points),
        blocks=tuple(planned),
    )
    manifest = Manifest(
        run="2026-01-01-synthetic",
        name="synthetic",
        created_at="2026-01-01T00:00:00Z",
        status="interrupted" if interrupted else "finished",
        command="harness run --profile standard --seed 1",
        seed=seed,
        plan=plan,
        targets=listed,
        scenarios=scenarios(),
        environment={"os": "Linux", "python": "3.13.1", "cpu": "8 cores", "placement": "server 0, generator 1"},
        versions={"fastapi": "0.130.0", "flask": "3.1.0", "django": "5.2", "tornado": "6.5"},
        duration_s=540.0,
    )
    run = Run(manifest, tuple(records))
    return _renamed(run, names) if names else run


def _hits(gate: Gate, side: Side) -> bool:
    return gate.target in ("", side.target) and gate.point in ("", side.point)


def _slices(
    rng: np.random.Generator,
    window: Window,
    rounds: int,
    slice_sd: float,
    factor: Mapping[str, float],
    costs: Mapping[tuple[str, str], float],
    targets: Mapping[str, Target],
    by_id: Mapping[str, Point],
    dead: set[Side],
    faulty: set[Side],
) -> Slices:
    rows: list[tuple[float, ...]] = []
    started = 0.0
    for round_ in range(rounds):
        common = float(np.exp(rng.normal(0.0, 3 * slice_sd)))
        for index in rng.permutation(len(window.sides)):
            side = window.sides[index]
            if side in dead:
                continue
            target, point = targets[side.target], by_id[side.point]
            noise = common * float(np.exp(rng.normal(0.0, slice_sd)))
            cost = costs[side.target, side.point] * factor[side.target] * noise / 1e6
            rate = model_rps(target, point.wait_s, point.concurrency, cost * 1e6, cpus=1)
            # Long enough that a slice holds many replies: the engine lengthens slices in the same way.
            length = max(SLICE_S, 20 * (point.wait_s + cost))
            in_window = max(1, round(rate * (length - LEAD_IN_S)))
            replies = in_window + min(point.concurrency, in_window)
            bad = 3 if side in faulty and round_ == 0 else 0
            drain = 0.001 + point.wait_s
            rows.append(
                (round_, int(index), started, length, length - LEAD_IN_S, drain, in_window - min(bad, in_window),
                 replies - min(bad, replies), bad, 0, cost * replies, 0.3 * length, 0.0)
            )  # fmt: skip
            started += length + drain
    columns = list(zip(*rows, strict=True)) if rows else [()] * 13
    return Slices(*columns)


def _renamed(run: Run, names: Mapping[str, str]) -> Run:
    """The same run under other target names."""

    def name(old: str) -> str:
        return names.get(old, old)

    def side(old: Side) -> Side:
        return Side(name(old.target), old.point)

    plan = run.manifest.plan
    manifest = replace(
        run.manifest,
        name="<i>hostile</i> & co",
        plan=replace(
            plan,
            contrasts=tuple(
                replace(c, a=side(c.a), b=side(c.b), label=f"{name(c.a.target)} / {name(c.b.target)}")
                for c in plan.contrasts
            ),
            blocks=tuple(
                Block(
                    block.index,
                    tuple(map(name, block.targets)),
                    tuple(replace(window, sides=tuple(map(side, window.sides))) for window in block.windows),
                )
                for block in plan.blocks
            ),
        ),
        targets=tuple(replace(t, name=name(t.name), twin_of=name(t.twin_of)) for t in run.manifest.targets),
    )
    records = tuple(
        replace(
            record,
            sides=tuple(replace(side_of(side(one.side)), errors=one.errors) for one in record.sides),
            failures=tuple(replace(f, target=name(f.target)) for f in record.failures),
            gates=tuple(replace(g, target=name(g.target)) for g in record.gates),
            rss_bytes={name(key): value for key, value in record.rss_bytes.items()},
            startup_s={name(key): value for key, value in record.startup_s.items()},
        )
        for record in run.records
    )
    return Run(manifest, records)
