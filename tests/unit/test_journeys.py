"""Journeys without Locust: what their files say, how they are planned, recorded and judged."""

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from harness.cluster.senders import window_send_result
from harness.config import load_declarations
from harness.engine.soundness import reasons
from harness.engine.spec import JourneySpec
from harness.errors import DeclarationError, UsageError
from harness.journeys.files import find_journeys, journey_of, read_journey
from harness.journeys.recorder import Recorder, class_name, error_kind
from harness.model import Failure, Gate, Journey, PlannedRequest, SideResult, Target, final_attempts
from harness.model.load import Latencies, LoadResult, WorkerShare
from harness.model.reason import Reason
from harness.plan import lacking
from harness.plan.profiles import PROFILES
from harness.plan.single_side import JOURNEYS, journey_sides, single_side_blocks, suited
from harness.report.markdown import render_markdown
from harness.report.report import render_report
from harness.results.loads import journeys
from harness.results.summarise import summarise
from harness.results.tails import pooled
from harness.session.validity import transient
from harness.stats.quantiles import class_percentiles
from harness.verify import case_of
from tests.records import alone
from tests.unit.summaries import Numbers, agrees, manifest, resolve

TARGETS = (
    Target("all", "x", "asgi", "uvicorn", "a:app", endpoints=("*",)),
    Target("few", "x", "asgi", "uvicorn", "a:app", endpoints=("health",)),
    Target("flask", "x", "wsgi", "gunicorn", "a:app", endpoints=("*",), lacks={"websocket": "WSGI has none"}),
    Target("own", "own", "asgi", "uvicorn", "a:app"),
)
ORDER = Journey("shop", "Shopping", "shop.py", "d", 8, (PlannedRequest("orders-full", "M"),))
SPEC = JourneySpec("shop.py", "http://127.0.0.1:1", 8, 1.0, 4.0)
CHAT = Journey("chat", "Chatting", "chat.py", "d", 8, (), ("websocket",))


def test_the_journeys_that_ship_say_what_they_send_and_the_contract_has_it():
    found = find_journeys(Path("/nowhere"))
    assert {"journey", "streams"} <= set(found)
    for journey in found.values():
        assert journey.requests
        assert all(case_of(request) for request in journey.requests)
        needs = [request.endpoint for request in journey.requests], journey.capabilities
        served = [target.name for target in load_declarations().targets if not lacking(target, *needs)]
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
    order, chat = suited((ORDER, CHAT), TARGETS)
    assert order.left_out == {"few": LACK}
    assert chat.left_out == {"flask": Reason("lacks", {"text": "WSGI has none"})}


def planned(targets, journey, profile, **options):
    sides = journey_sides(suited([journey], targets), targets)
    return single_side_blocks(sides, JOURNEYS, PROFILES[profile], seed=1, **options)


def windows_of(blocks):
    return [window for block in blocks for window in block.windows]


def test_windows_fill_the_budget_in_random_order_and_at_least_three_blocks():
    one = planned(TARGETS, ORDER, "quick", budget_s=200, fixed=True)
    assert {window.block for window in windows_of(one)} == set(range(5))
    assert len(windows_of(one)) == 15 == len({window.id for window in windows_of(one)})
    assert sum(block.load_s for block in one) <= 200
    again = planned(TARGETS, ORDER, "quick", budget_s=200, fixed=True)
    assert again == one
    orders = {tuple(w.sides[0].target for w in windows_of(one) if w.block == block) for block in range(5)}
    assert len(orders) > 1
    with pytest.raises(UsageError, match="too short"):
        planned(TARGETS, ORDER, "quick", budget_s=30, fixed=True)
    grown = planned(TARGETS, ORDER, "smoke", budget_s=28, fixed=False)
    assert {window.block for window in windows_of(grown)} == {0, 1, 2}
    with pytest.raises(UsageError, match="WSGI has none"):
        planned(TARGETS[2:3], CHAT, "quick", budget_s=200, fixed=False)


