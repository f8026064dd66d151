import pytest

from harness.errors import UsageError
from harness.model import Target
from harness.servers import SERVERS, Bind, command_of, load_server
from harness.servers.spec import Server

BIND = Bind("127.0.0.1", 8001)


def target(server, interface, **values):
    return Target("t", "own", interface, server, "pkg.mod:app", **values)


@pytest.mark.parametrize("name", SERVERS)
def test_every_server_builds_an_argument_list(name):
    server = load_server(name)
    assert isinstance(server, Server)
    assert server.name == name
    for interface in server.interfaces:
        arguments = command_of(target(name, interface), BIND).arguments
        assert "pkg.mod:app" in arguments
        assert any("8001" in argument for argument in arguments)
        assert all(isinstance(argument, str) for argument in arguments)


def test_options_reach_the_server():
    chosen = target("gunicorn", "wsgi", options={"worker_class": "gthread"}, workers=2, threads=8)
    assert {"--workers=2", "--threads=8", "--worker-class=gthread"} <= set(command_of(chosen, BIND).arguments)


@pytest.mark.parametrize(
    ("chosen", "message", "hint"),
    [
        (target("gunicron", "wsgi"), "no server is called 'gunicron'", "did you mean gunicorn"),
        (target("uvicorn", "wsgi"), "serves asgi, not wsgi", ""),
        (target("uvicorn", "asgi", options={"lop": "uvloop"}), "no option 'lop'", "accepted options: loop"),
        (target("uvicorn", "asgi", options={"loop": "trio"}), "option 'loop'", ""),
        (target("uvicorn", "asgi", threads=4), "no threads per worker", "leave out"),
        (target("gunicorn", "wsgi", options={"worker_class": "sync"}, threads=4), "one thread", "gthread"),
    ],
)
def test_what_a_server_does_not_take_is_refused(chosen, message, hint):
    with pytest.raises(UsageError, match=message) as caught:
        command_of(chosen, BIND)
    assert hint in caught.value.hint
