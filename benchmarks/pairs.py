"""Instructions next to CPU time, pair by pair: the table of docs/instructions.md.

    python benchmarks/pairs.py instructions [FOLDER]          on any machine: two starts of every side, one connection
    python benchmarks/pairs.py cpu [FOLDER] [--blocks 10]     on a quiet machine: a minute per block, 16 connections
    python benchmarks/pairs.py table [FOLDER]

Either half goes on where it was interrupted. The table is Markdown. Where the two ratios of a pair lie on different
sides of 1, the one of CPU time for certain, this is marked.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from harness.config.placement import detect
from harness.engine.engine import Engine
from harness.model import Block, Contrast, Plan, Scenario, Side, Target, Window, WindowRecord
from harness.plan.counting import AT_ONCE, counting_block
from harness.plan.timing import turn_seconds, warmup_seconds
from harness.prepare.choose import chosen_target
from harness.prepare.manifest import new_manifest
from harness.prepare.point import scenario_point
from harness.record import Run
from harness.results.frames import tidy
from harness.results.instructions import counts_of, ratio_of, values_of
from harness.results.judge import run_values
from harness.serve.envs import with_packages
from harness.session import Bench, measure
from harness.session.observe import Observer
from harness.stats.interval import t_interval
from harness.stats.looks import ALPHA

STARTS, REQUESTS, CONNECTIONS, ROUNDS, UNLIMITED_S = 2, 100, 16, 8, 1e9
OLD = {
    "starlette-old": ("starlette-uvicorn", "starlette==1.6.0"),
    "pydantic-old": ("fastapi-uvicorn", "pydantic==2.11.10"),
    "werkzeug-old": ("flask-gunicorn-gthread", "werkzeug==3.1.0"),
}
"""Targets with another version of a package: their own target, and the package."""
WSGI, ASGI = "gunicorn-gthread", "uvicorn"


class Pair(NamedTuple):
    """Two sides, each a target and a scenario, and what A has that B has not."""

    what: str
    a: tuple[str, str]
    b: tuple[str, str]


def _steps(name: str, target: str, *scenarios: tuple[str, str, str]) -> list[Pair]:
    return [Pair(f"{name}: {what}", (target, upper), (target, lower)) for what, upper, lower in scenarios]


QUERY = ("typed path and query", "items", "json")
REQUEST = ("request validated", "orders-validated", "orders-raw")
REPLY = ("reply validated", "orders-full", "orders-validated")
DEPENDENCY = ("a dependency", "dependency", "json")


def _json(what: str, a: str, b: str, scenario: str = "json") -> Pair:
    return Pair(what, (a, scenario), (b, scenario))


LIKE = (
    *_steps("FastAPI", "fastapi-uvicorn", QUERY, REQUEST, REPLY, DEPENDENCY),
    *_steps("Starlette", "starlette-uvicorn", QUERY, REQUEST, REPLY),
    *_steps("Flask", f"flask-{WSGI}", QUERY, REQUEST, REPLY),
    *_steps("Django", f"django-{WSGI}", QUERY, REQUEST),
    *_steps("Tornado", "tornado-native", QUERY, REQUEST),
    _json("FastAPI on Starlette", "fastapi-uvicorn", "starlette-uvicorn"),
    _json("Starlette on raw ASGI", "starlette-uvicorn", "raw-asgi-uvicorn"),
    _json("Flask on raw WSGI", f"flask-{WSGI}", f"raw-wsgi-{WSGI}"),
    _json("Django on raw WSGI", f"django-{WSGI}", f"raw-wsgi-{WSGI}"),
    _json("Starlette against 1.6, JSON", "starlette-uvicorn", "starlette-old"),
    _json("Starlette against 1.6, typed path and query", "starlette-uvicorn", "starlette-old", "items"),
    _json("Pydantic against 2.11, request validated", "fastapi-uvicorn", "pydantic-old", "orders-validated"),
    _json("Pydantic against 2.11, reply validated", "fastapi-uvicorn", "pydantic-old", "orders-full"),
    _json("Werkzeug against 3.1.0, JSON", f"flask-{WSGI}", "werkzeug-old"),
    _json("Werkzeug against 3.1.0, typed path and query", f"flask-{WSGI}", "werkzeug-old", "items"),
)
UNLIKE = (
    _json("Flask on threads, FastAPI on Uvicorn", f"flask-{WSGI}", "fastapi-uvicorn"),
    _json("Django on threads, FastAPI on Uvicorn", f"django-{WSGI}", "fastapi-uvicorn"),
    _json("raw WSGI on threads, raw ASGI on Uvicorn", f"raw-wsgi-{WSGI}", "raw-asgi-uvicorn"),
    _json("Tornado, FastAPI on Uvicorn", "tornado-native", "fastapi-uvicorn"),
    _json("Starlette on Granian, on Uvicorn", "starlette-granian", "starlette-uvicorn"),
    _json("Flask on Waitress, on gunicorn's threads", "flask-waitress", f"flask-{WSGI}"),
    _json("FastAPI on h11 and asyncio, on httptools and uvloop", "fastapi-uvicorn-h11-asyncio", "fastapi-uvicorn"),
    _json("FastAPI on Uvicorn, Tornado: request validated", "fastapi-uvicorn", "tornado-native", "orders-validated"),
)
point_of = cache(lambda scenario: scenario_point(scenario, CONNECTIONS))


def side_of(place: tuple[str, str]) -> Side:
    return Side(place[0], point_of(place[1]).id)


def target_of(name: str) -> Target:
    base, *packages = OLD.get(name, (name,))
    target = chosen_target(base)
    return replace(target, name=name, python=str(with_packages(packages))) if packages else target


class Announcer(Observer):
    """Says which windows are done."""

    def window_ended(self, window: Window, record: WindowRecord) -> None:
        faults = [str(gate.reason.code) for gate in record.gates] + [each.reason.text for each in record.failures]
        print(f"{window.id}: {record.duration_s:.0f} s {' '.join(faults)}", file=sys.stderr, flush=True)


def measured(folder: Path, blocks: Iterable[Block]) -> None:
    """The run in the folder, with what it still lacks."""
    places = {place for pair in (*LIKE, *UNLIKE) for place in (pair.a, pair.b)}
    points = tuple(point_of(name) for name in sorted({scenario for _, scenario in places}))
    placement = detect()
    if folder.is_dir():
        run = Run.open(folder)
    else:
        contrasts = tuple(
            Contrast(pair.what, "real", "cpu_cost", side_of(pair.a), side_of(pair.b), pair.what)
            for pair in (*LIKE, *UNLIKE)
        )
        plan = Plan("pairs", 0, UNLIMITED_S, 0.0, points, contrasts, tuple(blocks))
        targets = [target_of(name) for name in sorted({name for name, _ in places})]
        scenarios = [
            Scenario(each.scenario, each.id, "real", "", each.requests, (each.concurrency,)) for each in points
        ]
        manifest = new_manifest(plan, targets, scenarios, placement=placement, command="", results=folder.parent)
        run = Run.create(folder, manifest)
    with Engine(placement.generator) as engine:
        measure(run, Bench(engine, placement, Announcer(), features=False))


def counting(pairs: Sequence[Pair]) -> Iterator[Block]:
    """A few targets at a time, each at all of its points; every start once before any a second time."""
    points: dict[str, list[str]] = {}
    for target, scenario in dict.fromkeys(place for pair in pairs for place in (pair.a, pair.b)):
        points.setdefault(target, []).append(scenario)
    names = list(points)
    for start in range(STARTS):
        for at in range(0, len(names), AT_ONCE):
            some = names[at : at + AT_ONCE]
            rows = zip_longest(*([side_of((name, each)) for each in points[name]] for name in some))
            sides = [[side for side in row if side is not None] for row in rows]
            block = counting_block(start, at // AT_ONCE, sides, REQUESTS, connections=1)
            yield replace(block, windows=tuple(_named(window, number) for number, window in enumerate(block.windows)))


def _named(window: Window, number: int) -> Window:
    return replace(window, id=f"{window.id}-{number}", key=f"{window.key}-{number}")


def turns(pairs: Sequence[Pair], blocks: int) -> Iterator[Block]:
    """Every pair in a window of its own, in which its two sides take turns."""
    targets = {name: chosen_target(OLD.get(name, (name,))[0]) for pair in pairs for name in (pair.a[0], pair.b[0])}
    for index in range(blocks):
        windows = []
        for number, pair in enumerate(pairs):
            places = [(targets[name], point_of(scenario)) for name, scenario in (pair.a, pair.b)]
            seconds = sum(warmup_seconds(*each) + ROUNDS * turn_seconds(*each) for each in places)
            windows.append(
                Window.in_turns(f"{number:02d}", index, (side_of(pair.a), side_of(pair.b)), seconds, ROUNDS // 2)
            )
        yield Block(index, tuple(targets), tuple(windows))


def table(folder: Path) -> None:
    counts = counts_of(Run.open(folder / "instructions").windows())
    cpu = Run.open(folder / "cpu") if (folder / "cpu").is_dir() else None
    values = run_values(cpu.manifest, tidy(cpu.windows()), cpu.manifest.plan.contrasts) if cpu else {}
    for title, pairs in (("Like against like", LIKE), ("Unlike", UNLIKE)):
        print(f"| {title} | B, thousand instructions | A − B, thousand | A / B, instructions | A / B, CPU time (99%) |")
        print("| --- | --- | --- | --- | --- |")
        for pair in pairs:
            a, b = side_of(pair.a), side_of(pair.b)
            ratio = ratio_of(counts, a, b)
            if ratio is None:
                print(f"| {pair.what} | not counted | | | |")
                continue
            base = float(values_of(counts, b).mean())
            logs = values[pair.what].log_ratio if pair.what in values else ()
            time = "not measured"
            if len(logs) > 1:
                interval = t_interval(logs, ALPHA)
                low, mean, high = (math.exp(float(each)) for each in (interval.low, interval.mean, interval.high))
                against = (low > 1 and ratio.value < 1) or (high < 1 and ratio.value > 1)
                time = f"{mean:.3f} [{low:.3f}, {high:.3f}]" + (" **other sign**" if against else "")
            more = base * (ratio.value - 1)
            print(f"| {pair.what} | {base / 1e3:,.1f} | {more / 1e3:+,.1f} | {ratio.value:.4f} | {time} |")
        print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("instructions", "cpu", "table"))
    parser.add_argument("folder", nargs="?", type=Path, default=Path("results/pairs"))
    parser.add_argument("--blocks", type=int, default=10)
    options = parser.parse_args()
    pairs = (*LIKE, *UNLIKE)
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.what == "instructions":
        measured(options.folder / "instructions", counting(pairs))
    elif options.what == "cpu":
        measured(options.folder / "cpu", turns(pairs, options.blocks))
    table(options.folder)


if __name__ == "__main__":
    main()