class CatchResponseError(Exception):
    pass


def test_every_response_time_is_kept_as_it_is():
    recorder = Recorder()
    recorder("GET", "/a", 1.0)
    recorder.counting = True
    for ms in (123.4567, 0.0321, 12345.678):
        recorder("GET", "/a", ms)
    recorder("POST", "order", 5.0)
    recorder("POST", "order", 5.0, exception=CatchResponseError("status 500"))
    recorder("GET", "/a", None, exception=ConnectionRefusedError("no"))
    recorder.counting = False
    recorder("GET", "/a", 1.0)
    recorder.raised(KeyError("id"))
    result = recorder.result(SPEC, 4.0, {"generator_cpu": 0.1, "generator_wait": 0.0})
    assert {key: latencies.values.tolist() for key, latencies in result.series.items()} == {
        "GET /a": pytest.approx([123456.7, 32.1, 12345678.0]),
        "order": [5000.0],
    }
    assert result.errors == {"wrong-reply": 1, "connection-refused": 1, "raised-key": 1}
    assert result.examples["wrong-reply"] == "order: status 500"
    assert (result.loop, result.connections, result.planned, result.answered, result.failed) == ("journey", 8, 7, 4, 3)
    assert (result.service_time_us.count, result.throughput_rps) == (4, 1.0)
    progress = recorder.progress()
    assert progress.replies == 6
    assert progress.classes["order"] == (1, 1, 5000.0)


def test_users_are_divided_without_loss():
    parts = [dataclasses.replace(SPEC, users=7).part(index, 3) for index in range(3)]
    assert [part.users for part in parts] == [3, 2, 2]
    assert [(part.share, part.shares) for part in parts] == [(0, 3), (1, 3), (2, 3)]
    assert len({part.seed for part in parts}) == 3


def test_names_of_classes_and_errors():
    assert class_name("GET", "http://x/a") == "GET http://x/a"
    assert class_name("WS", "echo") == "echo"
    assert error_kind("said no") == "wrong-reply"
    assert error_kind(TimeoutError()) == "timeout"
    assert error_kind(ConnectionResetError()) == "connection-reset"


def journey_result(**changes):
    order = Latencies.of(np.arange(1.0, 101.0))
    values = {"loop": "journey", "connections": 8, "duration_s": 4.0, "elapsed_s": 4.0, "planned": 100, "in_time": 100}
    values |= {"answered": 100, "service_time_us": order, "series": {"order": order}, "generator_cpu": 0.1}
    return LoadResult(**(values | changes))


def outcome_of(result, spent=0.05):
    side = SideResult("all", ORDER.point, "shop", {}, 8)
    return window_send_result(side, result, SimpleNamespace(cpu_s={"all": spent} if spent else {}))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"planned": 102, "failed": 2, "errors": {"timeout": 2}}, ["replies"]),
        ({"planned": 0, "answered": 0, "service_time_us": None}, ["replies"]),
        ({"generator_cpu": 0.8}, ["generator-bound"]),
        ({"generator_wait": 0.2}, ["generator-starved"]),
    ],
)
def test_gates_of_a_window(changes, expected):
    result = journey_result(**changes)
    assert [
        gate.reason.code for gate in outcome_of(dataclasses.replace(result, reasons=reasons(result))).gates
    ] == expected


def test_a_window_that_lost_a_worker_is_tried_again():
    lost = Reason("worker-lost", {"worker": "worker 2 (b)", "why": "silent"})
    workers = (WorkerShare("worker 1 (a)", 4, 100, clock_uncertain_s=0.002), WorkerShare("worker 2 (b)", 4, lost="x"))
    outcome = outcome_of(journey_result(reasons=(lost,), workers=workers, lost_share=0.5))
    assert [gate.reason for gate in outcome.gates] == [lost]
    assert transient(outcome.gates)
    figures = outcome.sides[0].figures
    assert (figures["workers"], figures["lost_workers"], figures["lost_share"]) == (2, 1, 0.5)
    assert figures["clock_uncertain_s"] == 0.002


