import pytest

from harness.config import PACKAGED, load_declarations
from harness.config.env_file import read_env_file
from harness.config.files import ScenarioFile
from harness.config.placement import detect
from harness.config.read import read
from harness.errors import DeclarationError, UsageError
from harness.prepare.select import is_url, match_names, parse_target, select_scenarios, select_targets

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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://h/@x", True),
        ("new=https://h:1/", True),
        ("own:create('redis://h')@uvicorn", False),
        ("own:app@uvicorn,env.DATABASE_URL=postgresql://me@h/db", False),
        ("fastapi-*", False),
    ],
)
def test_urls_are_told_from_targets(text, expected):
    assert is_url(text) is expected


def test_a_projects_own_targets_come_first(tmp_path):
    (tmp_path / "targets.toml").write_text(TARGET)
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "one.toml").write_text(SCENARIO)
    declarations = load_declarations(tmp_path)
    assert [t.name for t in select_targets(declarations, [])] == ["mine"]
    assert [t.name for t in select_targets(declarations, ["fastapi-uvicor?"])] == ["fastapi-uvicorn"]
    assert [s.name for s in select_scenarios(declarations, ["one"])] == ["one"]


@pytest.mark.parametrize(
    ("change", "line", "message"),
    [
        (("wsgi", "wsgy"), 5, "interface"),
        (('server = "gunicorn"', 'server = "gunicorn"\nworkers = 0'), 7, "workers"),
        (
            ('server = "gunicorn"', 'server = "gunicorn"\nthread = 8'),
            7,
            "unknown key; expected one of adds, application",
        ),
        (("shop.web:app", "shop.web"), 7, "application"),
        (('name = "mine"', ""), 2, "is missing"),
        (
            ("[[target]]", "[[targets]]"),
            2,
            "unknown key; expected one of app, contrast, lacks, ladder, servers, target",
        ),
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
        (SCENARIO.replace("[8]", "[]"), "'concurrency' must name one"),
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
        read(file).validated(ScenarioFile)
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
    target = parse_target("shop.web:api.app@gunicorn,worker_class=gthread,threads=8,workers=2,keep_alive=5,name=shop")
    assert (target.name, target.application) == ("shop", "shop.web:api.app")
    assert (target.server, target.interface) == ("gunicorn", "wsgi")
    assert (target.threads, target.workers) == (8, 2)
    assert target.options == {"worker_class": "gthread", "keep_alive": 5}
    assert parse_target("a:b@uvicorn").interface == "asgi"


def test_a_spelled_out_target_with_a_factory_and_its_surroundings():
    own = "cwd=src,env.MODE=x=y,env_file=.env,startup_timeout=2m,ready=/up"
    text = f"shop:web.create_app('a@b', debug=True)@gunicorn,{own}"
    target = parse_target(text)
    assert target.application == "shop:web.create_app('a@b', debug=True)"
    assert (target.cwd, target.env_file, target.startup_timeout, target.ready) == ("src", ".env", 120, "/up")
    assert (target.environment, target.options, target.description) == ({"MODE": "x=y"}, {}, text)


@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
def test_a_django_project_is_named_by_its_module_alone(interface):
    target = parse_target(f"mysite.{interface}@gunicorn")
    assert (target.application, target.interface) == (f"mysite.{interface}:application", interface)


def test_a_file_of_variables(tmp_path):
    file = tmp_path / ".env"
    text = r"""# a comment
A=1
export B = two words # and a comment
C="quoted # \"x\"\nline"
D='as $it is'
E=
URL=http://x/?a=b#c
"""
    file.write_text(text)
    assert read_env_file(file) == {
        "A": "1",
        "B": "two words",
        "C": 'quoted # "x"\nline',
        "D": "as $it is",
        "E": "",
        "URL": "http://x/?a=b#c",
    }
    file.write_text("A=1\nsecret words\n")
    with pytest.raises(UsageError, match=r"\.env:2: .* is not NAME=value"):
        read_env_file(file)
    with pytest.raises(UsageError, match="cannot be read"):
        read_env_file(tmp_path / "none")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("shop.web@uvicorn", "application"),
        ("shop.web:app@uvicorn,fast", "'fast' is not an option"),
        ("shop.web:app@gunicorn,threads=many", "threads must be a whole number"),
        ("shop.web:app@gunicorn,threads=0", "threads"),
        ("shop:create_app(settings)@uvicorn", "must be literals"),
        ("shop:create_app()()@uvicorn", "must be literals"),
        ("shop:app@uvicorn,startup_timeout=soon", "startup_timeout"),
        ("shop:app@uvicorn,startup_timeout=3s", "startup_timeout"),
        ("shop:app@uvicorn,ready=up", "ready"),
        ("shop.web:app@uvicron", "no server is called 'uvicron'"),
    ],
)
def test_a_target_spelled_wrongly_is_refused(text, message):
    with pytest.raises(UsageError, match=message):
        parse_target(text)


