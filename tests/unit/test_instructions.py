"""What counts of instructions come to, and what is printed of them."""

import json
from collections import Counter
from dataclasses import asdict, replace

import jsonschema
import pytest

from harness.instruments.instructions import heartbeats
from harness.model import Block, Gate, InstructionCount, Plan, Reason, Side, SideResult, Slices, Window, WindowRecord
from harness.report.instructions import document, lines, signed_thousand, state
from harness.report.schemas import schema_of
from harness.results.instructions import compare, result_of


def counted(target, values, objects=None):
    """A start for each value, in instructions per request."""
    return [
        InstructionCount(target, "json@1", "callgrind", value, 9, 1, 2e5, objects or {"Python": value}, {"X": "0"})
        for value in values
    ]


def result(a, b=(1e6, 1e6, 1e6), **options):
    return compare(counted("a", a), counted("b", b), **options)


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
    assert found.starts == len(a)
    assert (found.starts_needed is not None) <= (verdict == "undecided")


def test_the_margin_can_be_set():
    assert result((1_002_000, 1_002_100, 1_001_900), margin=0.001).verdict == "different"


def test_difference_and_ratio_with_their_ends():
    # t for 99% and 4 degrees of freedom is 4.604. The variance of 0, 300, 600 is 300², that of both sides together
    # half as much, and the error of the difference of two means of three is 300 · √(1/2 · 2/3) = 173.2.
    found = result((1_010_000, 1_010_300, 1_010_600))
    assert found.difference.value == pytest.approx(10_300)
    assert found.difference.ci_low == pytest.approx(10_300 - 4.604 * 173.2, rel=1e-4)
    assert found.ratio.value == pytest.approx(1.0103, rel=1e-6)
    assert found.ratio.ci_low < 1.0103 < found.ratio.ci_high


@pytest.mark.parametrize(("limit", "outcome"), [(0.005, "failed"), (0.02, "passed"), (0.0103, "undecided")])
def test_a_limit_is_held_against_the_interval(limit, outcome):
    found = result((1_010_000, 1_010_300, 1_010_600))
    assert found.slower(limit) == outcome
    assert found.decided(limit) is (outcome != "undecided")


def test_where_a_difference_comes_from_largest_first():
    a = counted("a", (30.0, 30.0), {"Python": 20.0, "pydantic-core": 10.0})
    b = counted("b", (22.0, 22.0), {"Python": 19.0, "libc": 3.0})
    objects = compare(a, b).objects
    assert [(each.name, each.difference) for each in objects] == [
        ("pydantic-core", 10.0),
        ("libc", -3.0),
        ("Python", 1.0),
    ]


def run_of(a, b, twin=(), cpu_s=()):
    """The plan and the records of a comparison; ``cpu_s`` is what 10 replies of A and of B took, gates or not."""
    names = ["a", "b", *(["a (A/A)"] if twin else [])]
    sides = tuple(Side(name, "json@1") for name in names)
    plan = Plan("versus", 0, 9.0, 9.0, (), (), (Block(0, ("a", "b"), (Window("w", 0, sides, 1.0, 1.0),)),))
    results = tuple(SideResult(name, "json@1", "json", {}, 1) for name in names)

    def record(number, **values):
        return WindowRecord(f"w{number}", number, 0, "instructions", "wire", "", 1.0, results, **values)

    values = dict(zip(names, (a, b, twin), strict=False))
    starts = range(max(map(len, values.values())))
    counts = [
        record(n, counts=tuple(counted(name, each[n : n + 1])[0] for name, each in values.items() if n < len(each)))
        for n in starts
    ]
    if cpu_s:
        same = dict.fromkeys(("started", "length", "window", "drain", "generator_cpu", "foreign_cpu"), (1.0, 1.0))
        same |= dict.fromkeys(("round", "wrong", "failed"), (0, 0))
        slices = Slices(side=(0, 1), cpu=cpu_s, replies=(10, 10), window_replies=(10, 10), **same)
        busy = Gate(Reason("foreign-cpu", {"share": 0.9, "limit": 0.03}))
        counts.append(replace(record(9, slices=slices, gates=(busy,)), study=""))
    return plan, counts


def test_the_difference_is_named_first_then_what_it_is_in_time():
    a, b = (103_100.0,) * 2, (100_000.0,) * 2
    found = result_of(*run_of(a, b, twin=a, cpu_s=(206.2e-6, 200e-6)))
    said = lines(found, 12.0, [Reason("told", {"text": "a note"})], {"x": ("1", None)})
    assert said[0].startswith("+3.10 [+3.10, +3.10] thousand instructions per request, ratio 1.031")
    assert said[0].endswith("differs by at least the margin; the margin is ±0.50%.")
    # 20 µs for 100 thousand instructions are 0.2 ns each.
    assert said[1].startswith("About +0.62 µs of CPU per request, +3.1% of B's CPU cost: 0.20 [0.20, 0.20] ns")
    assert "2 starts of each side, json@1; counted by callgrind in user space" in said[2]
    assert any(line == "By shared object, in thousand: Python +3.10" for line in said)
    assert any(line.startswith("A/A control: ratio 1.0000") for line in said)
    assert said[-1] == "note: a note"
    written = json.loads(json.dumps(asdict(document(found, 12.0, [], {}, "folder"))))
    jsonschema.validate(written, schema_of("instructions"), jsonschema.Draft202012Validator)
    assert (written["verdict"], written["difference"], written["starts"]) == ("different", pytest.approx(3100), 2)
    assert written["difference_us"] == pytest.approx(0.62)
    assert "undecided" not in state(found)


def test_without_cpu_clocks_nothing_is_said_of_time():
    found = result_of(*run_of((103_100.0,) * 2, (100_000.0,) * 2))
    assert found.difference_us is None
    assert not any("µs" in line for line in lines(found, 12.0, [], {}))


def test_starts_that_only_one_side_came_through_count_for_nothing():
    assert result_of(*run_of((103_100.0, 104_000.0, 103_100.0), (100_000.0,) * 2)).starts == 2
    assert result_of(*run_of((103_100.0,), ())) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(3_100, "+3.10"), (-12_440, "−12.44"), (456_123, "+456.1"), (12, "+0.012"), (0, "+0")],
)
def test_thousands(value, text):
    assert signed_thousand(value) == text


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


def test_heartbeats_of_a_shorter_time_are_fewer():
    idle = functions(beats=36, seconds=4, requests=0)
    assert heartbeats(functions(beats=9, seconds=1, requests=150), idle, 0.3) == pytest.approx(9 / 36)
    assert heartbeats(functions(beats=0, seconds=0, requests=150), idle, 0.01) == pytest.approx(0.01)
