"""``harness compare`` and ``harness check`` as a pipeline calls them, on a kept run."""

import json
import shutil
from pathlib import Path

import pytest

from harness.report.step_summary import MOST_BYTES, append
from harness.results.check import exit_code
from tests import cli

KEPT = Path(__file__).parents[1] / "data" / "schema-1"
TARGET = "fastapi-uvicorn"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("HARNESS_CHECK_GATE", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("base", "new"):
        shutil.copytree(KEPT, tmp_path / "results" / name)
    return tmp_path


def harness(*words):
    """Exit code, and what was printed or said."""
    done = cli.harness(*words)
    return done.code, done.out + done.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--gate", f"{TARGET} json cpu < 1s"), 0, "1 of 1 check passed"),
        (("--gate", f"{TARGET} json cpu < 1us"), 1, "FAILED"),
        (("--gate", f"{TARGET} / raw-asgi-uvicorn cpu > 1.5", "--against", "base"), 0, "undecided does not fail"),
        (("--against", "base", "--strict"), 1, "--strict counts undecided as failed"),
        (("--against", "base", "--max-slower", "900%", "-q"), 0, "checks passed"),
        (("--against", "base", "--max-p99", "3%", "--max-slower", "900%"), 4, "missing"),
        ((), 2, "there is nothing to check"),
        (("--max-slower", "3%", "--gate", "* cpu < 1"), 2, "name it with --against"),
        (("--against", "base", "--max-slower", "fast"), 2, "is not a percentage: expected something like 3%"),
        (("--against", "base", "--anchor", "raw-asgi"), 2, "did you mean raw-asgi-uvicorn"),
        (("--against", "bas"), 3, "did you mean base"),
    ],
)
def test_a_check_says_what_it_found_and_exits_so(folder, words, code, said):
    found, text = harness("check", "new", *words)
    assert found == code, text
    assert said in text


def test_failed_comes_before_missing_before_the_rest():
    from tests.unit.test_gate import checked, synthetic

    run = synthetic(failing=["flask-gunicorn"])
    missing = checked(run, "flask-gunicorn cpu < 1")
    failed = checked(run, "fastapi-uvicorn cpu < 1us")
    assert [exit_code(each, False) for each in (missing, failed, [*missing, *failed], [])] == [4, 1, 1, 0]


def test_the_steps_page_gets_the_table_and_no_more_than_it_shows(folder, monkeypatch):
    page = folder / "step.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    harness("check", "new", "--gate", "* cpu < 1s")
    harness("check", "new", "--gate", f"{TARGET} cpu < 1us")
    text = page.read_text()
    assert text.count("## harness check") == 2
    assert "| FAILED | fastapi-uvicorn | json\\@16" in text or "| FAILED | fastapi-uvicorn | json@16" in text
    append("x\n" * MOST_BYTES)
    assert page.stat().st_size < 2 * MOST_BYTES
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "/no/such/folder/page")
    append("nothing breaks")


def test_json_documents_hold_what_was_decided(folder):
    code, text = harness("check", "new", "--gate", f"{TARGET} cpu < 1us", "--json")
    document = json.loads(text)
    assert (code, document["exit_code"], document["checks"][0]["outcome"]) == (1, 1, "failed")
    code, text = harness("compare", "base", "new", "--json")
    assert code == 0
    changes = json.loads(text)["changes"]
    assert {change["ratio"] for change in changes} == {1.0}


def test_a_run_that_was_interrupted_does_not_look_as_if_it_passed(folder):
    manifest = folder / "results" / "new" / "manifest.json"
    value = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**value, "status": "interrupted"}))
    records = folder / "results" / "new" / "slots.jsonl"
    lines = {json.loads(line)["slot"]: line for line in records.read_text().splitlines()}
    *kept, _ = lines.values()
    records.write_text("\n".join(kept) + "\n")
    _, text = harness("check", "new", "--gate", "* cpu < 1s")
    assert f"warning: the run was not finished: {len(kept)} of {len(lines)} planned windows were measured" in text


def test_compare_speaks_text_and_markdown(folder):
    code, text = harness("compare", "base", "new")
    assert code == 0
    assert "fastapi-uvicorn, json@16: CPU per request 0% [" in text
    assert "relative to raw-asgi-uvicorn" in text
    code, table = harness("compare", "base", "new", "--markdown")
    assert code == 0
    rows = [line for line in table.splitlines() if line.startswith("| fastapi")]
    assert len(rows) == 2
    assert harness("compare", "base", "new", "--markdown", "--json")[0] == 2


def test_settings_reach_the_check(folder):
    (folder / "pyproject.toml").write_text(f"[tool.harness.check]\ngate = ['{TARGET} json cpu < 1us']\n")
    assert harness("check", "new")[0] == 1
    assert harness("check", "new", "--gate", f"{TARGET} json cpu < 1s")[0] == 0
