import json
import shutil
from pathlib import Path

import pytest

from harness import __version__, model
from harness.analyse.summarise import summarise
from harness.errors import SchemaError
from harness.record import Run
from harness.record.upgrade import SCHEMA, STEPS
from tests.unit.test_record import MANIFEST, record

OLD = Path(__file__).parents[1] / "data" / "schema-1"


def test_every_older_schema_has_a_step_and_what_is_written_is_the_present_one():
    assert set(STEPS) == set(range(1, SCHEMA))
    for kind in (model.Manifest, model.SlotRecord, model.WindowRecord, model.Abilities):
        assert kind.__dataclass_fields__["schema"].default == SCHEMA


def test_a_run_of_the_schema_before_is_read_and_judged_and_left_as_it_is(tmp_path):
    folder = tmp_path / "old"
    shutil.copytree(OLD, folder)
    before = (folder / "manifest.json").read_bytes()
    assert json.loads(before)["schema"] == SCHEMA - 1
    run = Run.open(folder)
    assert (run.manifest.schema, run.manifest.writer, run.manifest.packages) == (SCHEMA, "0.1.0", {})
    assert all(slot.schema == SCHEMA for slot in run.slots())
    summary = summarise(run.manifest, run.slots(), run.samples)
    assert {cell.target for cell in summary.cells if cell.status == "ok"} == {"raw-asgi-uvicorn", "fastapi-uvicorn"}
    assert (folder / "manifest.json").read_bytes() == before


def test_an_old_run_that_is_gone_on_with_is_of_both_schemas_and_read_as_one(tmp_path):
    folder = tmp_path / "old"
    shutil.copytree(OLD, folder)
    run = Run.open(folder)
    slots = len(run.slots())
    run.append(record("b99-json@16"), {})
    run.finish("finished", 1.0)
    again = Run.open(folder)
    assert json.loads((folder / "manifest.json").read_text())["schema"] == SCHEMA
    assert len(again.slots()) == slots + 1


@pytest.mark.parametrize("file", ["manifest.json", "slots.jsonl"])
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
    with pytest.raises(SchemaError, match=f"schema {SCHEMA + 1}; this version reads up to {SCHEMA}") as caught:
        Run.open(run.folder).slots()
    assert install in caught.value.hint


@pytest.mark.parametrize("schema", [None, "2", True, 0, -1])
def test_what_says_no_schema_is_no_file_of_this_toolkit(tmp_path, schema):
    run = Run.create(tmp_path / "r1", MANIFEST)
    path = run.folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema": schema}))
    with pytest.raises(SchemaError, match="says no schema version"):
        Run.open(run.folder)


def test_the_version_is_a_version():
    assert all(part.isdigit() for part in __version__.split("."))
