"""Summaries and manifests by hand, and a reader of the numbers that a page shows, for the tests of rendering."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import json
import re
from html.parser import HTMLParser

from harness.model import Manifest, Plan, PlannedRequest, Point, Reason, Scenario, Side, Target
from harness.results.summary import (
    Cell,
    ContrastResult,
    Estimate,
    Health,
    LadderResult,
    LadderRung,
    LadderStep,
    Summary,
    Upkeep,
    Waiting,
)

JSON = PlannedRequest("json", "ok")
TARGETS = (
    Target("fast", "fastapi", "asgi", "swift", "a:app", reference=True),
    Target("slow", "flask", "wsgi", "steady", "b:app", threads=8, reference=True),
    Target("other", "flask", "wsgi", "steady", "b:app"),
    Target("fast twin", "fastapi", "asgi", "swift", "a:app", twin_of="fast"),
)
SCENARIOS = (
    Scenario("json", "Small JSON reply", "pick", "The floor.", (JSON,), (32,)),
    Scenario("io-sleep", "Waiting", "move", "Threads or a loop.", (JSON,), (64,), wait_ms="{ms}"),
    Scenario("raw", "Order, raw", "validate", "The control.", (JSON,), (32,), group="orders"),
    Scenario(
        "checked",
        "Order, checked",
        "validate",
        "Validation.",
        (JSON,),
        (32,),
        group="orders",
        against="raw",
        adds="Checking the order",
    ),
)
WAITS_MS = (0, 2, 20)
POINTS = (
    Point("json@32", "json", {}, 32, (JSON,)),
    *(Point(f"io-sleep[ms={ms}]@64", "io-sleep", {"ms": ms}, 64, (JSON,), wait_s=ms / 1e3) for ms in WAITS_MS),
    Point("raw@32", "raw", {}, 32, (JSON,)),
    Point("checked@32", "checked", {}, 32, (JSON,)),
)


def estimate(value: float, share: float = 0.02, blocks: int = 8) -> Estimate:
    return Estimate(value, value * (1 - share), value * (1 + share), blocks)


DIED = Reason("died", {"exit_code": "1"})


def contrast(
    verdict="different", ratio=1.12, low=1.09, high=1.15, *, a="fast", b="slow", point="json@32", to=None, **more
) -> ContrastResult:
    """By default: ``fast`` answers 12% [9, 15] more requests per second than ``slow`` at ``json@32``."""
    given = {"question": "pick", "metric": "throughput", "blocks": 8, "p_value": 0.001, "p_adjusted": 0.002} | more
    one, two = Side(a, point), Side(b, to or point)
    name = f"{given['question']}:{given['metric']}:{one.id}/{two.id}"
    return ContrastResult(
        id=name, a=one, b=two, label="", verdict=verdict, ratio=ratio, ci_low=low, ci_high=high, **given
    )


def cells() -> tuple[Cell, ...]:
    """Every target but the twin at every point; ``other`` failed at ``json@32`` and was not run elsewhere."""
    found = []
    for point in POINTS:
        for number, target in enumerate(TARGETS[:3]):
            place = target.name, point.id, point.scenario, point.params, point.concurrency
            if target.name == "other":
                status = "failed" if point.id == "json@32" else "not-run"
                found.append(Cell(*place, status=status, reasons=(DIED,)))
                continue
            rate = 9876.54321 / (number + 1 + point.wait_s * 10)
            service = {"p50": 900.25, "p90": 1200.5, "p99": 3000.125, "p999": 5000.0, "max": 9000.0}
            found.append(
                Cell(
                    *place,
                    service,
                    status="ok",
                    throughput_rps=estimate(rate),
                    cpu_us=estimate(1e6 / rate),
                    replies=123456,
                    tie_group="AB"[number],
                )
            )
    return tuple(found)


CONTRASTS = (
    contrast("same", 1.001, 0.995, 1.007, a="fast twin", b="fast", question="real"),
    contrast(),
    contrast("different-size-open", 1.031, 1.005, 1.058, metric="cpu_cost"),
    contrast("different", 0.81, 0.78, 0.84, point="io-sleep[ms=0]@64", question="move"),
    contrast("undecided", 1.01, 0.95, 1.07, point="io-sleep[ms=2]@64", question="move", blocks_needed=24),
    contrast("different", 3.21, 3.1, 3.3, point="io-sleep[ms=20]@64", question="move"),
    *(
        contrast(
            "different",
            1.2,
            1.1,
            1.3,
            a=name,
            b=name,
            point="checked@32",
            to="raw@32",
            question="validate",
            metric="cpu_cost",
            difference=added,
            difference_low=added - 2.5,
            difference_high=added + 2.5,
        )
        for name, added in (("fast", 21.75), ("slow", 33.125))
    ),
    contrast(
        "not-measurable", None, None, None, a="other", b="slow", reasons=(Reason("told", {"text": "generator-bound"}),)
    ),
)


def ladder_step(label, verdict, difference, *, a="fast", to="json@32", b="slow", since="json@32", within="round"):
    ends = (None, None) if verdict == "not-measurable" else (difference - 1.25, difference + 1.25)
    return LadderStep(
        label=label, a=Side(a, to), b=Side(b, since), within=within, verdict=verdict, ratio=1.3125, ci_low=1.25,
        ci_high=1.375, difference=difference, difference_low=ends[0], difference_high=ends[1], blocks=8,
    )  # fmt: skip


LADDERS = (
    LadderResult(
        "servers",
        "One app, two servers",
        "server",
        (
            LadderRung("slow one", "slow", "json", "json@32", estimate(91.5)),
            LadderRung("fast one", "fast", "json", "json@32", estimate(81.25)),
        ),
        (ladder_step("fast one", "different", -10.25),),
    ),
    LadderResult(
        "fast",
        "Fast on the floor",
        "framework",
        (
            LadderRung("floor", "slow", "json", "json@32", estimate(41.5)),
            LadderRung("other", "other", "json", "json@32", None, DIED),
            LadderRung("fast", "fast", "json", "json@32", estimate(81.25)),
            LadderRung("body", "fast", "raw", "raw@32", estimate(90.125)),
            LadderRung("checked", "fast", "checked", "checked@32", estimate(90.375)),
        ),
        (
            ladder_step("other, fast", "different", 39.75),
            ladder_step("body", "different-size-open", 8.875, b="fast", to="raw@32", within="block"),
            ladder_step("checked", "same", 0.25, b="fast", to="checked@32", since="raw@32"),
        ),
        ladder_step("top against bottom", "different", 48.5, to="checked@32", within="block"),
        48.875,
        44.125,
        53.625,
        0.375,
        -1.125,
        1.875,
        "adds-up",
    ),
)
WAITING = (Waiting(100, 17817.5, 17000.25, 18634.75, 100, 100, 3), Waiting(1000, -33.5, None, None, 1000, 1, 1))


def summary(**changes) -> Summary:
    base = Summary(
        run="2026-01-01-example",
        name="example",
        created_at="2026-01-01T00:00:00Z",
        badge="sound",
        reasons=(),
        margin=0.02,
        blocks=8,
        seed=7,
        duration_s=200.0,
        cells=cells(),
        contrasts=CONTRASTS,
        upkeep=(
            Upkeep("fast", estimate(0.812345), estimate(61234567.0), 61234567.0, 51234567.0, WAITING[:1]),
            Upkeep("slow", None, None, waiting=WAITING),
        ),
        health=Health(48, 1, 2, 0.4321, 0.0123, 0.00045),
        ladders=LADDERS,
    )
    return dataclasses.replace(base, **changes)


def manifest(**changes) -> Manifest:
    base = Manifest(
        run="2026-01-01-example",
        name="example",
        created_at="2026-01-01T00:00:00Z",
        status="finished",
        command="harness run --profile quick",
        seed=7,
        plan=Plan("quick", 7, 200.0, 180.0, POINTS, (), ()),
        targets=TARGETS,
        scenarios=SCENARIOS,
        environment={"machine": "Example CPU", "python": "CPython 3.13"},
        placement={"server": (0,), "generator": (1,)},
        versions={"fastapi": "0.130"},
        duration_s=200.0,
    )
    return dataclasses.replace(base, **changes)


class Numbers(HTMLParser):
    """Every number that a page marks up: ``shown`` holds (path in summary.json, exact value, text).

    In the long tables a path is put together from the row and from the head of the column.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.shown: list[tuple[str, float, str]] = []
        self._row, self._columns, self._column = "", [], -1
        self._open: tuple[str, float] | None = None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "table":
            self._columns = []
        elif tag == "tr":
            self._row, self._column = given.get("data-path", ""), -1
        elif tag in ("th", "td"):
            self._column += 1
            if given.get("scope") == "col":
                self._columns.append(given.get("data-of", ""))
        if "data-value" in given:
            path = given.get("data-path") or f"{self._row}.{self._columns[self._column]}"
            self._open = path, float(given["data-value"])

    def handle_data(self, data):
        if self._open:
            self.shown.append((*self._open, data.strip()))
            self._open = None


def embedded(page: str) -> object:
    """The summary that a page holds, compressed or not."""
    kind, text = re.search(r'<script type="([^"]*)" id="summary">(.*?)</script>', page, re.S).groups()
    return json.loads(gzip.decompress(base64.b64decode(text)) if kind == "application/gzip" else text)


def resolve(document: object, path: str) -> float:
    """The number of ``summary.json`` that a path names; a last part ``half`` is half the width of an interval."""
    for key in path.split("."):
        if key == "half":
            return (document["ci_high"] - document["ci_low"]) / 2
        document = document[int(key)] if isinstance(document, list | tuple) else document[key]
    return document


def agrees(text: str, value: float) -> bool:
    """Whether a text is the value, rounded to two digits or more, in one of the units that renderings use."""
    if text == "?":
        return True
    if text.startswith("<"):
        return value < float(text[1:])
    number = float(text.replace(",", "").replace("−", "-").replace("%", ""))
    meanings = (value, value * 100, (value - 1) * 100, (1 - value) * 100, value / 2**20, value / 2**10, value / 1e3)
    return any(abs(number - meaning) <= 0.051 * abs(meaning) + 1e-9 for meaning in meanings)
