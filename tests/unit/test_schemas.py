"""The documented schemas are those of the code, and what is written fits them."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from pydantic import TypeAdapter

from harness.model import OWN, Abilities, Effort, Feature, Manifest, WindowRecord
from harness.model.load import Latencies, LoadResult, WorkerShare
from harness.model.reason import Reason
from harness.record import Run
from harness.report.schemas import DOCUMENTS, schema_of, text_of
from harness.results.summarise import summarise
from tests.cli import harness
from tests.records import alone
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
    for record in run.windows():
        valid("window", dumped(WindowRecord, record))
    few = {"blocks": 2, "rounds": 4}
    for made in (make_run(**few), make_run(**few, all_failed=True, hostile=True)):
        summary = summarise(made.manifest, made.records, made.samples)
        valid("summary", dumped(type(summary), summary))
    features = (Feature("a", "jwt", True, False, detail=Reason("raised", {"text": "no token"})),)
    latencies = Latencies.of(np.arange(1.0, 100.0))
    load = LoadResult("open", 4, 2.0, 2.0, planned=9, service_time_us=latencies, series={"a": latencies})
    valid("load", replace(load, reasons=(Reason("no-worker", {"a": 1}),), workers=(WorkerShare("a", 2),)).to_json())
    valid("features", dumped(Abilities, Abilities(features, (Effort("a", "a", 26, {OWN: 3}, {"x": "1"}),))))
    window = alone("w0", 0, "capacity", "a", "json@32", params={"rate": 10}, planned=10, answered=10)
    valid("window", dumped(WindowRecord, window))


@pytest.mark.parametrize("words", [("compare", "base", "new"), ("check", "new", "--gate", "* cpu < 1s")])
def test_what_commands_print_fits(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").mkdir()
    for name in ("base", "new"):
        (tmp_path / "results" / name).symlink_to(KEPT)
    valid(words[0], json.loads(harness(*words, "--json").out))


def test_a_document_that_lacks_a_key_does_not_fit():
    value = dumped(Manifest, Run.open(KEPT).manifest)
    del value["seed"]
    with pytest.raises(jsonschema.ValidationError, match="'seed' is a required property"):
        valid("manifest", value)


def test_the_command_prints_them():
    assert json.loads(harness("schema", "load").out)["properties"]["lateness_us"]["description"]
    assert len(harness("schema").out.splitlines()) == len(DOCUMENTS)
    done = harness("schema", "manifst")
    assert done.code == 2
    assert "did you mean manifest" in done.err
