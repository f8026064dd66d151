"""Tables of a run, in three formats, with the numbers that the summary has."""

import csv
import io
import json
from dataclasses import replace
from functools import cache

import pandas as pd
import pytest

from harness.errors import UsageError
from harness.model import Side
from harness.report import export
from harness.report.export import TABLES, table, to_csv, to_json, to_parquet
from harness.results.summarise import summarise
from tests.records import alone
from tests.synthetic import make_run, points
from tests.unit.test_check_command import KEPT, harness

WINDOW = alone(
    "w0", 0, "capacity", "a", "json@32", params={"rate": 10}, planned=10, answered=9, errors={"reset": 1},
    figures={"throughput_rps": 9.0},
)  # fmt: skip
WINDOW = replace(
    WINDOW,
    sides=(replace(WINDOW.only, latency_us={"quick": {"count": 9.0, "p50": 1.5}, "slow": {"count": 1.0}}),),
)


@cache
def made(**options):
    run = make_run(at=points()[:3], blocks=3, rounds=4, **options)
    return summarise(run.manifest, run.records, run.samples), (*run.records, WINDOW)


def test_cells_and_contrasts_are_the_summarys_own_numbers():
    summary, records = made()
    rows = list(csv.DictReader(io.StringIO(to_csv(table("cells", summary, records)).decode())))
    assert [float(row["cpu_us"]) for row in rows] == [cell.cpu_us.value for cell in summary.cells]
    document = json.loads(to_json("r1", {name: table(name, summary, records) for name in TABLES}))
    assert [row["ratio"] for row in document["contrasts"]] == [each.ratio for each in summary.contrasts]
    quick, slow = document["windows"][-2:]
    assert (quick["latency_us_p50"], slow["latency_us_p50"]) == (1.5, None)
    assert len(document["slices"]) == sum(len(record.slices.side) for record in records if record.slices)
    assert all(row["counted"] for row in document["slices"])


def test_what_was_not_counted_is_marked():
    at = points()[:1]
    run = make_run(at=at, blocks=1, rounds=2, wrong=[Side("fastapi-uvicorn", at[0].id)])
    frame = table("slices", summarise(run.manifest, run.records, run.samples), run.records)
    assert set(frame[~frame["counted"]]["target"]) == {"fastapi-uvicorn"}


def test_names_that_a_spreadsheet_would_run_are_disarmed():
    frame = pd.DataFrame({"target": ["=cmd()", "a"], "x": [1.5, None]})
    assert to_csv(frame) == b"target,x\n'=cmd(),1.5\na,\n"


@pytest.mark.parametrize("name", TABLES)
def test_parquet_keeps_types_and_values(tmp_path, name):
    frame = table(name, *made(hostile=True, all_failed=name == "cells"))
    path = tmp_path / "t.parquet"
    path.write_bytes(to_parquet(frame))
    again = pd.read_parquet(path)
    assert list(again.columns) == list(frame.columns)
    assert again.to_dict("list").keys() == frame.to_dict("list").keys()
    for column in frame:
        assert pd.api.types.is_float_dtype(again[column]) == pd.api.types.is_float_dtype(frame[column])
        assert again[column].fillna(0).tolist() == frame[column].fillna(0).tolist()


def test_parquet_without_its_package_says_what_to_install(monkeypatch):
    def missing(*_, **__):
        raise ImportError

    monkeypatch.setattr(export.pd.DataFrame, "to_parquet", missing)
    with pytest.raises(UsageError) as caught:
        to_parquet(pd.DataFrame({"a": [1]}))
    assert "web-harness[parquet]" in caught.value.hint


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 0, "raw-asgi-uvicorn,json@16"),
        (("--table", "contrasts"), 0, "p_adjusted"),
        (("-f", "json"), 0, '"slices"'),
        (("--table", "slice"), 2, "--table: 'slice' is not one of 'cells', 'contrasts'"),
        (("-f", "jason"), 2, "--format: 'jason' is not one of 'csv', 'parquet', 'json'"),
        (("--table", "all"), 2, "name a folder with -o"),
        (("--table", "windows"), 0, "raw-asgi-uvicorn,json@16,json"),
        (("-o", "/proc/no/x.csv"), 3, "cannot be written"),
    ],
)
def test_the_command(words, code, said):
    found, text = harness("export", str(KEPT), *words)
    assert found == code, text
    assert said in text


def test_several_tables_go_into_a_folder(tmp_path):
    assert harness("export", str(KEPT), "--table", "all", "-o", str(tmp_path / "tables"))[0] == 0
    assert {path.name for path in (tmp_path / "tables").iterdir()} == {
        f"{table}.csv" for table in ("cells", "contrasts", "slices", "windows")
    }
