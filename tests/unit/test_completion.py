"""What the shell offers; and nothing where a file of the project is broken."""

import os
import subprocess
import sys

import pytest

from harness.cli import completion
from tests.unit.test_check_command import KEPT


def test_names_are_offered_and_a_broken_file_offers_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "kept").symlink_to(KEPT)
    assert "fastapi-uvicorn" in completion.targets("fast")
    assert completion.scenarios("js") == ["json"]
    assert completion.profiles("q") == ["quick"]
    assert completion.runs("") == ["latest", "kept"]
    (tmp_path / "targets.toml").write_text("[[target]]\nname = 3\n")
    assert completion.targets("fast") == []


@pytest.mark.live
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_completions_in_its_own_form(tmp_path, shell):
    variables = {"COMP_WORDS": "harness run -t tornado-n", "COMP_CWORD": "3", "_HARNESS_COMPLETE": f"complete_{shell}"}
    variables |= {"_TYPER_COMPLETE_ARGS": "harness run -t tornado-n", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    command = [
        sys.executable,
        "-c",
        "import sys; sys.argv[0] = 'harness'; from harness.cli import app; app(prog_name='harness')",
    ]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, **variables}, capture_output=True, text=True, timeout=60
    )
    assert "tornado-native" in done.stdout, done.stderr
