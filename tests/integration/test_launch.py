import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from harness.engine.engine import EngineProcess
from harness.errors import LaunchError
from harness.prepare.select import parse_target
from harness.serve import Fleet, free_port, serving, start, stop
from harness.serve.guard import MARK, Guard
from harness.serve.server import inherited
from harness.serve.servers import Bind
from harness.serve.servers.installed import offered
from tests.conftest import asgi_app

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("no_process_left")]


def test_a_server_comes_up_and_goes(own_app):
    with serving(own_app(asgi_app())) as running:
        pid = running.pid
        assert running.alive
        assert running.startup_s > 0
        with socket.create_connection((running.bind.host, running.bind.port), 5):
            pass
    assert not psutil.pid_exists(pid)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((running.bind.host, running.bind.port), 5)


@pytest.mark.parametrize(
    ("source", "deadline_s", "message", "log"),
    [
        ("import nothing_like_this\n", 120, "exited with code 1 before it was ready", "nothing_like_this"),
        ("appp = 1\n", 120, "exited with code", '"app" not found'),
        (asgi_app(status=500), 3, "was not ready within 3 s", ""),
        ("import time\ntime.sleep(60)\n", 2, "was not ready within 2 s", ""),
    ],
    ids=["import fails", "attribute missing", "answers 500", "never ready"],
)
def test_a_server_that_does_not_come_up_says_why(own_app, source, deadline_s, message, log):
    with pytest.raises(LaunchError, match=message) as caught, serving(own_app(source), deadline_s=deadline_s):
        pass
    assert log in "\n".join(caught.value.log)


WARMS_UP = """
import time
READY = time.monotonic() + 1

async def app(scope, receive, send):
    if scope["type"] == "http":
        status = 200 if scope["path"] == "/up" and time.monotonic() > READY else 404
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})
"""


def test_a_target_may_name_the_path_that_says_when_it_is_ready(own_app):
    with serving(replace(own_app(WARMS_UP), ready="/up")) as running:
        assert running.startup_s > 1
    elsewhere = replace(own_app(WARMS_UP), ready="/ready")
    message = "not ready within 3 s: GET /ready returned 404, expected a status below 400; startup_timeout=2m"
    with pytest.raises(LaunchError, match=message), serving(elsewhere, deadline_s=3):
        pass


WSGI = "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'']\n"


@pytest.mark.parametrize("server", ["gunicorn", "waitress", "cheroot", "uwsgi", "mod_wsgi", "granian,interface=wsgi"])
def test_an_asgi_app_under_a_wsgi_server_is_told_at_once(own_app, server):
    with pytest.raises(LaunchError) as caught, serving(own_app(asgi_app(), server), deadline_s=600):
        pass
    program = server.partition(",")[0]
    assert f"own_app:app is an ASGI app, and {program} calls it as a WSGI one; serve it with " in str(caught.value)
    assert "uvicorn" in str(caught.value)
    assert "waitress" not in str(caught.value).partition("serve it with")[2]


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn", "daphne", "granian", "gunicorn,interface=asgi"])
def test_a_wsgi_app_under_an_asgi_server_is_told_at_once(own_app, server):
    with pytest.raises(LaunchError) as caught, serving(own_app(WSGI, server), deadline_s=600):
        pass
    assert "own_app:app is a WSGI app, and " in str(caught.value)
    assert "waitress" in str(caught.value).partition("serve it with")[2]


def test_what_a_factory_makes_is_told_too(own_app):
    source = "def make():\n" + "".join(f"    {line}\n" for line in asgi_app().splitlines()) + "    return app\n"
    own_app(source)
    target = parse_target("own_app:make()@waitress")
    with pytest.raises(LaunchError, match=r"own_app:make\(\) is an ASGI app, and waitress"), serving(target):
        pass


def test_an_app_that_fails_by_itself_is_waited_for(own_app):
    target = own_app(asgi_app(status=503))
    with pytest.raises(LaunchError, match="GET /health returned 503, expected a status"), serving(target, deadline_s=3):
        pass


def test_an_interpreter_that_cannot_be_run(own_app):
    target = replace(own_app(asgi_app()), python="/nowhere/python")
    with pytest.raises(LaunchError, match="/nowhere/python cannot be run: No such file"), serving(target):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="a server's environment is read from /proc")
def test_variables_that_would_trace_requests_are_not_inherited(own_app, monkeypatch):
    traced = ("OTEL_EXPORTER_OTLP_ENDPOINT", "FASTAPI_OTEL_AUTO_CONFIGURE")
    for name in (*traced, "OTHER"):
        monkeypatch.setenv(name, "from outside")
    target = replace(own_app(asgi_app()), environment={"OTEL_SERVICE_NAME": "asked for"})
    with serving(target) as running:
        variables = psutil.Process(running.pid).environ()
    assert variables["OTHER"] == "from outside"
    assert variables["OTEL_SERVICE_NAME"] == "asked for"
    assert not variables.keys() & set(traced)


