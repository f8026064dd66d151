import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.commands import run as run_command
from harness.errors import DeclarationError, UsageError
from harness.settings import defaults

TABLE = """
[tool.other]
x = 1

[tool.harness]
quiet = true

[tool.harness.run]
profile = "smoke"
target = ["a", "b"]

[tool.harness.check]
gate = ["a json cpu < 100us"]
max-slower = "3%"
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(TABLE)
    return tmp_path


def test_a_table_gives_parameters_of_commands(project):
    found = defaults({}, project)
    assert found["run"] == {"quiet": True, "profile": "smoke", "targets": ["a", "b"]}
    assert found["check"] == {"quiet": True, "gates": ["a json cpu < 100us"], "max_slower": "3%"}
    assert found["load"] == {"quiet": True}


def test_it_is_found_from_a_folder_below_and_without_one_there_is_nothing(project, tmp_path):
    below = project / "src" / "deep"
    below.mkdir(parents=True)
    (project / "src" / "pyproject.toml").write_text("[project]\nname = 'inner'\n")
    assert defaults({}, below)["run"]["profile"] == "smoke"
    (project / "pyproject.toml").unlink()
    assert defaults({"HARNESS_DATABASE_URL": "postgresql://", "HOME": "/"}, below) == {}


def test_variables_come_before_the_file_and_a_commands_own_before_the_shared_one(project):
    variables = {
        "HARNESS_RUN_PROFILE": "quick",
        "HARNESS_RUN_TARGET": "c d",
        "HARNESS_SEED": "7",
        "HARNESS_VERSUS_SEED": "8",
        "HARNESS_QUIET": "no",
        "HARNESS_CHECK_GATE": "a json cpu < 1\nb json cpu < 2",
        "HARNESS_RUN_BUDGET": "",
    }
    found = defaults(variables, project)
    assert found["run"] == {"quiet": False, "profile": "quick", "targets": ["c", "d"], "seed": 7}
    assert found["versus"]["seed"] == 8
    assert "seed" not in found["check"]
    assert found["check"]["gates"] == ["a json cpu < 1", "b json cpu < 2"]


@pytest.mark.parametrize(
    ("table", "line", "words"),
    [
        ("[tool.harness]\nquite = true\n", 2, "did you mean quiet?"),
        ("[tool.harness.runs]\nprofile = 'quick'\n", 1, "did you mean run?"),
        ("[tool.harness.run]\n\nprofil = 'quick'\n", 3, "did you mean profile?"),
        ("[tool.harness.run]\nseed = 'x'\n", 2, "valid integer, not 'x'"),
        ("[tool.harness.load]\nconnections = 32\nduration = 5\n", 3, "valid string, not 5"),
    ],
)
def test_what_is_wrong_in_the_file_is_told_with_its_line(tmp_path, table, line, words):
    (tmp_path / "pyproject.toml").write_text(table)
    with pytest.raises(DeclarationError) as caught:
        defaults({}, tmp_path)
    assert caught.value.line == line
    assert words in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("HARNESS_RUN_PROFIL", "quick", "did you mean profile?"),
        ("HARNESS_LOAD_RATE", "fast", "HARNESS_LOAD_RATE"),
        ("HARNESS_QUIET", "perhaps", "HARNESS_QUIET"),
    ],
)
def test_what_is_wrong_in_a_variable_is_told_by_its_name(tmp_path, name, value, words):
    with pytest.raises(UsageError) as caught:
        defaults({name: value}, tmp_path)
    assert words in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    ("words", "variable", "wanted"),
    [((), "", "smoke"), ((), "quick", "quick"), (("--profile", "standard"), "quick", "standard")],
)
def test_flag_before_variable_before_file_before_default(project, monkeypatch, words, variable, wanted):
    asked = []
    monkeypatch.setattr(run_command, "run", lambda request: asked.append(request) or 0)
    monkeypatch.setenv("HARNESS_RUN_PROFILE", variable)
    result = CliRunner().invoke(app, ["run", *words, "-s", "json"])
    assert result.exit_code == 0, result.output
    assert asked[0].profile == wanted
    assert asked[0].targets == ("a", "b")
    assert asked[0].scenarios == ("json",)
    assert asked[0].quiet


def test_every_default_names_an_option_of_its_command():
    import inspect

    from harness.settings.schema import SCHEMAS

    callbacks = {each.callback.__name__: each.callback for each in app.registered_commands}
    for command, schema in SCHEMAS.items():
        taken = set(inspect.signature(callbacks[command]).parameters)
        assert {schema.parameters.get(name, name) for name in schema.model_fields} <= taken
