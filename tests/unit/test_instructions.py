"""What counts of instructions come to, and what is printed of them."""

import json
import math
import statistics
from collections import Counter
from dataclasses import asdict, replace

import jsonschema
import pytest

from harness.instruments.instructions import heartbeats
from harness.model import Contrast, Gate, InstructionCount, Reason, Side, SideResult, Slices, WindowRecord
from harness.report.schemas import schema_of
from harness.report.versus import document, lines, state
from harness.results.instructions import counted_contrast, counted_document, counts_of, with_instructions
from harness.results.versus import decided, slower
from tests.unit.summaries import manifest, summary

A, B, TWIN = (Side(name, "json@32") for name in ("fast", "slow", "fast twin"))
MAIN = Contrast("instructions:main", "real", "instructions", A, B)
CONTROL = Contrast("instructions:control", "real", "instructions", TWIN, A)


def counted(side, value, objects=None):
    objects = objects or {"Python": value}
    return InstructionCount(side.target, side.point, "callgrind", value, 9, 1, 2e5, objects, {"X": "0"})


def started(a, b, twin=(), cpu_s=(), objects=None):
    """A record for each start; ``cpu_s`` is what 10 replies of A and of B took, gates or not."""
    values = {A: a, B: b, TWIN: twin}
    results = tuple(SideResult(side.target, side.point, "json", {}, 32) for side in values)

    def record(number, **more):
        return WindowRecord(f"w{number}", number, 0, "instructions", "wire", "", 1.0, results, **more)

    found = [
        record(
            n, counts=tuple(counted(s, each[n], (objects or {}).get(s)) for s, each in values.items() if n < len(each))
        )
        for n in range(max(map(len, values.values())))
    ]
    if cpu_s:
        same = dict.fromkeys(("started", "length", "window", "drain", "generator_cpu", "foreign_cpu"), (1.0, 1.0))
        same |= dict.fromkeys(("round", "wrong", "failed"), (0, 0))
        slices = Slices(side=(0, 1), cpu=cpu_s, replies=(10, 10), window_replies=(10, 10), **same)
        busy = Gate(Reason("foreign-cpu", {"share": 0.9, "limit": 0.03}))
        found.append(replace(record(9, slices=slices, gates=(busy,)), study=""))
    return found


def result(a, b=(1e6, 1e6, 1e6), **options):
    return counted_contrast(replace(MAIN, **options), counts_of(started(a, b)))


@pytest.mark.parametrize(
    ("a", "verdict"),
    [
        pytest.param((1_010_000, 1_010_100, 1_009_900), "different", id="1%"),
        pytest.param((990_000, 990_100, 989_900), "different", id="-1%"),
        pytest.param((1_002_000, 1_002_100, 1_001_900), "small", id="0.2%"),
        pytest.param((1_000_100, 999_900, 1_000_000), "same", id="none"),
        pytest.param((1_005_000, 1_005_200, 1_004_800), "different-size-open", id="at the margin"),
        pytest.param((1_010_000, 995_000, 1_001_000), "undecided", id="too far apart"),
        pytest.param((1_010_000,), "undecided", id="one start"),
        pytest.param((1_100_000, 1_100_010), "different", id="two starts, far beyond"),
        pytest.param((1_005_000, 1_005_500), "different-size-open", id="two starts, at the margin"),
    ],
)
def test_the_verdict_is_of_fresh_starts(a, verdict):
    found = result(a, (1e6,) * len(a))
    assert found.verdict == verdict
    assert found.blocks == len(a)
    assert (found.blocks_needed is not None) <= (verdict == "undecided")


def test_the_margin_can_be_set():
    assert result((1_002_000, 1_002_100, 1_001_900)).margin == 0.005
    assert result((1_002_000, 1_002_100, 1_001_900), margin=0.001).verdict == "different"


def test_difference_and_ratio_with_their_ends():
    # t for 99.5% and 4 degrees of freedom is 5.598. The variance of 0, 300, 600 is 300², that of both sides together
    # half as much, and the error of the difference of two means of three is 300 · √(1/2 · 2/3) = 173.2.
    found = result((1_010_000, 1_010_300, 1_010_600))
    assert found.difference == pytest.approx(10_300)
    assert found.difference_low == pytest.approx(10_300 - 5.598 * 173.2, rel=1e-4)
    assert found.ratio == pytest.approx(1.0103, rel=1e-6)
    assert found.ci_low < 1.0103 < found.ci_high


def test_sides_that_rise_and_fall_as_one_are_pairs_from_the_third_start_on():
    # Counted while twenty programs had the CPUs, and a slowdown of 2.7%.
    a, b = (824_471, 827_598, 826_074, 819_817), (802_618, 805_398, 804_409, 799_089)
    assert result(a[:2], b[:2]).verdict == "different-size-open"
    found = result(a, b)
    assert found.verdict == "different"
    # t for 99.5% and 3 degrees of freedom is 7.453.
    logs = [math.log(x / y) for x, y in zip(a, b, strict=True)]
    half = 7.453 * statistics.stdev(logs) / 2
    assert found.ci_low == pytest.approx(math.exp(statistics.mean(logs) - half), rel=1e-6)


@pytest.mark.parametrize(("limit", "outcome"), [(0.005, "failed"), (0.02, "passed"), (0.0103, "undecided")])
def test_a_limit_is_held_against_the_interval(limit, outcome):
    found = result((1_010_000, 1_010_300, 1_010_600))
    assert slower(found, limit) == outcome
    assert decided(summary(contrasts=(found,)), limit) is (outcome != "undecided")


