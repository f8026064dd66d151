import sys

from harness.declare import parse_target
from harness.launch.envs import shadowed
from harness.servers import interface_of


def target(application, python=sys.executable):
    return parse_target(f"{application}@uvicorn,python={python}", interface_of)


def test_an_app_of_the_working_folder_in_place_of_the_environments_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert shadowed([target("starlette.applications:Starlette"), target("no_such_module:app")]) == []
    (tmp_path / "starlette.py").write_text("")
    (tmp_path / "own.py").write_text("")
    [warning] = shadowed(
        [target("starlette.applications:Starlette"), target("own:app"), target("own:app", "/no/python")]
    )
    assert str(tmp_path / "starlette.py") in warning
    assert "run from another folder" in warning