def test_one_that_fails_does_not_stop_the_others(own_app):
    started = "open('started', 'a').write('x')\n"
    good, bad = own_app(asgi_app(), module="good"), own_app(started + "1/0\n", module="bad")
    guard = Guard()
    try:
        with Fleet(guard) as fleet:
            fleet.start([bad, good])
            assert set(fleet.running) == {"good"}
            assert fleet.failures["bad"].reason.code == "exited"
            assert "ZeroDivisionError" in "\n".join(fleet.failures["bad"].log)
            # As when servers came up ahead, and the block that they are for begins.
            fleet.start([bad, good])
            assert Path("started").read_text() == "x"
    finally:
        guard.close()


def test_a_port_taken_at_the_last_moment_is_told(own_app, tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        running = start(own_app(asgi_app()), Bind("127.0.0.1", other.getsockname()[1]), tmp_path / "log")
        try:
            running.process.wait(30)
            assert "in use" in "\n".join(running.log())
        finally:
            stop(running)


STUBBORN = """
import os, signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
children = [subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) for _ in range(3)]
children.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True))
"""


def test_children_end_with_their_server(own_app):
    with serving(own_app(STUBBORN + asgi_app())) as running:
        family = psutil.Process(running.pid).children(recursive=True)
        assert len(family) == 4
    _, alive = psutil.wait_procs(family, timeout=60)
    assert not alive


OWNER = """
import sys
from harness.prepare.select import parse_target
from harness.serve import serving
with serving(parse_target("own_app:app@uvicorn")) as running:
    print(running.pid, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_servers_end_when_their_owner_is_killed(own_app, number):
    own_app(STUBBORN + asgi_app())
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        pid = int(owner.stdout.readline())
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        assert len(family) == 5
        os.kill(owner.pid, number)
        _, alive = psutil.wait_procs(family, timeout=60)
        assert not alive
    finally:
        owner.kill()
        owner.communicate()


def test_free_ports_are_free():
    ports = {free_port() for _ in range(20)}
    assert len(ports) > 10
    for port in ports:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))


def test_a_stopped_server_is_waited_for(own_app, tmp_path):
    running = start(own_app(asgi_app()), Bind("127.0.0.1", free_port()), tmp_path / "log")
    stop(running)
    assert running.process.returncode is not None


FORKING = """
import os, time
def child(leave):
    if os.fork() == 0:
        if leave:
            os.setsid()
        time.sleep(600)
for number in range(49):
    child(leave=number % 10 == 0)
# The last one is nobody's child any more, in a session of its own: a daemon.
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
    os._exit(0)
os.wait()
"""


def marked(mark):
    """Processes that carry the mark of a server."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="environments of others are read from /proc")
@pytest.mark.parametrize(
    ("server", "number"),
    [
        ("uvicorn", signal.SIGKILL),
        ("gunicorn,interface=asgi", signal.SIGTERM),
        ("gunicorn,interface=asgi", signal.SIGINT),
    ],
)
def test_no_child_survives_of_fifty_that_a_server_forked(own_app, server, number):
    own_app(FORKING + asgi_app())
    script = OWNER.replace("own_app:app@uvicorn", f"own_app:app@{server}").replace("running.pid,", "running.mark,")
    owner = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        mark = owner.stdout.readline().decode().strip()
        family = marked(mark)
        assert len(family) >= 51
        os.kill(owner.pid, number)
        _, alive = psutil.wait_procs(family, timeout=60)
        assert not alive
        assert not marked(mark)
    finally:
        owner.kill()
        owner.communicate()
        for process in marked(mark):
            process.kill()


def test_the_process_that_guards_says_nothing(capfd):
    Guard().close()
    assert capfd.readouterr() == ("", "")


def test_no_module_in_the_users_folder_is_taken_for_one_of_the_harness(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    for name in ("numpy", "psutil", "uvloop", "httptools", "json", "harness", "gunicorn"):
        Path(f"{name}.py").write_text("raise SystemExit('taken from the wrong folder')")
    process = EngineProcess(())
    process.wait_ready()
    process.close()
    Guard().close()
    assert offered("gunicorn.workers:SUPPORTED_WORKERS")
    assert capfd.readouterr() == ("", "")


def test_a_users_django_settings_do_not_reach_the_packaged_apps_and_do_reach_their_own(own_app, monkeypatch):
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "mysite.settings")
    own = own_app(asgi_app())
    packaged = replace(own, framework="django", application="apps.django_app.wsgi:application")
    assert "DJANGO_SETTINGS_MODULE" not in inherited(packaged)
    assert inherited(own)["DJANGO_SETTINGS_MODULE"] == "mysite.settings"