def test_where_a_difference_comes_from_largest_first():
    objects = {A: {"Python": 20.0, "pydantic-core": 10.0}, B: {"Python": 19.0, "libc": 3.0}}
    records = started((30.0, 30.0), (22.0, 22.0), objects=objects)
    found = counted_document(counted_contrast(MAIN, counts_of(records)), records)["objects"]
    assert list(found.items()) == [("pydantic-core", (10.0, 0.0)), ("libc", (0.0, 3.0)), ("Python", (20.0, 19.0))]


def printed(records, contrasts=(MAIN,), **more):
    """The document and its lines."""
    found = with_instructions(summary(contrasts=()), counts_of(records), contrasts)
    written = document(found, records, 12.0, **more)
    plain = json.loads(json.dumps(written, default=asdict))
    jsonschema.validate(plain, schema_of("versus"), jsonschema.Draft202012Validator)
    return plain, lines(manifest(), found, written)


def test_the_verdict_is_named_first_then_the_difference_and_what_it_is_in_time():
    a, b = (103_100.0,) * 2, (100_000.0,) * 2
    notes, packages = [Reason("told", {"text": "a note"})], {"x": ("1", None)}
    records = started(a, b, twin=a, cpu_s=(206.2e-6, 200e-6))
    written, said = printed(records, (CONTROL, MAIN), notes=notes, packages=packages)
    assert said == [
        "fast executes 3.1% [3.1, 3.1] more instructions per request than slow.",
        # 20 µs for 100,000 instructions are 0.2 ns each.
        "A − B: +3,100 [+3,100, +3,100] instructions per request, about +0.62 µs of CPU, +3.1% of B's CPU cost: "
        "0.20 [0.20, 0.20] ns per instruction on this machine, kernel included",
        "Decided in 12 s: 2 blocks with fresh servers, Small JSON reply, 32 connections; counted by callgrind in user "
        "space; the margin is ±0.50%.",
        *(
            f"{side}: {count} instructions per request; left out: 200,000 per second when idle, 0 per request for "
            "collections of garbage"
            for side, count in (("A  fast", "103,100"), ("B  slow", "100,000"))
        ),
        "By shared object: Python +3,100",
        "A/A control: 0% [0%, 0%], same; the margin is ±0.50%",
        "The two environments differ in: x 1 against none",
        "note: a note",
    ]
    assert (written["verdict"], written["difference"], written["blocks"]) == ("different", pytest.approx(3100), 2)
    assert (written["difference_us"], written["validity"]) == (pytest.approx(0.62), [])
    assert written["control"][0]["ratio"] == 1
    assert [count["target"] for count in written["counts"]] == ["fast", "slow"] * 2
    assert state(result(a, b)) == "A against B in instructions per request: 3.1% [3.1%, 3.1%] after 2 blocks: different"


def test_without_cpu_clocks_nothing_is_said_of_time():
    written, said = printed(started((103_100.0,) * 2, (100_000.0,) * 2))
    assert written["difference_us"] is None
    assert not any("µs" in line for line in said)


def test_starts_that_only_one_side_came_through_count_for_nothing():
    assert result((103_100.0, 104_000.0, 103_100.0), (100_000.0,) * 2).blocks == 2
    written, said = printed(started((103_100.0,), ()))
    assert (written["verdict"], written["ratio"], "counts" in written) == ("not-measurable", None, False)
    assert said[0].startswith("Not measurable: fast against slow in instructions per request (")


def functions(**calls):
    """Calls of functions of a heartbeat, of one that fires each second, and of requests; some by both."""
    beats, seconds, requests = calls["beats"], calls["seconds"], calls["requests"]
    counts = Counter({("uvloop", f"timer{number}"): beats for number in range(7)})
    counts.update({("Python", f"date{number}"): seconds for number in range(40)})
    counts.update({("Python", f"handler{number}"): (number + 1) * requests for number in range(7)})
    counts["libc", "malloc"] = 50 * (beats + seconds + requests)
    return counts


@pytest.mark.parametrize(
    ("busy", "idle", "share"),
    [
        pytest.param((31, 4), (36, 4), 31 / 36, id="a timer that waits for requests"),
        pytest.param((36, 4), (36, 4), 1.0, id="a timer in a thread of its own"),
        pytest.param((19, 2), (23, 3), 19 / 23, id="a rarer timer has another share"),
        pytest.param((3, 0), (36, 4), 3 / 36, id="a server that waits for its CPU"),
        pytest.param((0, 0), (0, 0), 1.0, id="no heartbeat"),
    ],
)
def test_heartbeats_under_load_are_counted(busy, idle, share):
    busy = functions(beats=busy[0], seconds=busy[1], requests=150)
    idle = functions(beats=idle[0], seconds=idle[1], requests=0)
    assert heartbeats(busy, idle) == pytest.approx(share)


def test_a_heartbeat_cut_by_the_end_of_counting_goes_with_most_of_its_functions():
    idle = functions(beats=5, seconds=1, requests=0)
    busy = functions(beats=5, seconds=1, requests=40)
    late = [("uvloop", f"late{number}") for number in range(9)]
    idle.update(dict.fromkeys(late, 5))
    busy.update(dict.fromkeys(late, 6))
    assert heartbeats(busy, idle) == pytest.approx(6 / 5)


def test_heartbeats_of_a_shorter_time_are_fewer():
    idle = functions(beats=36, seconds=4, requests=0)
    assert heartbeats(functions(beats=9, seconds=1, requests=150), idle, 0.3) == pytest.approx(9 / 36)
    assert heartbeats(functions(beats=0, seconds=0, requests=150), idle, 0.01) == pytest.approx(0.01)
