"""Journeys without Locust: what their files say, how they are planned, recorded and judged."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from harness.analyse.journeys import journeys
from harness.analyse.summarise import summarise
from harness.declare import load_declarations
from harness.errors import DeclarationError, UsageError
from harness.model import Failure, Gate, Journey, PlannedRequest, Target, WindowRecord
from harness.plan.profiles import PROFILES
from harness.render.markdown import render_markdown
from harness.render.report import render_report
from harness.swarm.conduct import journey_gates
from harness.swarm.journeys import find_journeys, journey_of, lacking, read_journey
from harness.swarm.messages import JourneyMeasurement
from harness.swarm.plan import journey_plan
from harness.swarm.recorder import Recorder, class_name, error_kind
from harness.swarm.windows import percentiles
from harness.verify import case_of
from tests.unit.summaries import Numbers, agrees, manifest, resolve

TARGETS = (
    Target("all", "x", "asgi", "uvicorn", "a:app", endpoints=("*",)),
    Target("few", "x", "asgi", "uvicorn", "a:app", endpoints=("health",)),
    Target("flask", "x", "wsgi", "gunicorn", "a:app", endpoints=("*",), lacks={"websocket": "WSGI has none"}),
    Target("own", "own", "asgi", "uvicorn", "a:app"),
)
ORDER = Journey("shop", "Shopping", "shop.py", "d", 8, (PlannedRequest("orders-full", "M"),))
CHAT = Journey("chat", "Chatting", "chat.py", "d", 8, (), ("websocket",))


def test_the_journeys_that_ship_say_what_they_send_and_the_contract_has_it():
    found = find_journeys(Path("/nowhere"))
    assert {"journey", "streams"} <= set(found)
    for journey in found.values():
        assert journey.requests
        assert all(case_of(request) for request in journey.requests)
        served = [target.name for target in load_declarations().targets if not lacking(target, journey)]
        assert "fastapi-uvicorn" in served
        assert "raw-asgi-uvicorn" not in served


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("import locust\nUSERS = 0", "USERS", 2),
        ("import locust\n\nUSERS = 'many'", "USERS", 3),
        ("import locust\nUSERS = 4 * 4", "USERS", 2),
        ("from locust import task\nREQUESTS = {'a': ('json',)}", "REQUESTS", 2),
        ("import locust\nREQUESTS = {'a': ENDPOINTS}", "REQUESTS", 2),
        ("import locust\ndef (", "", 2),
    ],
)
def test_a_constant_that_is_wrong_is_told_with_its_line(tmp_path, text, key, line):
    file = tmp_path / "j.py"
    file.write_text(text)
    with pytest.raises(DeclarationError) as caught:
        read_journey(file)
    assert (caught.value.key, caught.value.line) == (key, line)


def test_a_file_of_ones_own_needs_no_constants(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text('"""My users.\n\nMore.\n"""\nfrom locust import HttpUser\n')
    journey = journey_of(str(file), users=3)
    assert (journey.name, journey.title, journey.users, journey.requests) == ("mine", "My users", 3, ())
    file.write_text("print('nothing to do with it')")
    with pytest.raises(UsageError, match="does not import locust"):
        journey_of(str(file))
    with pytest.raises(UsageError, match="no such file"):
        journey_of("absent.py")


def test_targets_that_cannot_serve_a_journey_are_left_out_with_the_reason():
    assert [lacking(target, ORDER) for target in TARGETS] == ["", "does not implement orders-full", "", ""]
    assert [lacking(target, CHAT) for target in TARGETS] == ["", "", "WSGI has none", ""]
    plan = journey_plan(TARGETS, (ORDER, CHAT), PROFILES["quick"], seed=1, budget_s=200, fixed=True)
    assert plan.journeys[0].left_out == {"few": "does not implement orders-full"}
    assert plan.journeys[1].left_out == {"flask": "WSGI has none"}


def test_windows_fill_the_budget_in_random_order_and_at_least_three_blocks():
    one = journey_plan(TARGETS, (ORDER,), PROFILES["quick"], seed=1, budget_s=200, fixed=True)
    assert {window.block for window in one.windows} == set(range(5))
    assert len(one.windows) == 15 == len({window.id for window in one.windows})
    assert one.estimate_s <= 200
    again = journey_plan(TARGETS, (ORDER,), PROFILES["quick"], seed=1, budget_s=200, fixed=True)
    assert again == one
    orders = {tuple(w.target for w in one.windows if w.block == block) for block in range(5)}
    assert len(orders) > 1
    with pytest.raises(UsageError, match="too short"):
        journey_plan(TARGETS, (ORDER,), PROFILES["quick"], seed=1, budget_s=30, fixed=True)
    grown = journey_plan(TARGETS, (ORDER,), PROFILES["smoke"], seed=1, budget_s=28, fixed=False)
    assert {window.block for window in grown.windows} == {0, 1, 2}
    with pytest.raises(UsageError, match="WSGI has none"):
        journey_plan(TARGETS[2:3], (CHAT,), PROFILES["quick"], seed=1, budget_s=200, fixed=False)


class CatchResponseError(Exception):
    pass


def test_every_response_time_is_kept_as_it_is():
    recorder = Recorder()
    recorder("GET", "/a", 1.0)
    recorder.begin()
    for ms in (123.4567, 0.0321, 12345.678):
        recorder("GET", "/a", ms)
    recorder("POST", "order", 5.0)
    recorder("POST", "order", 5.0, exception=CatchResponseError("status 500"))
    recorder("GET", "/a", None, exception=ConnectionRefusedError("no"))
    recorder.end()
    recorder("GET", "/a", 1.0)
    assert {key: values.tolist() for key, values in recorder.latency_us().items()} == {
        "GET /a": pytest.approx([123456.7, 32.1, 12345678.0]),
        "order": [5000.0],
    }
    assert recorder.errors == {"wrong-reply": 1, "connection-refused": 1}
    assert recorder.examples["wrong-reply"] == "order: status 500"


def test_names_of_classes_and_errors():
    assert class_name("GET", "http://x/a") == "GET http://x/a"
    assert class_name("WS", "echo") == "echo"
    assert error_kind("said no") == "wrong-reply"
    assert error_kind(TimeoutError()) == "timeout"
    assert error_kind(ConnectionResetError()) == "connection-reset"


def came(**changes):
    values = {"duration_s": 4.0, "latency_us": {"order": np.arange(1.0, 101.0)}, "generator_cpu": 0.1} | changes
    return JourneyMeasurement(**values)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"errors": {"timeout": 2}, "examples": {"timeout": "order: slow"}}, ["replies"]),
        ({"latency_us": {}}, ["replies"]),
        ({"generator_cpu": 0.8}, ["generator-bound"]),
        ({"generator_wait": 0.2}, ["generator-starved"]),
        ({"lost": ("worker 1 (a) was lost: silent",)}, ["worker-lost"]),
    ],
)
def test_gates_of_a_window(changes, expected):
    plan = journey_plan(TARGETS, (ORDER,), PROFILES["quick"], seed=1, budget_s=200, fixed=True)
    assert [gate.gate for gate in journey_gates(plan.windows[0], came(**changes))] == expected


def test_percentiles_are_samples():
    table = percentiles(np.arange(1.0, 1001.0))
    assert table == {"count": 1000, "p50": 500, "p90": 900, "p99": 990, "p999": 999, "max": 1000}


def record(target, block, samples, attempt=0, **changes):
    values = {
        "figures": {"throughput_rps": 25.0 + block, "cpu_us": 500.0 + 10 * block},
        "latency_us": {name: percentiles(values) for name, values in sorted(samples.items())},
        "answered": sum(map(len, samples.values())),
    } | changes
    return WindowRecord(
        id=f"j{block}-{target}", block=block, attempt=attempt, study="journey", target=target, point=ORDER.point,
        engine="locust", setting={"users": 8}, started_at="", duration_s=4.0, planned=100, **values,
    )  # fmt: skip


SAMPLES = {"order": np.linspace(1000.0, 2000.0, 400), "sign in": np.linspace(5000.0, 9000.0, 30)}
BUSY = Gate("foreign-cpu", "", "", "busy")
RECORDS = (
    *(record("all", block, SAMPLES) for block in range(3)),
    record("flask", 0, SAMPLES, gates=(BUSY,)),
    record("flask", 0, SAMPLES, attempt=1),
    record("flask", 1, SAMPLES, gates=(BUSY,)),
    record("own", 0, {}, failures=(Failure("own", ORDER.point, "died", "exit code 9"),), latency_us={}),
)


def kept(found):
    return {index: SAMPLES[name] for index, name in enumerate(sorted(found.latency_us))}


def shop_manifest():
    base = manifest()
    journey = dataclasses.replace(ORDER, left_out={"few": "does not implement orders-full"})
    return dataclasses.replace(base, targets=TARGETS, journeys=(journey,))


def test_results_are_over_blocks_and_say_why_there_is_none():
    found = {result.target: result for result in journeys(shop_manifest(), RECORDS, kept)}
    assert [found[name].status for name in ("all", "few", "flask", "own")] == ["ok", "not-run", "ok", "failed"]
    assert found["few"].reasons == ("does not implement orders-full",)
    assert found["own"].reasons == ("died: exit code 9",)
    assert found["flask"].throughput_rps.blocks == 1
    assert found["flask"].reasons == ("foreign-cpu: busy",)
    whole = found["all"]
    assert whole.replies == 3 * 430
    assert whole.throughput_rps.blocks == 3
    assert whole.cpu_us.ci_low < whole.cpu_us.value < whole.cpu_us.ci_high
    order, sign_in = whole.classes
    assert order.count == 1200
    assert order.p50_us.value == pytest.approx(1500, rel=0.01)
    assert order.p99_us == pytest.approx(1990, rel=0.01)
    assert sign_in.count == 90
    assert (sign_in.p90_us, sign_in.p99_us) == (None, None)


def test_the_section_shows_the_numbers_of_the_summary():
    run = shop_manifest()
    summary = summarise(run, (), lambda r: {}, RECORDS, kept)
    page = render_report(run, summary, (), windows=RECORDS)
    document = json.loads(json.dumps(dataclasses.asdict(summary)))
    shown = [entry for entry in Numbers(page).shown if entry[0].startswith("journeys.")]
    assert len(shown) > 10
    for path, value, text in shown:
        assert value == resolve(document, path), path
        assert agrees(text, value), (path, value, text)
    assert "2 of 3 targets answered everything rightly to 8 users" in page
    assert "does not implement orders-full" in page
    assert "## Journeys: shop" in render_markdown(run, summary)
    assert any(reason.startswith("journeys or shared loads without a valid number: own") for reason in summary.reasons)
