"""``harness versus --against``: the working tree against a commit, for apps as people have them."""

import json
import subprocess
import sys
import tempfile
from urllib.request import urlopen

import pytest

from harness.errors import LaunchError, NotReadyError, UsageError
from harness.prepare.select import parse_target
from harness.prepare.sides import WORKING_TREE, sides, with_common_options
from harness.report.language.catalogue import ENGLISH
from harness.serve import serving
from tests.cli import harness
from tests.unit.test_checkout import git, make_repository

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("no_process_left")]
FLASK = """
import importlib.metadata, os
from flask import Flask

def create_app(mode):
    app = Flask(__name__)

    @app.get("/")
    def index():
        return {{"mode": mode, "version": {version}, "variable": os.environ.get("VARIABLE", "")}}

    return app
"""
PYPROJECT = """
[project]
name = "shop"
version = "{version}"
requires-python = ">=3.11"
dependencies = ["flask>=3"]

[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def work(tmp_path, monkeypatch, cache):
    """Temporary files of the test's own, to see what is left of them."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return tmp_path


def compared(text, ref, *, install=(), **around):
    """What each side answers at ``/``, and the notes."""
    said = []
    options = {"env_file": "", "startup_timeout": None, "setup": "", **around}
    with sides(text, "", ref, ((), ()), install, (), said.append) as (pair, notes):
        replies = []
        for side in with_common_options(pair, **options, say=said.append):
            with serving(side, deadline_s=120) as running:
                where = f"http://{running.bind.host}:{running.bind.port}/"
                replies.append(json.loads(urlopen(where, timeout=30).read()))
    assert [side.name for side in pair] == [WORKING_TREE, ref]
    return replies, list(map(ENGLISH.reason, notes))


def test_a_factory_with_requirements_and_a_change_that_is_not_committed(work, cache, monkeypatch):
    project = make_repository(work / "project", **{"requirements.txt": "flask\n", "web.py": FLASK.format(version=1)})
    (project / "web.py").write_text(FLASK.format(version=2))
    (project / ".env").write_text("VARIABLE=from-file\n")
    monkeypatch.chdir(project)
    # Of the working tree: each side must import from its own folder.
    monkeypatch.setenv("PYTHONPATH", str(project))
    replies, notes = compared("web:create_app('test')@gunicorn", "main", env_file=".env")
    assert [reply["version"] for reply in replies] == [2, 1]
    assert {(reply["mode"], reply["variable"]) for reply in replies} == {("test", "from-file")}
    assert "at HEAD" in notes[0]
    assert "with 2 changed files, packages from requirements.txt" in notes[0]
    assert notes[2:] == ["gunicorn was installed too: requirements.txt does not declare it"]
    assert list((work / "temporary").iterdir()) == []
    assert len(git(project, "worktree", "list").splitlines()) == 1
    assert git(project, "status", "--porcelain").splitlines() == ["M web.py", "?? .env"]
    assert len(list((cache / "web-harness" / "environments").iterdir())) == 1


def test_a_packaged_project_is_installed_from_its_own_side(work, monkeypatch):
    source = FLASK.format(version='importlib.metadata.version("shop")')
    project = make_repository(work / "project", **{"pyproject.toml": PYPROJECT.format(version="1.0")})
    (project / "src" / "shop").mkdir(parents=True)
    (project / "src" / "shop" / "__init__.py").write_text(source)
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "an app")
    git(project, "tag", "v1")
    (project / "pyproject.toml").write_text(PYPROJECT.format(version="2.0"))
    (project / "docs").mkdir()
    monkeypatch.chdir(project)
    replies, notes = compared("shop:create_app('x')@waitress", "v1")
    assert [reply["version"] for reply in replies] == ["2.0", "1.0"]
    assert "packages from pyproject.toml" in notes[0]
    assert git(project, "status", "--porcelain").splitlines() == ["M pyproject.toml"]
    # The lock counts where there is one, and --install before everything.
    subprocess.run(["uv", "lock", "--quiet", "--python", sys.executable], check=True, timeout=120)
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "a lock")
    with sides("shop:create_app('x')@waitress", "", "HEAD", ((), ()), (), (), print) as (pair, notes):
        assert all("packages from uv.lock" in side.description for side in pair)
    with sides("shop:create_app('x')@waitress", "", "HEAD", ((), ()), ("-e .", "flask<3.1"), (), print) as (pair, _):
        code = "import importlib.metadata as m; print(m.version('flask'), m.version('shop'))"
        for side in pair:
            done = subprocess.run([side.python, "-c", code], check=True, capture_output=True, text=True)
            assert done.stdout.startswith("3.0")
            assert done.stdout.endswith("2.0\n")


