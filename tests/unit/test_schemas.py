"""The documented schemas are those of the code, and what is written fits them."""

import json
from pathlib import Path

import jsonschema
import pytest
from pydantic import TypeAdapter
from typer.testing import CliRunner

from harness.analyse.summarise import summarise
from harness.cli import app
from harness.commands.schema import DOCUMENTS, schema_of, text_of
from harness.model import Abilities, Effort, Feature, Manifest, SlotRecord, WindowRecord
from harness.record import Run
from tests.synthetic import make_run
from tests.unit.test_check_command import KEPT

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_documented_is_what_is_written(name):
    assert (FOLDER / f"{name}.json").read_text("utf-8") == text_of(name), "run scripts/schemas"
    jsonschema.Draft202012Validator.check_schema(schema_of(name))


def valid(name, value):
    jsonschema.validate(value, schema_of(name), jsonschema.Draft202012Validator)


def dumped(kind, value):
    return json.loads(TypeAdapter(kind).dump_json(value))


def test_a_runs_files_fit():
    run = Run.open(KEPT)
    valid("manifest", dumped(Manifest, run.manifest))
    for slot in run.slots():
        valid("slot", dumped(SlotRecord, slot))
    few = {"blocks": 2, "rounds": 4}
    for made in (make_run(**few), make_run(**few, all_failed=True, hostile=True)):
        summary = summarise(made.manifest, made.slots, made.samples)
        valid("summary", dumped(type(summary), summary))
    features = (Feature("a", "jwt", True, False, detail="no token"),)
    valid("features", dumped(Abilities, Abilities(features, (Effort("a", "a", {"jwt": 3}, {"jwt": {"x": "1"}}),))))
    window = WindowRecord("w0", 0, 0, "capacity", "a", "json@32", "wire", {"rate": 10}, "2026-01-01", 1.0, 10, 10)
    valid("window", dumped(WindowRecord, window))


@pytest.mark.parametrize("words", [("compare", "base", "new"), ("check", "new", "--gate", "* cpu < 1s")])
def test_what_commands_print_fits(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").mkdir()
    for name in ("base", "new"):
        (tmp_path / "results" / name).symlink_to(KEPT)
    valid(words[0], json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout))


def test_a_document_that_lacks_a_key_does_not_fit():
    value = dumped(Manifest, Run.open(KEPT).manifest)
    del value["seed"]
    with pytest.raises(jsonschema.ValidationError, match="'seed' is a required property"):
        valid("manifest", value)


def test_the_command_prints_them():
    runner = CliRunner()
    assert json.loads(runner.invoke(app, ["schema", "load"]).stdout)["properties"]["lateness_us"]["description"]
    assert len(runner.invoke(app, ["schema"]).stdout.splitlines()) == len(DOCUMENTS)
    assert "did you mean manifest" in runner.invoke(app, ["schema", "manifst"]).exception.hint
