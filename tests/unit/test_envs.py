"""Environments that are kept, the interpreters that they are made from, and what hides an app of theirs."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.errors import NotReadyError, UsageError
from harness.model import Reason
from harness.prepare.select import parse_target
from harness.serve import envs
from harness.serve.envs import UNUSED_S, cached_environment, packages_of, prune, shadowed, with_packages
from harness.serve.interpreter import gil_reason


def target(application, python=sys.executable):
    return parse_target(f"{application}@uvicorn,python={python}")


def test_an_app_of_the_working_folder_in_place_of_the_environments_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert shadowed([target("starlette.applications:Starlette"), target("no_such_module:app")]) == []
    (tmp_path / "starlette.py").write_text("")
    (tmp_path / "own.py").write_text("")
    [warning] = shadowed(
        [target("starlette.applications:Starlette"), target("own:app"), target("own:app", "/no/python")]
    )
    assert (warning.code, str(warning.fields["here"])) == ("shadowed", str(tmp_path / "starlette.py"))


def other_interpreter():
    """One that is installed here, of another version than this; none on some machines."""
    for folder in (Path("/usr/bin"), *sorted(Path.home().glob(".pyenv/versions/3.1[1-9]*/bin"))):
        command = [str(folder / "python3"), "-c", "import sys; print(sys.version_info >= (3, 11), sys.version)"]
        if (folder / "python3").exists():
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
            if done.stdout.startswith("True ") and done.stdout != f"True {sys.version}\n":
                return folder / "python3"
    pytest.skip("no other interpreter is installed here")


def test_the_same_packages_under_another_interpreter(tmp_path):
    other = other_interpreter()
    base = cached_environment(sys.executable, ["base"], [(["itsdangerous==2.1.2", "markupsafe"], "")], tmp_path)
    made = with_packages([f"python={other}"], str(base), tmp_path)
    before, after = packages_of(str(base)), packages_of(str(made))
    version = "import platform; print('CPython', platform.python_version())"
    for python, found in ((sys.executable, before), (other, after)):
        done = subprocess.run([python, "-c", version], capture_output=True, text=True, check=True, timeout=60)
        assert found.pop("python") == done.stdout.strip()
    assert before == after
    assert set(after) == {"itsdangerous", "markupsafe"}
    assert with_packages([f"python={other}"], str(base), tmp_path) == made
    newer = with_packages([f"python={other}", "ItsDangerous==2.2.0"], str(base), tmp_path)
    assert packages_of(str(newer))["itsdangerous"] == "2.2.0"
    assert packages_of(str(newer))["markupsafe"] == after["markupsafe"]


@pytest.mark.parametrize(
    ("requirements", "error", "message"),
    [
        (["python==3.99"], NotReadyError, "3.99"),
        (["python=/no/python"], NotReadyError, "/no/python cannot be run"),
        (["python==3.13", "python==3.12"], UsageError, "one interpreter, not 3.12 and 3.13"),
        ([" "], UsageError, "no package was named"),
    ],
)
def test_an_interpreter_that_is_not_to_be_had(tmp_path, requirements, error, message):
    base = cached_environment(sys.executable, ["base"], [], tmp_path)
    with pytest.raises(error, match=message):
        with_packages(requirements, str(base), tmp_path)


def test_environments_that_nobody_uses_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(envs, "RETAINED", 2)
    now = time.time()
    for name, age in (("a", 0.0), ("b", 2.0), ("c", 0.9), ("d", 1.1), ("e-half-made", 3.0)):
        (tmp_path / name / "bin").mkdir(parents=True)
        os.utime(tmp_path / name, (now, now - age * UNUSED_S))
    prune(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c"]
    used = cached_environment(sys.executable, ["base"], [], tmp_path).parent.parent
    os.utime(used, (0, 0))
    assert cached_environment(sys.executable, ["base"], [], tmp_path).parent.parent == used
    assert used.stat().st_mtime > now - UNUSED_S


LOG = """
<frozen importlib._bootstrap>:488: RuntimeWarning: The global interpreter lock (GIL) has been enabled to load module \
'httptools.parser.parser', which has not declared that it can run safely without the GIL. To override this behavior \
and keep the GIL disabled (at your own risk), run with PYTHON_GIL=0 or -Xgil=0.
INFO:     Application startup complete.
""".replace("\\\n", "")


@pytest.mark.parametrize(
    ("state", "log", "expected"),
    [
        ("always", "", None),
        ("off", "INFO:     Application startup complete.\n", Reason("gil-off", {"target": "A"})),
        ("off", LOG, Reason("gil-on", {"target": "A", "by": "httptools.parser.parser"})),
        ("on", "", Reason("gil-on", {"target": "A", "by": "PYTHON_GIL"})),
    ],
)
def test_whether_a_free_threaded_server_had_its_lock(state, log, expected):
    assert gil_reason("A", state, log) == expected


def test_what_is_not_built_for_another_interpreter_is_left_out(tmp_path, monkeypatch):
    other = other_interpreter()
    base = cached_environment(sys.executable, ["base"], [(["itsdangerous==2.1.2", "markupsafe"], "")], tmp_path)
    markupsafe = packages_of(str(base))["markupsafe"]
    uv = envs.uv

    def without_markupsafe(*words, text="", folder=tmp_path):
        if "markupsafe" in f"{words} {text}" and "freeze" not in words:
            raise NotReadyError(f"markupsafe {markupsafe} has no wheel")
        return uv(*words, text=text, folder=folder)

    monkeypatch.setattr(envs, "uv", without_markupsafe)
    assert set(packages_of(str(with_packages([f"python={other}"], str(base), tmp_path)))) == {"itsdangerous", "python"}
    newer = with_packages([f"python={other}", "itsdangerous==2.2.0"], str(base), tmp_path)
    assert packages_of(str(newer))["itsdangerous"] == "2.2.0"
    with pytest.raises(NotReadyError, match="no wheel"):
        with_packages(["itsdangerous==2.2.0"], str(base), tmp_path)
