"""Defaults of options: what the command line says, then variables, then the project's file."""

import pytest

from tests.cli import harness

TABLE = """
[tool.other]
x = 1

[tool.harness]
quiet = true
seed = 7

[tool.harness.run]
profile = "smoke"
target = ["raw-asgi-uvicorn", "fastapi-uvicorn"]

[tool.harness.check]
gate = ["* json cpu < 100us"]
max-slower = "3%"
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(TABLE)
    return tmp_path


def plan(*words):
    """What a dry run says of targets and time, with the words of the plan."""
    done = harness("run", "--dry-run", "-s", "json", *words)
    assert done.code == 0, done.err
    return done.out


def test_flag_before_variable_before_file_before_default(project, monkeypatch):
    assert "2 blocks" in plan()
    monkeypatch.setenv("HARNESS_RUN_PROFILE", "")
    assert "2 blocks" in plan()
    monkeypatch.setenv("HARNESS_RUN_PROFILE", "quick")
    assert "5 blocks" in plan()
    assert "12 blocks" in plan("--profile", "thorough")
    (project / "pyproject.toml").unlink()
    monkeypatch.delenv("HARNESS_RUN_PROFILE")
    assert "5 blocks" in plan("-t", "raw-asgi-uvicorn")


def test_several_values_stand_in_a_list_or_apart_by_spaces(project, monkeypatch):
    assert "3 targets" in plan()
    monkeypatch.setenv("HARNESS_RUN_TARGET", "raw-asgi-uvicorn fastapi-uvicorn flask-gunicorn-gthread")
    assert "4 targets" in plan()
    assert "2 targets" in plan("-t", "raw-asgi-uvicorn")


def test_the_file_is_found_from_a_folder_below(project, monkeypatch):
    below = project / "src" / "deep"
    below.mkdir(parents=True)
    (project / "src" / "pyproject.toml").write_text("[project]\nname = 'inner'\n")
    monkeypatch.chdir(below)
    assert "2 blocks" in plan()


OWN = """[tool.harness.run]
target = ["shop.web:app@uvicorn,name=shop"]

