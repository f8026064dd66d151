import pytest

from harness.declare import (
    load_declarations,
    match_names,
    parse_target,
    read_scenario,
    select_scenarios,
    select_targets,
)
from harness.errors import DeclarationError, UsageError
from harness.placement import detect
from harness.servers import interface_of

TARGET = """
[[target]]
name = "mine"
framework = "flask"
interface = "wsgi"
server = "gunicorn"
application = "shop.web:app"
"""
SCENARIO = """
title = "One"
question = "pick"
why = "because"
concurrency = [8]

[[request]]
endpoint = "json"
case = "valid"
"""


def test_the_packaged_files_are_read():
    declarations = load_declarations()
    assert {"fastapi-uvicorn", "flask-gunicorn-sync", "tornado-native"} <= {t.name for t in declarations.targets}
    assert {"json", "orders-raw", "io-sleep"} <= {s.name for s in declarations.scenarios}


def test_a_projects_own_targets_come_first(tmp_path):
    (tmp_path / "targets.toml").write_text(TARGET)
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "one.toml").write_text(SCENARIO)
    declarations = load_declarations(tmp_path)
    assert [t.name for t in select_targets(declarations, [], interface_of)] == ["mine"]
    assert [t.name for t in select_targets(declarations, ["fastapi-uvicor?"], interface_of)] == ["fastapi-uvicorn"]
    assert [s.name for s in select_scenarios(declarations, ["one"])] == ["one"]


@pytest.mark.parametrize(
    ("change", "line", "message"),
    [
        (("wsgi", "wsgy"), 5, "interface"),
        (('server = "gunicorn"', 'server = "gunicorn"\nworkers = 0'), 7, "workers"),
        (('server = "gunicorn"', 'server = "gunicorn"\nthread = 8'), 7, "unknown key; expected one of application"),
        (("shop.web:app", "shop.web"), 7, "application"),
        (('name = "mine"', ""), 2, "Field required"),
        (("[[target]]", "[[targets]]"), 2, "unknown key; expected one of contrast, ladder, target"),
    ],
)
def test_a_fault_in_targets_names_file_line_and_key(tmp_path, change, line, message):
    file = tmp_path / "targets.toml"
    file.write_text(TARGET.replace(*change))
    with pytest.raises(DeclarationError) as caught:
        load_declarations(tmp_path)
    assert str(caught.value).startswith(f"{file}:{line}: ")
    assert message in str(caught.value)


def test_broken_toml_names_the_line(tmp_path):
    (tmp_path / "targets.toml").write_text("[[target]\nname = 1")
    with pytest.raises(DeclarationError, match="at line 1"):
        load_declarations(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SCENARIO.replace("[8]", "[0]"), "greater than or equal to 1"),
        (SCENARIO.replace("[8]", "[]"), "at least 1 item"),
        (SCENARIO.replace('"pick"', '"choose"'), "question"),
        (SCENARIO.replace("title", 'against = "two"\ntitle'), "needs a 'group'"),
        (SCENARIO + "\n[quick]\nms = [1]\n", "which 'matrix' does not have"),
        (SCENARIO + "\n[grid]\nms = [1]\n", "'grid' names ms, which 'matrix' does not have"),
        (SCENARIO.replace("title", 'bisect = "ms"\ntitle'), "only a wait can be bisected"),
        (SCENARIO.replace("title", 'bisect = "ms"\nwait_ms = "{ms}"\ntitle'), "'bisect' names ms"),
        (SCENARIO.partition("[[")[0], "request"),
    ],
)
def test_a_faulty_scenario_is_refused(tmp_path, text, message):
    file = tmp_path / "one.toml"
    file.write_text(text)
    with pytest.raises(DeclarationError) as caught:
        read_scenario(file)
    assert message in str(caught.value)


