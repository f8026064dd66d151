"""Mistakes in a project's own files: each is told with file, line, key, and the names that are near."""

import pytest

from tests.cli import harness

TARGET = """[[target]]
name = "shop"
framework = "flask"
interface = "wsgi"
server = "gunicorn"
application = "shop.web:app"
"""
SERVER = """[servers.mine]
program = "gunicorn"
"""
SCENARIO = """title = "T"
question = "pick"
why = "W"
concurrency = [8]

[[request]]
endpoint = "json"
"""
RUNGS = """[[ladder]]
name = "steps"
title = "Steps"
kind = "framework"
rungs = [
    { label = "a", target = "raw-asgi-uvicorn", scenario = "json" },
    { label = "b", target = "shop", scenario = "json" },
]
"""


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (TARGET + 'options = { worker_clas = "sync" }', "7: target.0.options.worker_clas", "did you mean worker_class"),
        (TARGET + "options = { backlog = 1 }", "7: target.0.options.backlog", "greater than or equal to 64, not 1"),
        (TARGET + 'options.worker_class = "gthred"', "7: target.0.options.worker_class", "did you mean gthread"),
        (TARGET + 'threads = "many"', "7: target.0.threads", "a valid integer, not 'many'"),
        (TARGET + SERVER + 'options = { backlog = "many" }', "9: servers.mine.options.backlog", "integer, not 'many'"),
        (TARGET + SERVER + 'threads = "many"', "9: servers.mine.threads", "a valid integer, not 'many'"),
        (TARGET.replace("gunicorn", "gunicor"), "5: target.0.server", "did you mean gunicorn"),
        (TARGET + 'endpoints = ["jsn"]', "7: target.0.endpoints.0", "did you mean json"),
        (TARGET + 'lacks = { jsn = "x" }', "7: target.0.lacks.jsn", "did you mean json"),
        (TARGET + 'lacks.jwts = "x"', "7: target.0.lacks.jwts", "did you mean jwt"),
        (TARGET + 'ready = "up"', "7: target.0.ready", "a path that begins with /, not 'up'"),
        (TARGET.replace('"shop"', '"my shop"'), "2: target.0.name", "a name of letters, digits"),
        (TARGET + RUNGS.replace('"shop"', '"shp"'), "13: ladder.0.rungs.1.target", "did you mean shop"),
        (TARGET + RUNGS.replace('"json" },\n]', '"jsn" },\n]'), "13: ladder.0.rungs.1.scenario", "did you mean json"),
        (TARGET + '[[contrast]]\nquestion = "pick"\na = "shp"\nb = "shop"', "9: contrast.0.a", "did you mean shop"),
        (
            TARGET + '[[contrast]]\nquestion = "pick"\na = "shop"\nb = "shop"\nscenarios = ["jsn"]',
            "11: contrast.0.scenarios.0",
            "did you mean json",
        ),
    ],
)
def test_a_mistake_in_targets(tmp_path, monkeypatch, text, place, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "targets.toml").write_text(text)
    done = harness("run", "--dry-run", "-s", "json")
    assert done.code == 2
    assert f"targets.toml:{place}: " in done.err
    assert said in done.err


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (SCENARIO.replace('"json"', '"jsn"'), "7: request.0.endpoint", "did you mean json"),
        (SCENARIO + 'case = "vald"', "8: request.0.case", "did you mean valid"),
        ('group = "g"\nagainst = "jsn"\n' + SCENARIO, "2: against", "did you mean json"),
        (SCENARIO.replace("concurrency = [8]", 'study = "memry"'), "4: study", "memory"),
        (
            SCENARIO.replace("concurrency = [8]", 'study = "memory"\ntargets = ["raw-asgi-uvicor"]'),
            "5: targets.0",
            "did you mean raw-asgi-uvicorn",
        ),
    ],
)
def test_a_mistake_in_a_scenario(tmp_path, monkeypatch, text, place, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "own.toml").write_text(text)
    done = harness("run", "--dry-run", "-s", "own")
    assert done.code == 2
    assert f"own.toml:{place}: " in done.err
    assert said in done.err
