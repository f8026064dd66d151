import json
import shutil
from pathlib import Path

import pytest

from harness import __version__, model
from harness.errors import RecordError
from harness.model import Reason
from harness.record import Run
from harness.record.upgrade import SCHEMA, STEPS, upgraded
from harness.results.summarise import summarise
from tests.unit.test_record import MANIFEST, record

OLD = Path(__file__).parents[1] / "data" / "schema-1"


def test_every_older_schema_has_a_step_and_what_is_written_is_the_present_one():
    assert set(STEPS) == set(range(1, SCHEMA))
    for kind in (model.Manifest, model.WindowRecord, model.Abilities):
        assert kind.__dataclass_fields__["schema"].default == SCHEMA


@pytest.mark.parametrize("schema", range(1, SCHEMA))
def test_a_run_of_every_older_schema_is_kept_here_and_read(schema):
    folder = OLD.with_name(f"schema-{schema}")
    assert json.loads((folder / "manifest.json").read_text())["schema"] == schema
    run = Run.open(folder)
    assert run.manifest.schema == SCHEMA
    assert {record.schema for record in run.windows()} == {SCHEMA}
    assert run.abilities().schema == SCHEMA
    assert summarise(run.manifest, run.windows(), run.samples, abilities=run.abilities()).cells


def test_a_run_of_the_schema_before_is_read_and_judged_and_left_as_it_is(tmp_path):
    folder = tmp_path / "old"
    shutil.copytree(OLD, folder)
    before = (folder / "manifest.json").read_bytes()
    assert json.loads(before)["schema"] == 1
    run = Run.open(folder)
    assert (run.manifest.schema, run.manifest.writer, run.manifest.packages) == (SCHEMA, "0.1.0", {})
    assert all(record.schema == SCHEMA for record in run.windows())
    summary = summarise(run.manifest, run.windows(), run.samples)
    assert {cell.target for cell in summary.cells if cell.status == "ok"} == {"raw-asgi-uvicorn", "fastapi-uvicorn"}
    assert (folder / "manifest.json").read_bytes() == before


def test_sentences_of_the_third_schema_are_codes_with_fields_and_placement_is_numbers():
    run = Run.open(OLD.with_name("schema-3"))
    [record] = run.windows()
    assert [gate.reason for gate in record.gates] == [
        Reason("foreign-cpu", {"share": pytest.approx(0.968), "limit": 0.03}),
        Reason("generator-starved", {"wait": pytest.approx(0.794)}),
    ]
    assert (run.manifest.placement, run.manifest.server_cpus) == ({"server": (0,), "generator": (1,)}, 1)
    assert not [key for key in run.manifest.environment if key.endswith(" CPU")]
    assert {window.key for window in run.manifest.plan.windows} == {"plaintext@16"}
    summary = summarise(run.manifest, run.windows(), run.samples)
    assert Reason("not-finished", {"status": "interrupted"}) in summary.reasons
    assert summary.cells[0].reasons == (record.gates[0].reason,)


@pytest.mark.parametrize(
    ("kind", "message", "reason"),
    [
        ("died", "the server died under load (exit code 9)", {"code": "died", "fields": {"text": "…"}}),
        ("cannot", "WSGI has no WebSocket", {"code": "lacks", "fields": {"text": "…"}}),
        ("not-afforded", "a turn would take 9 s", {"code": "left-out", "fields": {"text": "…"}}),
    ],
)
def test_a_failure_of_the_third_schema_keeps_its_sentence(kind, message, reason):
    failure = {"target": "t", "point": "p", "kind": kind, "message": message, "log": ["last"]}
    gates = [{"gate": "x", "target": "t", "point": "", "reason": "mild", "fatal": False}]
    found = upgraded({"schema": 3, "sides": [], "gates": gates, "failures": [failure]}, Path("windows.jsonl"))
    reason["fields"]["text"] = message
    assert found["failures"] == [{"target": "t", "point": "p", "log": ["last"], "reason": reason}]
    assert found["gates"] == []


def test_a_probe_of_the_fourth_schema_keeps_its_sentence():
    feature = {"target": "t", "capability": "sse", "declared": True}
    lacking = {**feature, "present": False, "detail": "status 404"}
    rooms = {"features": [lacking], "untouched": [{**feature, "present": True, "detail": ""}]}
    found = upgraded({"schema": 4, **rooms}, Path("features.json"))
    assert found["features"][0]["detail"] == {"code": "told", "fields": {"text": "status 404"}}
    assert found["untouched"][0]["detail"] is None
    manifest = {"schema": 4, "plan": {}}
    assert upgraded(manifest, Path("manifest.json")) == {**manifest, "schema": SCHEMA}


