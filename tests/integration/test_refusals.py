"""The command where nothing is measured: what is wrong is told, plans, lists and help are shown."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main
from tests.conftest import asgi_app
from tests.integration.test_command import harness

pytestmark = pytest.mark.usefixtures("no_process_left")


@pytest.fixture
def told(tmp_path, monkeypatch, capfd):
    """Runs the command within this process, which has imported already what a new one would import for seconds."""

    def run(*words: str) -> tuple[int, str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["harness", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capfd.readouterr().err

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
        (("run", "-t", "no.module:app@uvicorn", "-s", "json"), 3, "No module named"),
        (("report", "nothing"), 3, "no run is called 'nothing'"),
        (("list", "things"), 2, "must be targets, scenarios, servers or runs"),
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


def test_a_port_that_is_taken(tmp_path):
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = harness("serve", "raw-asgi-uvicorn", "--port", port, folder=tmp_path)
    assert done.returncode == 3
    assert f"port {port} on 127.0.0.1 cannot be used: Address already in use" in done.stderr


def test_malformed_toml_names_file_line_and_key(tmp_path):
    (tmp_path / "targets.toml").write_text('[[target]]\nname = "x"\nthreads = "many"\n')
    done = harness("list", "targets", folder=tmp_path)
    assert done.returncode == 2
    assert re.search(r"targets\.toml:\d+: target\.0\.", done.stderr)


def test_the_plan_can_be_seen_without_measuring(tmp_path):
    done = harness("run", "--dry-run", "--seed", "3", folder=tmp_path)
    assert done.returncode == 0
    assert "5 blocks with fresh servers" in done.stdout
    assert list(Path(tmp_path).iterdir()) == []


def test_doctor_and_lists_speak_json(tmp_path):
    assert "findings" in json.loads(harness("doctor", "--json", folder=tmp_path).stdout)
    for what in ("targets", "scenarios", "servers"):
        assert json.loads(harness("list", what, "--json", folder=tmp_path).stdout)


def test_help_answers_at_once(tmp_path):
    words = [sys.executable, "-X", "importtime", "-m", "harness.cli", "--help"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "run" in done.stdout
    for heavy in ("pandas", "numpy", "altair", "pydantic", "uvloop", "scipy", "rich.console"):
        assert not re.search(rf"\| +{re.escape(heavy)}$", done.stderr, re.MULTILINE), heavy


@pytest.mark.parametrize(
    ("sides", "words", "code", "message"),
    [
        (("good:app@uvicron", "good:app@uvicorn"), (), 2, "did you mean uvicorn"),
        (("good:app@uvicorn", "missing:app@uvicorn"), (), 3, "missing"),
        (("good:app@uvicorn", "broken:app@uvicorn"), (), 3, "ZeroDivisionError"),
        (("good:app@uvicorn", "failing:app@uvicorn"), (), 3, "answered 500, expected below 400"),
        (("good:app@uvicorn", "partly:app@uvicorn"), ("--path", "/nowhere"), 3, "answered 404, expected below 400"),
        (("good:app@uvicorn", "good:app@uvicorn"), ("--path", "nowhere"), 2, "must begin with /"),
        (("good:app@uvicorn", "good:app@uvicorn"), ("--budget", "2s"), 2, "too short"),
        (("good:app@uvicorn", "good:app@uvicorn"), ("--metric", "speed"), 2, "cpu_cost or throughput"),
        (("good:app@uvicorn", "good:app@uvicorn"), ("--fail-if-slower", "much"), 2, "is no share"),
        (("good:app@uvicorn,python=/no/python", "good:app@uvicorn"), (), 3, "/no/python cannot be run"),
        (("good:app@uvicorn", "good:app@uvicorn"), ("--with-a", "no-such-package-as-this==1"), 3, "could not be made"),
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