[tool.harness.scenarios.products]
request = [
    { path = "/products/1", weight = 3 },
    { path = "/orders", body = { product = 1 } },
]
"""


def test_requests_of_the_projects_own_are_all_that_its_targets_get(project, tmp_path):
    (tmp_path / "pyproject.toml").write_text(OWN)
    shown = harness("run", "--dry-run").out
    assert "2 targets, 1 point, " in shown
    assert "products@32" in shown
    assert "products" in harness("list", "scenarios").out


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('path = "orders"', "toml:7: tool.harness.scenarios.products.request.1: path 'orders' must begin with /"),
        ('pth = "/orders"', "toml:7: tool.harness.scenarios.products.request.1.pth: unknown key"),
        ('path = "/orders", weight = 0', "toml:7: tool.harness.scenarios.products.request.1.weight: "),
    ],
)
def test_a_mistake_in_the_projects_own_requests_is_told_with_its_line(project, tmp_path, wrong, said):
    (tmp_path / "pyproject.toml").write_text(OWN.replace('path = "/orders"', wrong))
    done = harness("run", "--dry-run")
    assert (done.code, said in done.err) == (2, True), done.err


@pytest.mark.parametrize(
    "words",
    [
        ("run", "-t", "shop.web:app@uvicorn"),
        ("run", "-t", "shop.web:app@uvicorn", "-t", "raw-asgi-uvicorn"),
        ("run", "-t", "shop.web:app@uvicorn", "-s", "latency"),
        ("run", "-t", "shop.web:app@uvicorn", "-s", "journey"),
        ("run", "-t", "shop.web:app@uvicorn", "--workers", "2"),
        ("versus", "shop.web:app@uvicorn", "raw-asgi-uvicorn", "-s", "json"),
    ],
    ids=" ".join,
)
def test_an_app_without_the_contract_is_told_so_before_anything_starts(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    done = harness(*words)
    assert done.code == 2
    assert "apps that implement the toolkit's own API" in done.err
    assert "[tool.harness.scenarios.home]" in done.err
    assert done.err.count("cannot run") == 1


def test_the_projects_targets_do_not_stand_in_the_way_of_a_url(project):
    done = harness("run", "--url", "http://127.0.0.1:1")
    assert (done.code, "cannot reach 127.0.0.1:1" in done.err) == (3, True), done.err
    done = harness("run", "--url", "http://127.0.0.1:1", "-t", "raw-asgi-uvicorn")
    assert (done.code, "it excludes -t" in done.err) == (2, True), done.err
    done = harness("verify", "-t", "https://127.0.0.1:1")
    assert (done.code, "harness versus and harness run --url compare" in done.err) == (2, True), done.err


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("threads=many", "threads must be a whole number, not 'many'"),
        ("backlog=many", "expected a valid integer, not 'many'"),
        ("lop=uvloop", "did you mean loop"),
    ],
)
def test_a_wrong_option_of_a_spelled_out_target_is_told_with_its_place(tmp_path, monkeypatch, option, said):
    monkeypatch.chdir(tmp_path)
    text = f"own:app@uvicorn,{option}"
    (tmp_path / "pyproject.toml").write_text(f'[tool.harness.run]\nseed = 1\ntarget = ["raw-asgi-uvicorn", "{text}"]\n')
    done = harness("run", "--dry-run")
    assert done.code == 2
    assert f"pyproject.toml:3: tool.harness.run.target: '{text}': " in done.err
    assert said in done.err
    assert "not [" not in done.err
    assert f"--target: '{text}': " in harness("run", "--dry-run", "-t", text).err


def test_an_app_may_say_that_it_implements_the_contract(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert harness("run", "-t", "shop.web:app@uvicorn,endpoints=*", "-s", "json", "--dry-run").code == 0
    assert harness("run", "-t", "apps.fastapi_app:app@daphne", "-s", "json", "--dry-run").code == 0


@pytest.mark.parametrize(
    ("table", "words", "said"),
    [
        ("[tool.harness]\nquite = true\n", "run", ("pyproject.toml:2: tool.harness.quite", "did you mean quiet?")),
        (
            "[tool.harness.runs]\nprofile = 'quick'\n",
            "run",
            ("toml:1: tool.harness.runs", "did you mean run"),
        ),
        ("[tool.harness.run]\n\nprofil = 'quick'\n", "load", ("pyproject.toml:3: tool.harness.run.profil", "profile")),
        ("[tool.harness.run]\nseed = 'x'\n", "run", ("toml:2: tool.harness.run.seed", "valid integer", "not 'x'")),
        ("[tool.harness]\nseed = 'x'\n", "run", ("toml:2: tool.harness.seed", "valid integer", "not 'x'")),
        (
            "[tool.harness.run]\nprofile = 'fast'\n",
            "run",
            ("toml:2: tool.harness.run.profile", "smoke, quick"),
        ),
        ("[tool.harness.run]\nbudget = 5\n", "run", ("toml:2: tool.harness.run.budget: 5 is not a duration", "10m")),
        ("[tool.harness.check]\nmax-slower = 'x'\n", "check", ("toml:2: tool.harness.check.max-slower", "3%")),
        ("[tool.harness\n", "run", ("pyproject.toml: not valid TOML",)),
    ],
)
def test_what_is_wrong_in_the_file_is_told_with_its_line(tmp_path, monkeypatch, table, words, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(table)
    done = harness(words, "--help")
    assert done.code == 0, "help must work with a broken file"
    done = harness(words)
    assert done.code == 2
    for part in said:
        assert part in done.err


@pytest.mark.parametrize(
    ("name", "value", "command", "said"),
    [
        ("HARNESS_RUN_PROFIL", "quick", "load", "did you mean HARNESS_RUN_PROFILE"),
        ("HARNESS_RUN_PROFILE", "fast", "run", "HARNESS_RUN_PROFILE: 'fast': must be smoke, quick"),
        ("HARNESS_LOAD_RATE", "fast", "load", "HARNESS_LOAD_RATE: Input should be a valid number"),
        ("HARNESS_QUIET", "perhaps", "run", "HARNESS_QUIET: Input should be a valid boolean"),
        ("HARNESS_SEED", "x", "run", "HARNESS_SEED: Input should be a valid integer"),
    ],
)
def test_what_is_wrong_in_a_variable_is_told_by_its_name(tmp_path, monkeypatch, name, value, command, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, value)
    done = harness(command, *(["http://127.0.0.1:1/"] if command == "load" else []))
    assert done.code == 2
    assert said in done.err


def test_seed_and_quiet_are_shared_and_a_commands_own_comes_first(tmp_path, monkeypatch):
    import typer
    from typer.main import get_command

    from harness.cli import app, defaults

    def values(command):
        context = typer.Context(get_command(app), info_name="harness")
        return defaults.read(context).values.get(command, {})

    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(TABLE)
    assert values("run") == {
        "quiet": True,
        "seed": 7,
        "profile": "smoke",
        "target": ["raw-asgi-uvicorn", "fastapi-uvicorn"],
    }
    assert values("check") == {"quiet": True, "gate": ["* json cpu < 100us"], "max_slower": "3%"}
    assert values("load") == {"quiet": True, "seed": 7}
    monkeypatch.setenv("HARNESS_SEED", "8")
    monkeypatch.setenv("HARNESS_CHECK_GATE", "a json cpu < 1\nb json cpu < 2")
    assert values("versus")["seed"] == "8"
    assert "seed" not in values("check")
    assert values("check")["gate"] == ["a json cpu < 1", "b json cpu < 2"]
    monkeypatch.setenv("HARNESS_DATABASE_URL", "postgresql://")
    monkeypatch.setenv("HARNESS_SERVER_CPUS", "0")
    assert values("serve") == {}
