"""The command as its user runs it: real servers, the real engine, short runs."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import psutil
import pytest

from harness.record import Run
from tests.conftest import asgi_app
from tests.records import code_of

pytestmark = pytest.mark.usefixtures("no_process_left")
HARNESS = [sys.executable, "-m", "harness.cli"]
FILES = {
    "manifest.json",
    "windows.jsonl",
    "lock",
    "samples",
    "summary.json",
    "features.json",
    "summary.csv",
    "summary.md",
}


def harness(*words, folder, **options):
    return subprocess.run([*HARNESS, *words], cwd=folder, capture_output=True, text=True, timeout=200, **options)


def replies_of(target, run):
    """Verified replies of a target in all slots, also those that a busy machine made invalid."""
    total = 0
    for line in (run / "windows.jsonl").read_text().splitlines():
        record = json.loads(line)
        names = [side["target"] for side in record["sides"]]
        pairs = zip(record["slices"]["side"], record["slices"]["replies"], strict=True)
        total += sum(replies for side, replies in pairs if names[side] == target)
    return total


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """One smoke run of two targets, with everything it left."""
    folder = tmp_path_factory.mktemp("smoke")
    words = ("run", "--profile", "smoke", "--seed", "1", "-t", "fastapi-uvicorn", "-t", "flask-gunicorn-gthread")
    return folder, harness(*words, "--out", "kept", "--name", "a <b>", "--budget", "14s", folder=folder)


@pytest.mark.quiet
def test_a_run_leaves_its_files_and_a_report(smoke):
    folder, done = smoke
    assert done.returncode == code_of(Run.open(folder / "kept")), done.stderr
    assert {path.name for path in (folder / "kept").iterdir()} == FILES
    reports = sorted(path.name for path in (folder / "reports").iterdir())
    assert len(reports) == 2
    assert reports[-1] == "latest.html"
    assert len(done.stdout.splitlines()) <= 12
    assert "Report: reports/" in done.stdout
    summary = json.loads((folder / "kept" / "summary.json").read_text())
    measured = [cell for cell in summary["cells"] if cell["throughput_rps"]]
    assert {cell["target"] for cell in summary["cells"]} == {"fastapi-uvicorn", "flask-gunicorn-gthread"}
    assert all(cell["replies"] > 0 and cell["cpu_us"]["value"] > 1 for cell in measured)
    assert {(one["target"], one["present"]) for one in summary["features"] if one["capability"] == "websocket"} == {
        ("fastapi-uvicorn", True),
        ("flask-gunicorn-gthread", False),
    }
    assert "a &lt;b&gt;" in (folder / "reports" / "latest.html").read_text()


@pytest.mark.quiet
def test_the_report_can_be_made_again_from_the_folder_alone(smoke, tmp_path):
    folder, _ = smoke
    before = (folder / "kept" / "summary.json").read_bytes()
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for path in (folder / "kept").rglob("*"):
        if path.is_file() and not path.name.startswith("summary"):
            copy = moved / path.relative_to(folder / "kept")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    done = harness("report", str(moved), "-o", "again.html", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (moved / "summary.json").read_bytes() == before
    assert (tmp_path / "again.html").read_text() == (folder / "reports" / "latest.html").read_text()


@pytest.mark.quiet
def test_runs_are_listed(smoke, tmp_path):
    folder, _ = smoke
    (folder / "results").mkdir(exist_ok=True)
    (folder / "results" / "kept").symlink_to(folder / "kept")
    done = harness("list", "runs", "--json", folder=folder)
    assert [run["run"] for run in json.loads(done.stdout)] == ["kept"]
    assert harness("list", "runs", folder=tmp_path).stdout == "no runs yet\n"


@pytest.mark.live
def test_a_target_that_answers_wrongly_is_left_out_and_told(own_app, tmp_path):
    own_app(asgi_app(body='b\'{"message": "Bye"}\''), module="wrong")
    words = ("run", "-t", "wrong:app@uvicorn,name=wrong,endpoints=*", "-t", "raw-asgi-uvicorn", "-s", "json")
    done = harness(*words, "--profile", "smoke", "--budget", "10s", "--out", "r", folder=tmp_path)
    assert done.returncode == 4
    assert "wrong: wrong reply: json (valid): message is 'Bye' instead of 'Hello, World!'" in done.stderr
    page = (tmp_path / "reports" / "latest.html").read_text()
    assert "message is &#39;Bye&#39; instead of" in page
    cells = {cell["target"]: cell for cell in json.loads((tmp_path / "r" / "summary.json").read_text())["cells"]}
    assert cells["wrong"]["status"] == "failed"
    assert cells["wrong"]["throughput_rps"] is None
    assert replies_of("raw-asgi-uvicorn", tmp_path / "r") > 0


DIES = """
import os
import re
count = 0
"""


@pytest.mark.live
def test_a_server_that_dies_under_load_is_a_failure_and_not_a_number(own_app, tmp_path):
    body = 'b\'{"message": "Hello, World!"}\''
    source = DIES + asgi_app(before="global count; count += 1; count < 200 or os._exit(9)", body=body)
    own_app(source, module="mortal")
    words = ("run", "-t", "mortal:app@uvicorn,name=mortal,endpoints=*", "-t", "raw-asgi-uvicorn", "-s", "json")
    done = harness(*words, "--profile", "smoke", "--budget", "10s", "--out", "r", folder=tmp_path)
    assert done.returncode == 4, done.stderr
    assert "mortal: the server died under load (exit code 9)" in done.stderr
    summary = json.loads((tmp_path / "r" / "summary.json").read_text())
    cells = {cell["target"]: cell for cell in summary["cells"]}
    assert cells["mortal"]["status"] == "failed"
    assert cells["mortal"]["throughput_rps"] is None
    assert replies_of("raw-asgi-uvicorn", tmp_path / "r") > 0


@pytest.mark.live
def test_ctrl_c_saves_what_was_measured_and_resume_goes_on(tmp_path):
    words = ["run", "-t", "raw-asgi-uvicorn", "-s", "json", "-s", "plaintext", "--profile", "smoke", "--budget", "8s"]
    process = subprocess.Popen(
        [*HARNESS, *words, "--out", "r"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        for line in process.stderr:
            if re.match(r"\[ *\d+%\]", line):
                break
        family = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=120)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130, err
    assert "harness run --resume r" in err
    assert not psutil.wait_procs(family, timeout=60)[1]
    assert json.loads((tmp_path / "r" / "manifest.json").read_text())["status"] == "interrupted"
    measured = (tmp_path / "r" / "windows.jsonl").read_text().count("\n")
    assert 1 <= measured < 4
    done = harness("run", "--resume", "r", folder=tmp_path)
    assert done.returncode == code_of(Run.open(tmp_path / "r")), done.stderr
    slots = [json.loads(line)["id"] for line in (tmp_path / "r" / "windows.jsonl").read_text().splitlines()]
    assert len(set(slots)) == 4
    assert json.loads((tmp_path / "r" / "manifest.json").read_text())["status"] == "finished"


@pytest.mark.live
@pytest.mark.parametrize("name", ["raw-asgi-uvicorn", "tornado-native"])
def test_serve_brings_up_a_target_with_what_it_calls(tmp_path, no_process_left, monkeypatch, name):
    from harness.config import load_declarations
    from harness.serve import Running, free_port
    from harness.serve.servers import Bind
    from harness.verify import ENDPOINTS, endpoints_of, verify

    monkeypatch.setenv("OTEL_SERVICE_NAME", "from outside")
    port = free_port()
    log = tmp_path / "stderr"
    with log.open("wb") as stderr:
        process = subprocess.Popen([*HARNESS, "serve", name, "--port", str(port)], cwd=tmp_path, stderr=stderr)
    try:
        target = next(t for t in load_declarations().targets if t.name == name)
        asked = {"json", "items", "io-db", "io-upstream", "product"} & set(endpoints_of(target))
        cases = [(endpoint, ENDPOINTS[endpoint].case("valid")) for endpoint in sorted(asked)]
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            checked = verify(Running(target, Bind("127.0.0.1", port), None, log), cases)
            if not any("refused" in entry.difference for entry in checked):
                break
            time.sleep(0.05)
        assert [entry for entry in checked if entry.difference] == []
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        [server] = [each for each in family if target.application in each.cmdline()]
        assert "OTEL_SERVICE_NAME" not in server.environ()
        process.send_signal(signal.SIGTERM)
        # A server that this process became may end by the signal itself.
        assert process.wait(120) in (143, -signal.SIGTERM)
    finally:
        process.kill()
        process.wait()
    told = log.read_text()
    assert f"on http://127.0.0.1:{port}" in told
    whole = name == "tornado-native"
    assert (f"http://127.0.0.1:{port}/docs" in told) == whole
    assert told.count("(started for it, ends with it)") == (2 if whole else 0)
    assert "Traceback" not in told
