import pickle
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.model import Target
from harness.model.address import Address
from harness.serve.servers import (
    SERVERS,
    Bind,
    command_of,
    how_to_install,
    load_server,
    missing_for,
    resolved,
)
from harness.serve.servers.spec import Server

BIND = Bind("127.0.0.1", 8001)


def test_to_other_processes_a_servers_place_is_an_address():
    sent = pickle.loads(pickle.dumps(Bind("127.0.0.1", 8001, folder="/tmp/x")))
    assert (type(sent), sent) == (Address, Address("127.0.0.1", 8001))


def target(server, interface, **values):
    return Target("t", "own", interface, server, "pkg.mod:app", **values)


def test_the_example_that_contributing_shows_is_the_module_itself():
    project = Path(__file__).parents[2]
    module = (project / "harness" / "serve" / "servers" / "daphne.py").read_text("utf-8")
    assert f"```python\n{module}```\n" in (project / "CONTRIBUTING.md").read_text("utf-8")


@pytest.mark.parametrize("name", SERVERS)
def test_every_server_builds_an_argument_list(name):
    server = load_server(name)
    assert isinstance(server, Server)
    assert server.name == name
    for interface in server.interfaces:
        options = {"bridge": "a2wsgi"} if (name, interface) == ("uvicorn", "wsgi") else {}
        command = command_of(target(name, interface, options=options), BIND)
        arguments = command.arguments
        assert "pkg.mod" in " ".join([*arguments, *command.environment.values()])
        assert any("8001" in argument for argument in arguments)
        assert all(isinstance(argument, str) for argument in arguments)


def test_options_reach_the_server():
    chosen = target("gunicorn", "wsgi", options={"worker_class": "gthread"}, workers=2, threads=8)
    assert {"--workers=2", "--threads=8", "--worker-class=gthread"} <= set(command_of(chosen, BIND).arguments)


@pytest.mark.parametrize(
    ("chosen", "asked"),
    [
        (target("gunicorn", "wsgi", options={"worker_class": "gevent"}, threads=500), {"--worker-connections=500"}),
        (target("gunicorn", "wsgi", threads=8), {"--worker-connections=10000"}),
        (target("gunicorn", "wsgi", options={"parser": "fast"}), {"--http-parser=fast"}),
        (target("granian", "wsgi", threads=8), {"--blocking-threads=8"}),
        (target("granian", "asgi"), set()),
        (target("granian", "asgi", options={"runtime_threads": 2, "backpressure": 64}), {"--runtime-threads=2"}),
        (target("granian", "asgi", options={"runtime_threads": 2, "backpressure": 64}), {"--backpressure=64"}),
        (target("uwsgi", "wsgi"), {"--http=127.0.0.1:8001"}),
        (target("uwsgi", "wsgi", options={"frontend": "socket"}), {"--http-socket=127.0.0.1:8001"}),
    ],
)
def test_what_is_asked_for_is_said_once_and_nothing_else(chosen, asked):
    said = [argument for argument in command_of(chosen, BIND).arguments if argument.startswith("--")]
    names = [argument.partition("=")[0] for argument in said]
    assert len(names) == len(set(names))
    assert asked <= set(said)
    optional = {"--http-parser", "--blocking-threads", "--runtime-threads", "--backpressure", "--http-socket"}
    given = {argument.partition("=")[0] for argument in asked} | {
        f"--{name.replace('_', '-')}" for name in chosen.options
    }
    assert not optional & set(names) - given


@pytest.mark.parametrize(
    ("chosen", "processes"),
    [
        (target("uvicorn", "asgi"), 1),
        (target("gunicorn", "wsgi", workers=3), 4),
        (target("uwsgi", "wsgi"), 3),
        (target("uwsgi", "wsgi", options={"frontend": "socket"}), 2),
    ],
)
def test_processes_beside_the_workers_are_counted(chosen, processes):
    assert resolved(chosen).processes == processes


@pytest.mark.parametrize(
    ("chosen", "message", "hint"),
    [
        (target("gunicron", "wsgi"), "no server is called 'gunicron'", "did you mean gunicorn"),
        (target("hypercorn", "wsgi"), "serves asgi, not wsgi", ""),
        (target("uvicorn", "wsgi"), "across a bridge only", "bridge=a2wsgi"),
        (target("uvicorn", "wsgi", options={"bridge": "asgiref"}, threads=4), "one thread", ""),
        (target("uvicorn", "asgi", options={"bridge": "a2wsgi"}), "no bridge for asgi", ""),
        (target("gunicorn", "asgi", options={"worker_class": "sync"}), "serves wsgi, not asgi", ""),
        (target("gunicorn", "wsgi", options={"worker_class": "gtread"}), "'gtread' is not offered", "gthread"),
        (target("gunicorn", "asgi", options={"http": "h11"}), "no option 'http'", "uvicorn worker"),
        (target("gunicorn", "wsgi", options={"worker_class": "gevent"}), "as many requests at once", "threads=1000"),
        (target("gunicorn", "wsgi", options={"worker_class": "tornado", "parser": "fast"}), "parser of its own", ""),
        (target("granian", "asgi", threads=2), "for wsgi only", "leave out"),
        (target("tornado", "native", options={"loop": "trio"}), "'asyncio' or 'uvloop'", ""),
        (target("granian", "asgi", options={"loop": "trio"}), "'trio' is not offered", "rloop, uvloop"),
        (target("waitress", "wsgi", workers=2), "has one worker", "leave out"),
        (
            target("uvicorn", "asgi", options={"lop": "uvloop"}),
            "no option 'lop'",
            "keep_alive, loop, http",
        ),
        (target("uvicorn", "asgi", options={"loop": "trio"}), "option 'loop': 'trio'", "accepted: none, auto, asyncio"),
        (target("uvicorn", "asgi", threads=4), "no threads per worker", "leave out"),
        (target("gunicorn", "wsgi", options={"worker_class": "sync"}, threads=4), "one thread", "gthread"),
    ],
)
def test_what_a_server_does_not_take_is_refused(chosen, message, hint):
    with pytest.raises(UsageError, match=message) as caught:
        command_of(chosen, BIND)
    assert hint in caught.value.hint


def test_a_value_may_need_a_package_besides_and_an_extra_brings_it(monkeypatch):
    monkeypatch.setattr(
        "harness.serve.servers.registry.version_of", lambda name: "" if name in ("gevent", "mod_wsgi") else "1"
    )
    assert missing_for(target("gunicorn", "wsgi")) == ""
    assert missing_for(target("gunicorn", "wsgi", options={"worker_class": "gevent"})) == "gevent"
    assert missing_for(target("mod_wsgi", "wsgi")) == "mod_wsgi"
    assert how_to_install("gevent") == "pip install 'web-harness[servers]'"
    assert how_to_install("mod_wsgi") == "pip install 'web-harness[mod-wsgi]'"
    assert how_to_install("fastwsgi") == "pip install fastwsgi"


def test_another_environment_is_asked_what_it_offers(tmp_path):
    other = tmp_path / "python"
    other.write_text('#!/bin/sh\necho \'["asyncio", "turbo"]\'\n')
    other.chmod(0o755)
    assert (
        "--loop=turbo"
        in command_of(
            target(
                "granian",
                "asgi",
                options={"loop": "turbo", "task_impl": "asyncio", "runtime_mode": "turbo"},
                python=str(other),
            ),
            BIND,
        ).arguments
    )


def test_a_server_is_told_its_backlog():
    assert resolved(target("uvicorn", "asgi")).backlog == 2048
    assert resolved(target("waitress", "wsgi", options={"backlog": 100})).backlog == 100
