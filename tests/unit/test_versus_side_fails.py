"""What ``harness versus`` adds to the error of a side that fails."""

import subprocess
import sys

import pytest

from harness.cli.versus import _adding_differences
from harness.errors import LaunchError
from harness.model import Target


def environment(folder, version):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=60)
    installed = next(folder.glob("lib/python*/site-packages")) / f"thing-{version}.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: thing\nVersion: {version}\n")
    return str(folder / "bin" / "python")


def target(name, python):
    return Target(name, "own", "wsgi", "gunicorn", "shop:app", python=python)


def test_the_packages_that_differ_are_told_with_the_error_and_its_hint(tmp_path):
    new, old = environment(tmp_path / "new", "2.0"), environment(tmp_path / "old", "1.0")
    told = "the two environments differ in: thing 2.0 against 1.0"
    for hint, whole in (("", told), ("ready=/path", f"ready=/path\n  {told}")):
        with pytest.raises(LaunchError) as caught, _adding_differences((target("A", new), target("B", old))):
            raise LaunchError("B: the server exited with code 1", log=("ImportError",), hint=hint)
        assert (caught.value.hint, caught.value.log) == (whole, ("ImportError",))


def test_one_environment_of_both_has_nothing_to_tell():
    with pytest.raises(LaunchError) as caught, _adding_differences((target("A", ""), target("B", ""))):
        raise LaunchError("B: the server exited with code 1")
    assert caught.value.hint == ""