def test_a_commit_from_before_pyproject_toml(work, monkeypatch):
    setup = (
        "import setuptools as s\ns.setup(name='shop', version='0.9', py_modules=['web'], install_requires=['flask'])"
    )
    source = FLASK.format(version='importlib.metadata.version("shop")')
    project = make_repository(work / "project", **{"setup.py": setup, "setup.cfg": "[flake8]\n", "web.py": source})
    (project / "setup.py").unlink()
    (project / "pyproject.toml").write_text(
        PYPROJECT.format(version="1.0") + "[tool.setuptools]\npy-modules = ['web']\n"
    )
    monkeypatch.chdir(project)
    replies, notes = compared("web:create_app('x')@waitress", "main")
    assert [reply["version"] for reply in replies] == ["1.0", "0.9"]
    assert "packages from setup.py" in notes[1]


def test_a_django_project_with_a_database_made_by_setup(work, monkeypatch):
    project = work / "project"
    project.mkdir()
    subprocess.run([sys.executable, "-m", "django", "startproject", "mysite"], cwd=project, check=True)
    (project / "requirements.txt").write_text("django\n")
    (project / ".gitignore").write_text("*.sqlite3\n")
    view = "import json\nfrom django.contrib.auth.models import User\nfrom django.http import JsonResponse\n"
    view += "def index(request):\n    return JsonResponse({'users': User.objects.count()})\n"
    (project / "mysite" / "mysite" / "views.py").write_text(view)
    urls = "from django.urls import path\nfrom mysite.views import index\nurlpatterns = [path('', index)]\n"
    (project / "mysite" / "mysite" / "urls.py").write_text(urls)
    git(project, "init", "--quiet", "--initial-branch=main")
    git(project, "add", "--all")
    git(project, "-c", "user.name=n", "-c", "user.email=n@example.org", "commit", "--quiet", "--message", "first")
    monkeypatch.chdir(project)
    replies, _ = compared("mysite.wsgi@gunicorn,threads=2", "main", setup="python manage.py migrate --verbosity 0")
    assert replies == [{"users": 0}] * 2
    assert not list(project.rglob("*.sqlite3"))
    with pytest.raises(LaunchError, match="ended with code 1") as told:
        compared("mysite.wsgi@gunicorn", "main", setup="python manage.py nothing")
    assert "Unknown command" in "\n".join(told.value.log)
    with pytest.raises(UsageError, match="no-such-program: No such file"):
        compared("mysite.wsgi@gunicorn", "main", setup="no-such-program")


@pytest.mark.parametrize(
    ("files", "install", "error", "message"),
    [
        ({"web.py": ""}, (), UsageError, "says which packages"),
        (
            {"requirements-a.txt": "", "requirements-b.txt": ""},
            (),
            UsageError,
            "requirements-a.txt, requirements-b.txt",
        ),
        ({"requirements.txt": "no such thing\n"}, (), NotReadyError, "working-tree: an environment could not be made"),
        ({"web.py": ""}, ("flask==0.0.0.1",), NotReadyError, "flask==0.0.0.1"),
        ({"pyproject.toml": "[project\n"}, (), UsageError, "not valid TOML"),
    ],
    ids=["nothing", "several", "malformed", "unknown version", "toml"],
)
def test_an_environment_that_cannot_be_made(work, monkeypatch, files, install, error, message):
    project = make_repository(work / "project", **files)
    monkeypatch.chdir(project)
    with (
        pytest.raises(error, match=message) as told,
        sides("web:app@uvicorn", "", "main", ((), ()), install, (), print),
    ):
        pass
    assert "--install" in told.value.hint or error is UsageError
    assert list((work / "temporary").iterdir()) == []
    assert len(git(project, "worktree", "list").splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("web:app@uvicorn",), "one target to compare A with is needed"),
        (("web:app@uvicorn", "web:app@uvicorn", "--against", "main"), "one target to compare A with is needed"),
        (("web:app@uvicorn", "--against", "nothing"), "no commit, branch or tag"),
        (("fastapi-uvicorn", "--against", "main"), "an app of your own"),
        (("web:app@uvicorn", "--against", "main", "--with-a", "flask"), "exclude each other"),
        (("web:app@uvicorn", "web:app@uvicorn", "--install", "flask"), "--install is for --against"),
        (("web:app@uvicorn,cwd=new", "--against", "main"), "has no folder new"),
    ],
)
def test_what_does_not_go_together_is_refused(work, monkeypatch, words, message):
    project = make_repository(work / "project", **{"requirements.txt": "starlette\n", "web.py": ""})
    (project / "new").mkdir()
    (project / "new" / "file").touch()
    monkeypatch.chdir(project)
    done = harness("versus", *words)
    assert (done.code, done.out) == (2, ""), done.err
    assert message in done.err


def test_a_start_may_not_be_given_less_time_than_any_has(work, monkeypatch):
    monkeypatch.chdir(work)
    pair = (parse_target("web:app@uvicorn,name=a"), parse_target("web:app@uvicorn,name=b"))
    a, b = with_common_options(pair, "", 90.0, "", print)
    assert (a.startup_timeout, b.startup_timeout) == (90, 90)
    with pytest.raises(UsageError, match="at least 30s"):
        with_common_options(pair, "", 5.0, "", print)