PRODUCT = """
[servers]
plain = { program = "gunicorn", threads = 8, lacks = { early-refusal = "reads first", "upload/large" = "reads first" } }
quick = { program = "gunicorn", options = { worker_class = "sync" }, workers = "cpus" }

[lacks]
wsgi = { websocket = "WSGI has none", sse = "by interface" }
flask = { sse = "by framework" }

[[app]]
name = "shop"
framework = "flask"
interface = "wsgi"
application = "shop.web:app"
reference = true
endpoints = ["health", "json"]
lacks = { early-refusal = "by the app" }
servers = ["plain"]
variants = ["quick"]
names = { quick = "shop-fast" }
"""


def own_targets(folder):
    declarations = load_declarations(folder)
    return {target.name: target for target in declarations.targets if target.name in declarations.own_targets}


def test_an_app_is_a_target_under_each_of_its_servers(tmp_path):
    (tmp_path / "targets.toml").write_text(PRODUCT)
    targets = own_targets(tmp_path)
    assert list(targets) == ["shop-plain", "shop-fast"]
    plain, fast = targets.values()
    assert (plain.framework, plain.interface, plain.server, plain.threads) == ("flask", "wsgi", "gunicorn", 8)
    assert plain.application == fast.application == "shop.web:app"
    assert (plain.reference, fast.reference, plain.variant, fast.variant) == (True, False, False, True)
    assert (fast.options, fast.per_cpu, fast.endpoints) == ({"worker_class": "sync"}, True, ("health", "json"))


def test_a_target_lacks_what_its_interface_server_framework_and_app_lack(tmp_path):
    (tmp_path / "targets.toml").write_text(PRODUCT)
    plain, fast = own_targets(tmp_path).values()
    inherited = {"websocket": "WSGI has none", "sse": "by framework"}
    # The case is left out: the app does not have its endpoint.
    assert plain.lacks == {**inherited, "early-refusal": "by the app"} == fast.lacks
    (tmp_path / "targets.toml").write_text(PRODUCT.replace('["health", "json"]', '["health", "upload"]'))
    assert own_targets(tmp_path)["shop-plain"].lacks["upload/large"] == "reads first"


def test_an_own_app_runs_under_the_packaged_servers(tmp_path):
    (tmp_path / "targets.toml").write_text(PRODUCT.replace('["plain"]', '["waitress"]'))
    assert own_targets(tmp_path)["shop-waitress"].server == "waitress"


@pytest.mark.parametrize(
    ("change", "line", "message"),
    [
        (("threads = 8", "threads = 0"), 3, "servers.plain.threads: expected greater than or equal to 1, not 0"),
        (("threads = 8", "thread = 8"), 3, "unknown key; expected one of lacks, options, program, threads, workers"),
        (('["plain"]', '["plane"]'), 18, "app.0.servers: no server is called 'plane'"),
        (("names = { quick", "names = { quik"), 20, "'quik', which is not in 'servers' or 'variants'"),
        (('= "shop-fast"', '= "shop-plain"'), 11, "'shop-plain' is declared twice"),
        (("flask = {", "flusk = {"), 8, "neither an interface nor the framework of an app"),
        (("reference", "referenz"), 15, "unknown key; expected one of adds, application"),
    ],
)
def test_a_fault_in_apps_or_servers_names_file_line_and_key(tmp_path, change, line, message):
    file = tmp_path / "targets.toml"
    file.write_text(PRODUCT.replace(*change))
    with pytest.raises(DeclarationError) as caught:
        load_declarations(tmp_path)
    assert str(caught.value).startswith(f"{file}:{line}: ")
    assert message in str(caught.value)


FILLED = """
[[target]]
name = "first"
framework = "flask"
interface = "wsgi"
server = "gunicorn"
application = "shop.web:app"

[[target]]
name = "{name}"
framework = "flask"
interface = "wsgi"
server = "gunicorn"
application = "shop.{module}:app"
fill = [{ name = "mine", module = "web" }, { name = "other", module = "old", endpoints = ["json"], threads = 4 }]

[[ladder]]
name = "{name}"
title = "{name}"
kind = "framework"
rungs = [
    { label = "floor", target = "{floor}", scenario = "json" },
    { label = "more", target = "{name}", scenario = "json" },
    { label = "most", target = "{name}", scenario = "items" },
]
fill = [{ name = "mine", floor = "first" }, { name = "other" }]
"""


