"""What a framework does for one request, without a server: function calls and time, of every app, in turns.

    python -m benchmarks.calls [--endpoint json] [--case valid] [--rounds 60] [--batch 100] [--layers] [--only TEXT]

Each app has a process of its own. ASGI apps are given a scope on uvloop, WSGI apps an environ, and Tornado's app the
head and body of a request as its HTTP parser would give them, with a connection that keeps what is written: no parser
and no socket is measured anywhere. Every reply is checked.

Calls are those that ``sys.setprofile`` sees in the thread of the app: of Python functions (a coroutine counts each time
it goes on) and of C functions. They are exact, and the same on every machine for the same versions. Times are medians
of batches that take turns in random order, with quartiles; a busy machine blurs them. ``--layers`` prints what FastAPI
spends its calls on. The apps called bare have three routes, to show what the contract's apps do besides.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

import uvloop

from apps.contract.case import Case
from apps.contract.endpoints import ENDPOINTS

Once = Callable[[], Coroutine[Any, Any, tuple[int, bytes]]]
"""Sends one request; status and body of the reply."""

WARM = 50


@dataclass(frozen=True, slots=True)
class App:
    label: str
    kind: str
    application: str
    floor: str
    settings: str = ""


@dataclass(frozen=True, slots=True)
class Layer:
    """Calls that belong together: those whose ``module:function`` begins with one of the words of ``starts``."""

    name: str
    reason: str
    starts: str


def _django(name: str, kind: str, settings: str) -> App:
    """Django's application with some settings."""
    return App(name, kind, f"apps.django_app.{kind}:application", f"raw {kind.upper()}", f"apps.{settings}")


APPS = (
    App("raw ASGI", "asgi", "apps.baseline.asgi:app", ""),
    App("Starlette, bare", "asgi", "benchmarks.bare:starlette", "raw ASGI"),
    App("Starlette", "asgi", "apps.starlette_app:app", "raw ASGI"),
    App("FastAPI, bare, JSONResponse returned", "asgi", "benchmarks.bare:fastapi_response", "raw ASGI"),
    App("FastAPI, bare, response model", "asgi", "benchmarks.bare:fastapi_declared", "raw ASGI"),
    App("FastAPI", "asgi", "apps.fastapi_app:app", "raw ASGI"),
    App("FastAPI in nested routers", "asgi", "apps.fastapi_app.with_routers:app", "raw ASGI"),
    _django("Django, ASGI", "asgi", "django_app.settings_async"),
    _django("Django, ASGI, CommonMiddleware", "asgi", "django_app.with_common_middleware"),
    _django("Django, ASGI, startproject's middleware", "asgi", "django_app.startproject.settings_async"),
    _django("django-ninja, ASGI", "asgi", "django_ninja_app.settings_async"),
    App("Tornado", "tornado", "apps.tornado_app:app", "raw ASGI"),
    App("raw WSGI", "wsgi", "apps.baseline.wsgi:app", ""),
    App("Flask", "wsgi", "apps.flask_app:app", "raw WSGI"),
    _django("Django, WSGI", "wsgi", "django_app.settings"),
    _django("Django, WSGI, startproject's middleware", "wsgi", "django_app.startproject.settings_sync"),
    _django("django-ninja, WSGI", "wsgi", "django_ninja_app.settings"),
    _django("Django REST framework", "wsgi", "django_rest_app.settings"),
)

LAYERS = (
    Layer("the endpoint", "what the app is asked to do", "apps."),
    Layer(
        "matching routes",
        "routes are tried one after the other, in the contract's order",
        "starlette._utils fastapi.routing:APIRoute.matches fastapi.routing:_get_scope_effective_route_context"
        " fastapi.routing:_update_scope starlette.routing:Route.matches",
    ),
    Layer(
        "telemetry",
        "FastAPI asks for every request whether OpenTelemetry is configured",
        "fastapi.telemetry opentelemetry os",
    ),
    Layer(
        "exit stacks",
        "three per request, for files and for the two kinds of dependencies with yield",
        "contextlib fastapi.middleware.asyncexitstack",
    ),
    Layer(
        "middleware and errors",
        "what Starlette and FastAPI put around every app to turn exceptions into replies",
        "starlette.middleware starlette._exception_handler starlette.applications fastapi.applications"
        " fastapi._body_limit",
    ),
    Layer(
        "reading the request",
        "query, headers and cookies are parsed before it is known whether the function wants any",
        "starlette.requests starlette.datastructures:Headers starlette.datastructures:QueryParams"
        " starlette.datastructures:ImmutableMultiDict urllib.parse collections.abc",
    ),
    Layer(
        "parameters and dependencies",
        "the plan made at the start is gone through, with nothing to do for this endpoint",
        "fastapi.dependencies typing",
    ),
    Layer(
        "the response model",
        "the reply is made, validated and serialized by Pydantic",
        "fastapi._compat pydantic fastapi.routing:serialize_response",
    ),
    Layer(
        "the response",
        "two are made: one whose headers and status dependencies may set, and the reply",
        "starlette.responses starlette.datastructures:MutableHeaders fastapi.utils",
    ),
    Layer(
        "the route's handler",
        "what leads from the route to the function and back",
        "fastapi.routing starlette.routing",
    ),
)
"""A call belongs to the first layer that it fits."""


