"""The command where nothing is measured: what is wrong is told, plans, lists and help are shown."""

import json
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.report.language.catalogue import ENGLISH
from tests import cli
from tests.conftest import asgi_app
from tests.integration.test_command import harness
from tests.unit.test_check_command import KEPT

SAMPLE = Path(__file__).parents[2] / "results" / "sample"

pytestmark = pytest.mark.usefixtures("no_process_left")
live = pytest.mark.live


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Exit code, and what was said."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str]:
        done = cli.harness(*words)
        return done.code, done.err

    return run


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("run", "-t", "fastapi-uvcorn"), 2, "did you mean fastapi-uvicorn"),
        (("run", "-s", "jsn"), 2, "did you mean json"),
        (("run", "--profile", "fast"), 2, "must be smoke, quick, "),
        (("run", "--budget", "soon"), 2, "--budget: 'soon' is not a duration"),
        (("run", "--budget", "3s"), 2, "too short"),
        (("run", "--resume", "nothing"), 3, "no run is called 'nothing'"),
        (("run", "--out", "/proc/nowhere"), 3, "/proc/nowhere cannot be written"),
        pytest.param(
            ("run", "-t", "no.module:app@uvicorn,endpoints=*", "-s", "json"), 3, "No module named", marks=live
        ),
        (("report", "nothing"), 3, "no run is called 'nothing'"),
        (("list", "things"), 2, "'things' is not one of 'targets', 'scenarios', 'servers', 'runs'"),
        (("serve", "raw-asgi-uvicorn", "--port", "99999"), 2, "--port"),
        (("serve", "*"), 2, " targets: fastapi-uvicorn"),
        (("load", "htp://x"), 2, "htp"),
        (("load", "http://127.0.0.1:1/"), 3, "cannot reach 127.0.0.1:1"),
        (("frobnicate",), 2, "frobnicate"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_errors_say_what_to_do(told, words, code, message):
    ended, said = told(*words)
    assert ended == code, said
    assert message in said
    assert "Traceback" not in said


@live
def test_a_port_that_is_taken(tmp_path):
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = harness("serve", "raw-asgi-uvicorn", "--port", port, folder=tmp_path)
    assert done.returncode == 3
    assert f"port {port} on 127.0.0.1 cannot be used: Address already in use" in done.stderr


def test_malformed_toml_names_file_line_and_key(told, tmp_path):
    (tmp_path / "targets.toml").write_text('[[target]]\nname = "x"\nthreads = "many"\n')
    ended, said = told("list", "targets")
    assert ended == 2
    assert re.search(r"targets\.toml:\d+: target\.0\.", said)


def test_the_plan_can_be_seen_without_measuring(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = cli.harness("run", "--dry-run", "--seed", "3")
    assert done.code == 0
    assert "5 blocks with fresh servers" in done.out
    assert list(Path(tmp_path).iterdir()) == []


def test_doctor_and_lists_speak_json(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    findings = json.loads(cli.harness("doctor", "--json").out)["findings"]
    texts = ENGLISH.names("reasons")
    assert len(findings) >= 7
    assert all(finding["reason"]["code"] in texts for finding in findings)
    for what in ("targets", "scenarios", "servers"):
        assert json.loads(cli.harness("list", what, "--json").out)


def test_help_answers_at_once(tmp_path):
    words = [sys.executable, "-X", "importtime", "-m", "harness.cli", "--help"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0
    assert "run" in done.stdout
    for heavy in ("pandas", "numpy", "vl_convert", "pydantic", "uvloop", "scipy", "rich.console"):
        assert not re.search(rf"\| +{re.escape(heavy)}$", done.stderr, re.MULTILINE), heavy


@pytest.mark.parametrize(
    ("sides", "words", "code", "message"),
    [
        (("good:app@uvicron", "good:app@uvicorn"), (), 2, "did you mean uvicorn"),
        pytest.param(("good:app@uvicorn", "missing:app@uvicorn"), (), 3, "missing", marks=live),
        pytest.param(("good:app@uvicorn", "broken:app@uvicorn"), (), 3, "ZeroDivisionError", marks=live),
        (("good:app@uvicorn", "failing:app@uvicorn"), (), 3, "answered 500, expected below 400"),
        pytest.param(
            ("good:app@uvicorn", "partly:app@uvicorn"),
            ("--path", "/nowhere"),
            3,
            "answered 404, expected below 400",
            marks=live,
        ),
        (("good:app@uvicorn", "good:app@uvicorn"), ("--path", "nowhere"), 2, "must begin with /"),
        # Nothing was started: that of a missing app would have failed.
        (("good:app@uvicorn", "missing:app@uvicorn"), ("--budget", "2s"), 2, "too short"),
        (
            ("good:app@uvicorn", "good:app@uvicorn"),
            ("--metric", "speed"),
            2,
            "--metric: 'speed' is not one of 'cpu_cost'",
        ),
        (("good:app@uvicorn", "good:app@uvicorn"), ("--fail-if-slower", "much"), 2, "is not a percentage"),
        (("good:app@uvicorn", "good:app@uvicorn"), ("--fail-if-slower", "3"), 2, "'3' would be 300%: write 3%"),
        (("good:app@uvicorn", "good:app@uvicorn"), ("-H", "X: \u65e5"), 2, "which is not Latin-1"),
        (("good:app@uvicorn", "good:app@uvicorn"), ("-X", "G ET"), 2, "is not an HTTP method"),
        pytest.param(
            ("good:app@uvicorn,python=/no/python", "good:app@uvicorn"), (), 3, "/no/python cannot be run", marks=live
        ),
        pytest.param(
            ("good:app@uvicorn", "good:app@uvicorn"),
            ("--with-a", "no-such-package-as-this==1"),
            3,
            "could not be made",
            marks=live,
        ),
    ],
    ids=lambda value: None if isinstance(value, int) else " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_is_wrong_is_told(own_app, told, sides, words, code, message):
    own_app(asgi_app(), module="good")
    own_app("1/0\n", module="broken")
    own_app(asgi_app(status="200 if scope['path'] == '/health' else 500"), module="failing")
    own_app(asgi_app(status="200 if scope['path'] == '/health' else 404"), module="partly")
    ended, said = told("versus", *sides, *words)
    assert ended == code, said
    assert message in said
    assert "Traceback (most recent call last)" not in said.partition("    ")[0]


def test_a_report_that_cannot_be_written_is_told_before_anything_is_measured(told, tmp_path):
    ended, said = told("run", "-t", "raw-asgi-uvicorn", "-s", "json", "--report", "/proc/nowhere/r.html", "--out", "r")
    assert ended == 3
    assert "/proc/nowhere/r.html cannot be written: No such file or directory" in said
    assert not (tmp_path / "r").exists()


@live
def test_too_few_open_files_are_told_before_anything_is_measured(tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))

    done = harness("run", "-t", "raw-asgi-uvicorn", "-s", "json", "--out", "r", folder=tmp_path, preexec_fn=limit)
    assert done.returncode == 3, done.stderr
    assert "the system allows 200 open files; 32 connections need 544" in done.stderr
    assert "ulimit -Hn 544" in done.stderr
    assert not (tmp_path / "r").exists()


def test_a_run_with_counts_of_two_servers_at_once_can_be_resumed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(SAMPLE, tmp_path / "results" / "sample")
    records = tmp_path / "results" / "sample" / "windows.jsonl"
    lines = records.read_text().splitlines()
    assert any(record["study"] == "instructions" and len(record["sides"]) > 1 for record in map(json.loads, lines))
    records.write_text("\n".join(lines[1:]) + "\n")
    done = cli.harness("run", "--resume", "sample", "--dry-run")
    assert done.code == 0, done.err
    assert "1 block with fresh servers, each with 1 window;" in done.out


def test_a_resumed_run_can_be_looked_at_without_measuring(told, tmp_path):
    shutil.copytree(KEPT, tmp_path / "results" / "kept")
    records = tmp_path / "results" / "kept" / "slots.jsonl"
    lines = records.read_text().splitlines()
    last = json.loads(lines[-1])["slot"]
    records.write_text("\n".join(line for line in lines if json.loads(line)["slot"] != last) + "\n")
    before = {path: path.read_bytes() for path in (tmp_path / "results").rglob("*") if path.is_file()}
    done = cli.harness("run", "--resume", "kept", "--dry-run")
    assert done.code == 0, done.err
    assert "1 block with fresh servers, each with 1 window;" in done.out
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    ended, said = told("run", "--resume", "kept", "--profile", "smoke")
    assert ended == 2
    assert "--resume continues the run's own plan: leave out --profile" in said