def test_an_entry_with_fill_stands_for_several(tmp_path):
    (tmp_path / "targets.toml").write_text(FILLED)
    targets = own_targets(tmp_path)
    assert {name: target.application for name, target in targets.items()} == {
        "first": "shop.web:app",
        "mine": "shop.web:app",
        "other": "shop.old:app",
    }
    assert (targets["other"].endpoints, targets["other"].threads) == (("json",), 4)
    assert (targets["mine"].endpoints, targets["mine"].threads) == ((), 1)
    ladders = {ladder.name: ladder for ladder in load_declarations(tmp_path).ladders}
    assert [rung.target for rung in ladders["mine"].rungs] == ["first", "mine", "mine"]
    assert [rung.label for rung in ladders["other"].rungs] == ["more", "most"]


@pytest.mark.parametrize(
    ("change", "line", "message"),
    [
        (('"mine", module = "web"', '"mine"'), 15, "target.1.fill: a table does not define 'module'"),
        (('module = "old"', 'module = "o-l-d"'), 14, "target.1.application"),
        (('fill = [{ name = "mine", floor = "first" }, { name = "other" }]', 'fill = "x"'), 26, "array of tables"),
        (('{ name = "other", module', '{ name = "first", module'), 10, "'first' is declared twice"),
    ],
)
def test_a_fault_in_fill_names_file_line_and_key(tmp_path, change, line, message):
    file = tmp_path / "targets.toml"
    file.write_text(FILLED.replace(*change))
    with pytest.raises(DeclarationError) as caught:
        load_declarations(tmp_path)
    assert str(caught.value).startswith(f"{file}:{line}: ")
    assert message in str(caught.value)


def test_the_packaged_file_stays_short():
    """Apps and servers are declared once, and targets are their product."""
    assert len((PACKAGED / "apps" / "targets.toml").read_text().splitlines()) <= 400


def test_the_packaged_ladders_have_all_their_rungs():
    ladders = {ladder.name: [rung.target for rung in ladder.rungs] for ladder in load_declarations().ladders}
    assert ladders["fastapi"][:3] == ["raw-asgi-uvicorn", "starlette-uvicorn", "fastapi-uvicorn"]
    assert ladders["tornado"] == ["tornado-native"] * 6
    assert ladders["servers-raw-asgi"][-1] == "raw-rsgi-granian"
    steps = {name: len(rungs) for name, rungs in ladders.items() if not name.startswith("servers-")}
    assert steps == {"fastapi": 8, "starlette": 7, "flask": 7, "django-wsgi": 7, "django-asgi": 7, "tornado": 6}


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
        (("framework", "frame"), "ladder.0.kind: expected 'framework' or 'server', not 'frame'"),
        ((LADDER, LADDER + LADDER), "'mine' is declared twice"),
    ],
)
def test_a_ladder_with_a_mistake_says_which(tmp_path, change, message):
    (tmp_path / "targets.toml").write_text(TARGET + LADDER.replace(*change))
    with pytest.raises((DeclarationError, UsageError)) as caught:
        load_declarations(tmp_path)
    assert message in str(caught.value)


def test_a_worker_per_cpu_is_a_number_of_workers():
    target = parse_target("shop.web:app@gunicorn,workers=cpus")
    assert target.per_cpu
    assert target.workers == detect().per_cpu
    assert not parse_target("shop.web:app@gunicorn,workers=2").per_cpu
    with pytest.raises(UsageError, match="whole number, not 'all'"):
        parse_target("shop.web:app@gunicorn,workers=all")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('workers = "many"', "target.0.workers: expected a valid integer or 'cpus', not 'many'"),
        ('interface = "wsg"', "target.0.interface: expected 'wsgi', 'asgi' or 'native', not 'wsg'"),
        ('endpoint = ["json"]', "target.0.endpoint: unknown key"),
        ("options = { a = [1] }", "target.0.options.a: expected a valid string or a valid integer"),
    ],
)
def test_a_mistake_is_told_in_the_words_of_the_file(tmp_path, line, message):
    head = '[[target]]\nname = "x"\nframework = "own"\nserver = "uvicorn"\napplication = "a:b"\n'
    rest = "" if line.startswith("interface") else 'interface = "asgi"\n'
    (tmp_path / "targets.toml").write_text(f"{head}{line}\n{rest}")
    with pytest.raises(DeclarationError) as caught:
        load_declarations(tmp_path)
    assert f"targets.toml:6: {message}" in str(caught.value)
    assert "constrained" not in str(caught.value)