def test_a_journeys_result_is_a_windows():
    [side] = outcome_of(journey_result()).sides
    assert (side.planned, side.answered, side.concurrency) == (100, 100, 8)
    assert side.figures["throughput_rps"] == 25
    assert side.figures["cpu_us"] == pytest.approx(500)
    assert side.latency_us["order"]["p50"] == 50
    assert len(outcome_of(journey_result()).samples[0]) == 100
    assert "cpu_us" not in outcome_of(journey_result(), spent=0).sides[0].figures


@pytest.mark.parametrize(
    ("count", "p90", "p99"), [(0, None, None), (99, None, None), (100, 90, None), (1000, 900, 990)]
)
def test_a_pooled_percentile_has_ten_samples_beyond_it(count, p90, p99):
    times = np.arange(count, 0.0, -1)
    assert pooled([times[::2], times[1::2]] if count else []) == {"p90": p90, "p99": p99}


def test_percentiles_are_samples():
    table = class_percentiles(np.arange(1.0, 1001.0))
    assert table == {"count": 1000, "p50": 500, "p90": 900, "p99": 990, "p999": 999, "max": 1000}


def record(target, block, samples, attempt=0, **changes):
    figures = {"throughput_rps": 25.0 + block, "cpu_us": 500.0 + 10 * block}
    return alone(
        f"j{block}-{target}", block, "journey", target, ORDER.point, attempt=attempt, engine="locust", concurrency=8,
        planned=100, answered=sum(map(len, samples.values())), latencies=dict(sorted(samples.items())),
        figures=figures, **changes,
    )  # fmt: skip


SAMPLES = {"order": np.linspace(1000.0, 2000.0, 400), "sign in": np.linspace(5000.0, 9000.0, 30)}
LACK = Reason("not-implemented", {"endpoint": "orders-full"})
BUSY = Gate(Reason("foreign-cpu", {"text": "busy"}))
RECORDS = (
    *(record("all", block, SAMPLES) for block in range(3)),
    record("flask", 0, SAMPLES, gates=(BUSY,)),
    record("flask", 0, SAMPLES, attempt=1),
    record("flask", 1, SAMPLES, gates=(BUSY,)),
    record("own", 0, {}, failures=(Failure("own", ORDER.point, Reason("died", {"text": "exit code 9"})),)),
)


def kept(found):
    return {index: SAMPLES[name] for index, name in enumerate(sorted(found.only.latency_us))}


def shop_manifest():
    base = manifest()
    journey = dataclasses.replace(ORDER, left_out={"few": LACK})
    return dataclasses.replace(base, targets=TARGETS, journeys=(journey,))


def test_results_are_over_blocks_and_say_why_there_is_none():
    found = {result.target: result for result in journeys(shop_manifest(), final_attempts(RECORDS), kept)}
    assert [found[name].status for name in ("all", "few", "flask", "own")] == ["ok", "not-run", "ok", "failed"]
    assert found["few"].reasons == (LACK,)
    assert found["own"].reasons == (Reason("died", {"text": "exit code 9"}),)
    assert found["flask"].throughput_rps.blocks == 1
    assert found["flask"].reasons == (BUSY.reason,)
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
    summary = summarise(run, RECORDS, kept)
    page = render_report(run, summary, RECORDS)
    document = json.loads(json.dumps(dataclasses.asdict(summary)))
    shown = [entry for entry in Numbers(page).shown if entry[0].startswith("journeys.")]
    assert len(shown) > 10
    for path, value, text in shown:
        assert value == resolve(document, path), path
        assert agrees(text, value), (path, value, text)
    assert "2 of 3 targets answered every request correctly with 8 users" in page
    assert "the app does not implement orders-full" in page
    assert "### Shopping" in render_markdown(run, summary)
    [missing] = [reason for reason in summary.reasons if reason.code == "loads-missing"]
    assert missing.fields["listed"][0].startswith("own")