def test_abilities_that_the_fourth_schema_wrote_are_read_and_reported():
    run = Run.open(OLD.with_name("schema-4"))
    found = run.abilities()
    details = {(each.target, each.capability): each.detail for each in found.features}
    assert details["flask-gunicorn-gthread", "websocket"] == Reason(
        "told", {"text": "the handshake was refused with status 404"}
    )
    assert details["django-uvicorn", "early-refusal"] == Reason("told", {"text": "TimeoutError: timed out"})
    assert details["django-uvicorn", "websocket"] is None
    assert [each.detail.text for each in found.untouched] == ["status 404, text/html", "status 500, text/html"]
    summary = summarise(run.manifest, run.windows(), run.samples, abilities=found)
    assert {cell.target: cell.status for cell in summary.cells} == {
        "django-uvicorn": "ok",
        "flask-gunicorn-gthread": "ok",
    }
    assert summary.features == found.features


def test_effort_that_was_counted_by_another_rule_is_left_out(tmp_path):
    folder = tmp_path / "old"
    shutil.copytree(OLD, folder)
    feature = {"target": "fast", "capability": "jwt", "declared": True, "present": True}
    effort = {"app": "fast", "framework": "fast", "lines": {"routes": 3}, "packages": {"security": {"pyjwt": "2"}}}
    (folder / "features.json").write_text(json.dumps({"features": [feature], "effort": [effort], "schema": 2}))
    found = Run.open(folder).abilities()
    assert ([one.capability for one in found.features], found.effort, found.untouched) == (["jwt"], (), ())


def test_an_old_run_that_is_gone_on_with_is_of_both_schemas_and_read_as_one(tmp_path):
    folder = tmp_path / "old"
    shutil.copytree(OLD, folder)
    run = Run.open(folder)
    before = len(run.windows())
    run.append(record("b99-json@16"), {})
    run.finish("finished", 1.0)
    again = Run.open(folder)
    assert json.loads((folder / "manifest.json").read_text())["schema"] == SCHEMA
    assert len(again.windows()) == before + 1


@pytest.mark.parametrize("file", ["manifest.json", "windows.jsonl"])
@pytest.mark.parametrize(
    ("writer", "install"),
    [
        ("9.1.0", "pip install 'web-harness>=9.1.0'"),
        ("", "pip install --upgrade web-harness"),
        ("1'; rm -rf /", "pip install --upgrade web-harness"),
    ],
)
def test_a_newer_schema_is_refused_with_the_version_to_install(tmp_path, file, writer, install):
    run = Run.create(tmp_path / "r1", MANIFEST)
    run.append(record(), {})
    path = run.folder / file
    value = json.loads(path.read_text())
    path.write_text(json.dumps({**value, "schema": SCHEMA + 1, "writer": writer}))
    with pytest.raises(RecordError, match=f"schema {SCHEMA + 1}; this version reads up to {SCHEMA}") as caught:
        Run.open(run.folder).windows()
    assert install in caught.value.hint


@pytest.mark.parametrize("schema", [None, "2", True, 0, -1])
def test_what_says_no_schema_is_no_file_of_this_toolkit(tmp_path, schema):
    run = Run.create(tmp_path / "r1", MANIFEST)
    path = run.folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema": schema}))
    with pytest.raises(RecordError, match="has no schema version"):
        Run.open(run.folder)


def test_what_stood_in_ids_of_the_second_schema_is_a_field():
    run = Run.open(OLD.with_name("schema-2"))
    records = run.windows()
    turn = next(record for record in records if not record.study)
    assert (turn.sides[0].scenario, turn.sides[0].concurrency) == ("plaintext", 16)
    assert turn.sides[0].answered == sum(
        replies for side, replies in zip(turn.slices.side, turn.slices.replies, strict=True) if side == 0
    )
    held = next(record for record in records if record.study == "waiting")
    assert (held.only.scenario, held.only.params["requests"], held.slices) == ("waiting", 100, None)
    study = {
        "id": "b01-neighbours-t-io-blocking-5", "block": 1, "attempt": 0, "study": "neighbours", "target": "t",
        "point": "io-blocking-5", "engine": "wire", "setting": {"rate": 160}, "started_at": "", "duration_s": 2.0,
        "planned": 9, "answered": 9, "figures": {"steal": 0.1, "rss_bytes": 7.0, "cpu_s": 1.0}, "schema": 2,
    }  # fmt: skip
    found = upgraded(study, Path("windows.jsonl"))
    assert found["machine"] == {"steal": 0.1}
    assert found["rss_bytes"] == {"t": 7}
    assert (found["sides"][0]["scenario"], found["sides"][0]["params"]) == ("neighbours", {"rate": 160})


def test_the_version_is_a_version():
    assert all(part.isdigit() for part in __version__.split("."))
