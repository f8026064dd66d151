import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from harness.errors import RecordError
from harness.model import Manifest, Plan, Side, Slices
from harness.record import Run, find_run, list_runs
from tests.conftest import NoRoom
from tests.records import turns

PLAN = Plan("smoke", 1, 30.0, 20.0, (), (), ())
MANIFEST = Manifest("r1", "", "2026-01-01T00:00:00+00:00", "running", "harness run", 1, PLAN, (), (), {}, {})


def record(name="b00-json@32", attempt=0):
    slices = Slices(*((0,),) * 2, *((0.05,),) * 4, *((10,),) * 2, *((0,),) * 2, *((0.01,),) * 3)
    return turns(name, 0, (Side("a", "json@32"),), slices, attempt=attempt)


def test_what_is_saved_is_read_again(tmp_path):
    run = Run.create(tmp_path / "r1", MANIFEST)
    saved = run.append(record(), {0: np.array([1.5, 2.5])})
    run.append(record("b00-other"), {})
    run.finish("finished", 12.5)
    again = Run.open(tmp_path / "r1")
    assert again.manifest == replace(MANIFEST, status="finished", duration_s=12.5)
    assert [r.id for r in again.windows()] == ["b00-json@32", "b00-other"]
    assert again.windows()[0] == saved
    assert again.samples(saved)[0].tolist() == [1.5, 2.5]
    assert again.samples(again.windows()[1]) == {}


def test_a_line_cut_off_by_a_crash_is_skipped(tmp_path):
    run = Run.create(tmp_path / "r1", MANIFEST)
    run.append(record(), {})
    with (run.folder / "windows.jsonl").open("ab") as file:
        file.write(b'{"id": "b00-half", "schema": 3, "bl')
    assert [r.id for r in run.windows()] == ["b00-json@32"]
    run.append(record("b00-next"), {})
    assert [r.id for r in run.windows()] == ["b00-json@32", "b00-next"]


def test_a_broken_sample_file_is_no_number(tmp_path):
    run = Run.create(tmp_path / "r1", MANIFEST)
    saved = run.append(record(), {0: np.array([1.0])})
    (run.folder / saved.samples).write_bytes(b"PK\x03\x04 half")
    assert run.samples(saved) == {}


@pytest.mark.parametrize("content", ["", "[]", "{}", "not json"])
def test_what_is_no_manifest_is_refused(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(RecordError):
        Run.open(tmp_path)


def test_a_folder_with_a_run_is_not_written_over(tmp_path):
    Run.create(tmp_path / "r1", MANIFEST)
    with pytest.raises(RecordError, match="already holds a run"):
        Run.create(tmp_path / "r1", MANIFEST)


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match="cannot be written"):
        Run.create(tmp_path / "file" / "r1", MANIFEST)


def test_a_disk_that_takes_no_more_is_an_error_and_leaves_what_was_saved(tmp_path):
    run = Run.create(tmp_path / "r1", MANIFEST)
    run.append(record(), {})
    size = (run.folder / "windows.jsonl").stat().st_size
    with pytest.raises(RecordError, match="File too large") as caught, NoRoom(size + 100):
        run.append(record("b00-next"), {})
    assert "--resume" in caught.value.hint
    with pytest.raises(RecordError, match=r"manifest\.json cannot be written"), NoRoom(10):
        run.finish("finished", 1.0)
    again = Run.open(run.folder)
    assert again.manifest == MANIFEST
    assert [r.id for r in again.windows()] == ["b00-json@32"]


def test_runs_are_found_by_path_id_and_latest(tmp_path):
    Run.create(tmp_path / "r1", MANIFEST)
    Run.create(tmp_path / "r2", MANIFEST)
    assert find_run("r1", tmp_path) == tmp_path / "r1"
    assert find_run(str(tmp_path / "r2"), tmp_path) == tmp_path / "r2"
    assert find_run("latest", tmp_path) in list_runs(tmp_path)
    with pytest.raises(RecordError, match="no run is called 'r3'") as caught:
        find_run("r3", tmp_path)
    assert "did you mean" in caught.value.hint
    assert "r1" in caught.value.hint
    with pytest.raises(RecordError) as caught:
        find_run("of yesterday", tmp_path)
    assert caught.value.hint.startswith("the latest are")


def test_two_processes_do_not_measure_one_run(tmp_path):
    run = Run.create(tmp_path / "r1", MANIFEST)
    code = f"""from pathlib import Path
from harness.record import Run
with Run.open(Path({str(run.folder)!r})).locked():
    pass
"""
    command = [sys.executable, "-c", code]
    with run.locked():
        refused = subprocess.run(command, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "is being measured by another process" in refused.stderr
    assert subprocess.run(command).returncode == 0