def test_a_target_declared_twice_is_refused(tmp_path):
    (tmp_path / "targets.toml").write_text(TARGET * 2)
    with pytest.raises(DeclarationError, match="'mine' is declared twice"):
        load_declarations(tmp_path)


def test_a_contrast_must_name_declared_targets(tmp_path):
    (tmp_path / "targets.toml").write_text(TARGET + '[[contrast]]\nquestion="move"\na="mine"\nb="yours"\n')
    with pytest.raises(UsageError, match="'yours', which is not declared"):
        load_declarations(tmp_path)


def test_the_nearest_names_are_offered():
    known = {"fastapi-uvicorn": 1, "flask-gunicorn-sync": 2}
    assert match_names("f*", known, "target") == list(known)
    with pytest.raises(UsageError) as caught:
        match_names("fastapi-uvcorn", known, "target")
    assert "did you mean fastapi-uvicorn" in caught.value.hint
    with pytest.raises(UsageError) as caught:
        match_names("zzzz", known, "target")
    assert caught.value.hint == "harness list targets shows them all"


def test_a_spelled_out_target():
    target = parse_target(
        "shop.web:api.app@gunicorn,worker_class=gthread,threads=8,workers=2,keep_alive=5,name=shop", interface_of
    )
    assert (target.name, target.application) == ("shop", "shop.web:api.app")
    assert (target.server, target.interface) == ("gunicorn", "wsgi")
    assert (target.threads, target.workers) == (8, 2)
    assert target.options == {"worker_class": "gthread", "keep_alive": 5}
    assert parse_target("a:b@uvicorn", interface_of).interface == "asgi"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("shop.web@uvicorn", "application"),
        ("shop.web:app@uvicorn,fast", "'fast' is not an option"),
        ("shop.web:app@gunicorn,threads=many", "threads must be a whole number"),
        ("shop.web:app@gunicorn,threads=0", "threads"),
        ("shop.web:app@uvicron", "no server is called 'uvicron'"),
    ],
)
def test_a_target_spelled_wrongly_is_refused(text, message):
    with pytest.raises(UsageError, match=message):
        parse_target(text, interface_of)


LADDER = """
[[ladder]]
name = "mine"
title = "Mine"
kind = "framework"
rungs = [
    { label = "floor", target = "mine", scenario = "json" },
    { label = "more", target = "mine", scenario = "items" },
]
"""


def test_a_projects_own_ladder_is_read(tmp_path):
    (tmp_path / "targets.toml").write_text(TARGET + LADDER)
    ladders = {ladder.name: ladder for ladder in load_declarations(tmp_path).ladders}
    assert [rung.scenario for rung in ladders["mine"].rungs] == ["json", "items"]
    assert {"fastapi", "flask", "servers-raw-asgi"} <= set(ladders)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('"items"', '"json"'), "'mine' in 'json' is on two rungs"),
        (('"items"', '"itemz"'), "names the scenario 'itemz', which is not declared"),
        (('target = "mine", scenario = "items"', 'target = "yours", scenario = "items"'), "names the target 'yours'"),
        (("framework", "frame"), "Input should be 'framework' or 'server'"),
        ((LADDER, LADDER + LADDER), "'mine' is declared twice"),
    ],
)
def test_a_ladder_with_a_mistake_says_which(tmp_path, change, message):
    (tmp_path / "targets.toml").write_text(TARGET + LADDER.replace(*change))
    with pytest.raises((DeclarationError, UsageError)) as caught:
        load_declarations(tmp_path)
    assert message in str(caught.value)


def test_a_worker_per_cpu_is_a_number_of_workers():
    target = parse_target("shop.web:app@gunicorn,workers=cpus", interface_of)
    assert target.per_cpu
    assert target.workers == detect().per_cpu
    assert not parse_target("shop.web:app@gunicorn,workers=2", interface_of).per_cpu
    with pytest.raises(UsageError, match="whole number, not 'all'"):
        parse_target("shop.web:app@gunicorn,workers=all", interface_of)
