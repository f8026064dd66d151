"""The composite action: its steps as the shell scripts that they are, in a shallow clone of a tiny repository."""

import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import yaml

from harness.serve.checkout import commit_of
from tests.unit.test_checkout import git, make_repository

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "actions" / "versus"
ACTION = yaml.safe_load((FOLDER / "action.yml").read_text("utf-8"))
APP = """
WORK = {work}
async def app(scope, receive, send):
    if scope["type"] == "http":
        sum(range(WORK))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})
"""


def scripts(inputs):
    """Name of each step → its script and its variables, with the inputs in place."""
    for step in ACTION["runs"]["steps"]:
        assert step["shell"] == "bash"
        known = {f"inputs.{name}": value for name, value in inputs.items()}
        known |= {"github.action_path": str(FOLDER), "github.event.pull_request.number": "7"}
        # Nothing of a pull request's is pasted into a script.
        assert "${{" not in step["run"]
        yield step["name"], step["run"], {key: filled(value, known) for key, value in step["env"].items()}


def filled(text, known):
    return re.sub(r"\$\{\{ (.+?) \}\}", lambda found: known.get(found[1], ""), text)


def run(script, variables, folder):
    given = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", **variables}
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=given, timeout=600)


@pytest.fixture
def clone(tmp_path):
    """As ``actions/checkout`` leaves it: one commit of the branch ``change``; ``main`` is another."""
    before, after = (APP.replace("{work}", work) for work in ("0", "10000"))
    project = make_repository(tmp_path / "project", **{"web.py": before, "requirements.txt": "uvicorn\n"})
    git(project, "tag", "v1")
    git(project, "checkout", "--quiet", "-b", "change")
    # So much dearer that the first look ends a comparison.
    (project / "web.py").write_text(after)
    git(project, "commit", "--quiet", "--all", "--message", "a change")
    git(tmp_path, "clone", "--quiet", "--depth=1", "--branch=change", f"file://{project}", "clone")
    return tmp_path / "clone"


@pytest.mark.parametrize("ref", ["main", "v1", "HEAD", "sha"])
def test_what_it_compares_with_is_fetched_into_a_shallow_clone(clone, ref):
    ref = git(clone.parent / "project", "rev-parse", "main") if ref == "sha" else ref
    [(_, script, variables)] = [step for step in scripts({"against": ref}) if "AGAINST" in step[2]][:1]
    done = run(script, variables, clone)
    assert done.returncode == 0, done.stderr
    # Raises where there is none.
    commit_of(clone, ref)


class Comments(BaseHTTPRequestHandler):
    """The part of GitHub's API that comments need."""

    kept: ClassVar[dict[int, str]] = {}
    status = 200

    def do_GET(self):
        page = int(self.path.rpartition("=")[2])
        found = [{"id": key, "body": body} for key, body in self.kept.items()]
        self.answer(found[(page - 1) * 100 : page * 100])

    def do_POST(self):
        self.kept[len(self.kept)] = self.body()
        self.answer({})

    def do_PATCH(self):
        self.kept[int(self.path.rpartition("/")[2])] = self.body()
        self.answer({})

    def body(self):
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]

    def answer(self, document):
        data = json.dumps(document).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *words):
        pass


@pytest.fixture
def api(monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Comments)
    Comments.kept, Comments.status = {}, 200
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("GITHUB_REPOSITORY", "somebody/shop")
    try:
        yield Comments
    finally:
        server.shutdown()
        server.server_close()


def test_one_comment_is_written_and_then_replaced(api, tmp_path):
    [(_, script, variables)] = [step for step in scripts({"token": "secret"}) if step[0] == "Comment"]
    api.kept = dict.fromkeys(range(150), "somebody's")
    for text in ("<!-- harness versus web:app -->\nfirst", "<!-- harness versus web:app -->\nsecond"):
        (tmp_path / "harness-comment.md").write_text(text)
        done = run(script, {**variables, "RUNNER_TEMP": str(tmp_path)}, tmp_path)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert (len(api.kept), api.kept[150]) == (151, text)
    api.status = 403
    done = run(script, {**variables, "RUNNER_TEMP": str(tmp_path)}, tmp_path)
    assert done.returncode == 0
    assert "::warning::" in done.stdout
    (tmp_path / "harness-comment.md").unlink()
    assert run(script, {**variables, "RUNNER_TEMP": str(tmp_path)}, tmp_path).returncode == 0


@pytest.mark.live
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("no_process_left")
def test_all_steps_measure_and_comment(clone, api, tmp_path, monkeypatch):
    monkeypatch.setenv("RUNNER_TEMP", str(tmp_path))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "page.md"))
    options = "--path '/?a=1&b=2' --metric cpu_cost --no-control --budget 30s --fail-if-slower 900%"
    inputs = {"app": "web:app@uvicorn", "against": "main", "options": options, "toolkit": str(ROOT), "token": "secret"}
    for name, script, variables in scripts(inputs):
        done = run(script, variables, clone)
        # A busy machine may leave nothing to judge.
        assert done.returncode in ((0, 4) if name == "Measure" else (0,)), done.stderr
    [comment] = api.kept.values()
    assert comment.startswith(
        "<!-- harness versus web:app@uvicorn GET /?a=1&b=2@32 -->\n### working-tree against main\n"
    )
    assert comment == (tmp_path / "page.md").read_text().removesuffix("\n")
    assert git(clone, "status", "--porcelain") == "?? results/"


def test_the_page_of_the_docs_uses_what_the_action_takes():
    text = (ROOT / "docs" / "ci.md").read_text("utf-8")
    [workflow] = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert len(workflow.splitlines()) <= 15
    [job] = yaml.safe_load(workflow)["jobs"].values()
    [step] = [step for step in job["steps"] if "actions/versus" in step.get("uses", "")]
    assert set(step["with"]) <= set(ACTION["inputs"])
    assert ROOT.joinpath(*step["uses"].partition("@")[0].split("/")[2:]) == FOLDER
