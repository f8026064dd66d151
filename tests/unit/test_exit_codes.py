"""Commands and the states that they end in, each with its exit code: 1 says that a limit failed, and nothing else."""

import shutil
import socket
from pathlib import Path

import pytest

from tests import cli

from .test_load_slices import server

KEPT = Path(__file__).parents[1] / "data" / "schema-1"
OWN = ("own:app@uvicorn", "own:app@uvicorn")
COMMANDS = ("run", "load", "versus", "profile", "compare", "check", "report", "export", "verify", "list", "selftest")
COST = "fastapi-uvicorn json cpu"


@pytest.fixture(scope="module", params=["answers", "silent"])
def url(request):
    """A server that answers with ``{"hello":"world"}``, or takes connections and says nothing."""
    if request.param == "silent":
        with socket.create_server(("127.0.0.1", 0)) as listener:
            yield request.param, f"http://127.0.0.1:{listener.getsockname()[1]}/"
    else:
        with server() as (port, _):
            yield request.param, f"http://127.0.0.1:{port}/"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("base", "new"):
        shutil.copytree(KEPT, tmp_path / "results" / name)
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_option_is_2(folder, command):
    assert cli.harness(command, "--no-such-option").code == 2


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, ("check", "new", "--gate", f"{COST} < 1s")),
        (1, ("check", "new", "--gate", f"{COST} < 1us")),
        (4, ("check", "new", "--against", "base", "--max-p99", "3%", "--max-slower", "900%")),
        (0, ("compare", "base", "new")),
        (0, ("list", "runs")),
        (2, ("list", "things")),
        (2, ("run", "-t", "own:app@uvicorn")),
        (2, ("run", "-s", "jsn")),
        (2, ("run", "-t", "own:app@uvcorn")),
        (2, ("versus", OWN[0])),
        (2, ("versus", *OWN, "--budget", "3s")),
        (2, ("versus", *OWN, "--fail-if-slower", "3")),
        (2, ("profile", "own:app@uvicorn", "--path", "x")),
        (2, ("verify", "-t", "nothing")),
        (3, ("compare", "base", "nothing")),
        (3, ("check", "nothing", "--gate", "* cpu < 1s")),
        (3, ("report", "nothing")),
        (3, ("export", "nothing")),
        (3, ("run", "--resume", "nothing")),
        (3, ("load", "http://127.0.0.1:1/")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_each_end_has_its_code(folder, code, words):
    done = cli.harness(*words)
    assert done.code == code, done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("words", "answers"),
    [
        ((), 0),
        (("--expect-body", '{"hello":"world"}'), 0),
        (("--expect-status", "404"), 1),
        (("--expect-body", "x"), 1),
    ],
)
def test_a_load_is_1_where_a_reply_is_not_the_expected_one_and_4_without_replies(url, words, answers):
    state, at = url
    done = cli.harness("load", at, "-c", "1", "-d", "200ms", "--timeout", "300ms", "-q", *words)
    assert done.code == (answers if state == "answers" else 4), done.out


@pytest.mark.parametrize("command", ["run", "load", "versus", "check"])
def test_an_error_of_the_program_itself_is_70(folder, monkeypatch, command):
    def broken(*words: object, **options: object) -> None:
        raise ZeroDivisionError("a slip")

    monkeypatch.setattr("harness.cli.app", broken)
    assert cli.harness(command).code == 70