def asgi(app: Any, case: Case) -> Once:
    path, _, query = case.path.partition("?")
    headers = [(name.encode(), value.encode()) for name, value in case.headers]
    headers += [(b"host", b"localhost"), (b"content-length", b"%d" % len(case.body))]

    async def once() -> tuple[int, bytes]:
        sent: list[Any] = []
        waiting = [{"type": "http.request", "body": case.body, "more_body": False}]

        async def receive() -> Any:
            # Django waits for the client to leave while it answers.
            return waiting.pop() if waiting else await asyncio.get_running_loop().create_future()

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 50_000),
            "scheme": "http",
            "method": case.method,
            "root_path": "",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": list(headers),
            "state": {},
        }
        await app(scope, receive, send)
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])

    return once


def wsgi(app: Any, case: Case) -> Once:
    path, _, query = case.path.partition("?")
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in case.headers}
    if content_type := headers.pop("HTTP_CONTENT_TYPE", ""):
        headers["CONTENT_TYPE"] = content_type

    async def once() -> tuple[int, bytes]:
        started: list[str] = []

        def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
            started.append(status)

        environ = {
            "REQUEST_METHOD": case.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "localhost",
            "CONTENT_LENGTH": str(len(case.body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(case.body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **headers,
        }
        reply = app(environ, start_response)
        try:
            body = b"".join(reply)
        finally:
            getattr(reply, "close", int)()
        return int(started[0][:3]), body

    return once


def tornado(app: Any, case: Case) -> Once:
    from tornado.httputil import HTTPConnection, HTTPHeaders, RequestStartLine

    class Kept(HTTPConnection):
        """What the application writes to."""

        def __init__(self) -> None:
            self.done = asyncio.get_running_loop().create_future()
            self.written = asyncio.get_running_loop().create_future()
            self.written.set_result(None)
            self.status, self.body = 0, b""

        def write_headers(self, start_line: Any, headers: Any, chunk: bytes | None = None) -> Any:
            self.status, self.body = start_line.code, chunk or b""
            return self.written

        def write(self, chunk: bytes) -> Any:
            self.body += chunk
            return self.written

        def finish(self) -> None:
            self.done.set_result(None)

        def set_close_callback(self, callback: Any) -> None:
            pass

        def set_max_body_size(self, size: int) -> None:
            pass

    async def once() -> tuple[int, bytes]:
        connection = Kept()
        headers = HTTPHeaders(dict(case.headers) | {"Host": "localhost", "Content-Length": str(len(case.body))})
        request = app.start_request(None, connection)
        request.headers_received(RequestStartLine(case.method, case.path, "HTTP/1.1"), headers)
        if case.body:
            received = request.data_received(case.body)
            if received is not None:
                await received
        request.finish()
        await connection.done
        return connection.status, connection.body

    return once


KINDS = {"asgi": asgi, "wsgi": wsgi, "tornado": tornado}


async def counted(once: Once) -> Counter[str]:
    """``module:function`` → its calls, for one request."""
    calls: Counter[str] = Counter()

    def profile(frame: Any, event: str, argument: Any) -> None:
        if event in ("call", "c_call") and frame.f_globals.get("__name__") != __name__:
            calls[f"{frame.f_globals.get('__name__')}:{frame.f_code.co_qualname}"] += 1

    sys.setprofile(profile)
    try:
        await once()
    finally:
        sys.setprofile(None)
    return calls


async def timed(once: Once, batch: int) -> float:
    """Microseconds per request: the median of a batch."""
    took = []
    for _ in range(batch):
        before = time.perf_counter_ns()
        await once()
        took.append(time.perf_counter_ns() - before)
    return statistics.median(took) / 1_000


def child(app: App, case: Case, pipe: Connection) -> None:
    """Answers orders: a number is the size of a batch to time, 0 asks for the calls, and nothing ends it."""
    os.environ["DJANGO_SETTINGS_MODULE"] = app.settings
    module, _, name = app.application.partition(":")
    once = KINDS[app.kind](getattr(import_module(module), name), case)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        status, body = runner.run(once())
        right = status == case.status and (json.loads(body) == case.json if case.text is None else body == case.text)
        pipe.send("" if right else f"status {status}: {body[:60]!r}")
        while right and (order := pipe.recv()) is not None:
            runner.run(timed(once, WARM))
            pipe.send(runner.run(timed(once, order) if order else counted(once)))


def measure(apps: list[App], case: Case, rounds: int, batch: int, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Label → calls, and label → the times of its batches."""
    context, pipes, children = get_context("spawn"), {}, []
    try:
        for app in apps:
            pipes[app.label], other = context.Pipe()
            children.append(context.Process(target=child, args=(app, case, other), daemon=True))
            children[-1].start()
            other.close()
        for label, wrong in {label: pipe.recv() for label, pipe in pipes.items()}.items():
            if wrong:
                print(f"{label}: {wrong}", file=sys.stderr)
                del pipes[label]
        calls = {label: ask(pipe, 0) for label, pipe in pipes.items()}
        took: dict[str, Any] = {label: [] for label in pipes}
        chance = random.Random(seed)
        for _ in range(rounds):
            for label in chance.sample(list(pipes), len(pipes)):
                took[label].append(ask(pipes[label], batch))
        for pipe in pipes.values():
            pipe.send(None)
        return calls, took
    finally:
        for process in children:
            process.join(2)
            process.kill()


def ask(pipe: Connection, order: int) -> Any:
    pipe.send(order)
    return pipe.recv()


def row(app: App, calls: dict[str, Any], took: dict[str, Any]) -> str:
    count, times = calls[app.label].total(), took[app.label]
    low, middle, high = statistics.quantiles(times, n=4)
    text = f"{app.label:<38}{count:>7}{middle:>9.1f}  [{low:.1f}, {high:.1f}]"
    if app.floor not in calls:
        return text
    ratio = statistics.median(one / floor for one, floor in zip(times, took[app.floor], strict=True))
    return f"{text:<72}{count / calls[app.floor].total():>7.1f}{ratio:>7.1f}   × {app.floor}"


def layers(calls: Counter[str]) -> str:
    named: Counter[str] = Counter()
    rest: Counter[str] = Counter()
    for where, count in calls.items():
        name = next((layer.name for layer in LAYERS if where.startswith(tuple(layer.starts.split()))), "")
        (named if name else rest)[name or where] += count
    reasons = {layer.name: layer.reason for layer in LAYERS}
    lines = [f"{count:>5}  {name:<28} {reasons[name]}" for name, count in named.most_common()]
    lines += [f"{count:>5}  {where}" for where, count in rest.most_common()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--endpoint", default="json", choices=ENDPOINTS)
    parser.add_argument("--case", default="", help="name of a case of the endpoint (default: its first)")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--batch", type=int, default=100, help="requests per turn (default: 100)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="apps whose name holds this text (default: all)")
    parser.add_argument("--layers", action="store_true", help="what FastAPI's calls are spent on")
    options = parser.parse_args()
    endpoint = ENDPOINTS[options.endpoint]
    case = endpoint.case(options.case) if options.case else endpoint.cases[0]
    apps = [app for app in APPS if options.only.lower() in app.label.lower()]
    calls, took = measure(apps, case, max(options.rounds, 2), options.batch, options.seed)
    print(f"{case.method} {case.path[:60]}, {options.rounds} rounds of {options.batch} requests\n")
    print(f"{'app':<38}{'calls':>7}{'µs':>9}  {'quartiles':<18}{'calls':>5}{'µs':>7}   than a raw app")
    for app in apps:
        if app.label in calls:
            print(row(app, calls, took))
    if options.layers:
        print(f"\nFastAPI's {calls['FastAPI'].total()} calls\n{layers(calls['FastAPI'])}")


if __name__ == "__main__":
    main()
