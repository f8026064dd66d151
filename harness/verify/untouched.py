"""The smallest app of each framework, started as its documentation says, and probed for what it does by itself."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from apps.contract.case import Case
from harness.errors import LaunchError
from harness.model import Effort, Feature, Reason, Target
from harness.serve import LOOPBACK, Running, free_port, wait_until_ready
from harness.serve.guard import Guard
from harness.serve.servers import Bind
from harness.verify import Reply, exchange
from harness.verify.effort import effort_of

FOLDER = Path(__file__).parents[2] / "apps" / "untouched"
FIRST = "first_steps"
ENDPOINTS = 2
"""That every app but the introduction's has: an item by its number, and the total of an order."""
READY_S = 15.0
_CHECK_ERRORS = (OSError, ValueError, LookupError, TypeError, AttributeError, http.client.HTTPException)
"""What a check may raise where a reply is not of the expected form."""

Check = Callable[[Running], Reason | None]
"""Why a server that is up lacks something; nothing where it does not."""


@dataclass(frozen=True, slots=True)
class _App:
    """``framework``: that brings it. ``command``: what Python is called with in its folder, the port left open."""

    framework: str
    command: tuple[str, ...]
    checks: Mapping[str, Check]
    folder: Path = FOLDER


def probe_untouched(frameworks: Collection[str], guard: Guard) -> tuple[list[Feature], list[Effort]]:
    """What each app of these frameworks does by itself, and its size; one that does not start is left out."""
    chosen = {name: app for name, app in APPS.items() if app.framework in frameworks}
    if not chosen:
        return [], []
    ports: set[int] = set()
    while len(ports) < len(chosen):
        ports.add(free_port())
    with ThreadPoolExecutor(len(chosen)) as pool:
        results = pool.map(lambda name, port: _probe(name, chosen[name], port, guard), chosen, ports)
        features = [feature for each in results for feature in each]
    started = {feature.target for feature in features} - {FIRST}
    sizes = [effort_of((f"apps.untouched.with_{name}",), chosen[name].framework, ENDPOINTS) for name in started]
    return features, sorted(sizes, key=lambda size: size.app)


def _probe(name: str, app: _App, port: int, guard: Guard) -> list[Feature]:
    command = [sys.executable, *(part.format(port=port) for part in app.command)]
    process = guard.start(command, cwd=app.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    target = Target(name, app.framework, "native", "", "")
    running = Running(target, Bind(LOOPBACK, port), process)
    try:
        wait_until_ready(running, READY_S)
        details = {capability: run_check(check, running) for capability, check in app.checks.items()}
    except LaunchError:
        return []
    finally:
        guard.end(process)
    return [Feature(name, capability, True, detail is None, detail=detail) for capability, detail in details.items()]


def run_check(check: Check, running: Running) -> Reason | None:
    """Why something is lacking, as ``check`` says; nothing where it is not."""
    try:
        return check(running)
    except _CHECK_ERRORS as error:
        return raised(error)


def raised(error: Exception) -> Reason:
    return Reason("raised", {"text": f"{type(error).__name__}: {error}"})


def send(running: Running, method: str, path: str, value: object = None, media_type: str = "") -> Reply:
    body = b"" if value is None else json.dumps(value).encode()
    headers = (("Content-Type", "application/json"),) if body else ()
    return exchange(running.bind, Case("", method, path, headers, body, 200, media_type, None, None))


def unexpected(reply: Reply, code: str = "unexpected-reply") -> Reason:
    return Reason(code, {"status": reply.status, "type": reply.media_type or "–"})


def page(running: Running, path: str, mark: bytes) -> Reason | None:
    reply = send(running, "GET", path)
    return None if reply.status == 200 and mark in reply.body else unexpected(reply, "no-page")


def _clear(running: Running, method: str, path: str, value: object, field: str) -> Reason | None:
    """A clear error: a status that blames the request, and JSON that names what is wrong with it."""
    reply = send(running, method, path, value)
    clear = 400 <= reply.status < 500 and "json" in reply.media_type and field.encode() in reply.body
    return None if clear else unexpected(reply)


def _serializes(running: Running) -> Reason | None:
    """By the type of the reply, which leaves out what is not in it."""
    reply = json.loads(send(running, "POST", "/orders", {"item": "tea", "quantity": 3}).body)
    return None if reply == {"item": "tea", "total": 6} else Reason("reply-fields", {"fields": tuple(map(str, reply))})


def _documents(running: Running, path: str) -> Reason | None:
    """A document from which a client knows the types of both inputs."""
    reply = send(running, "GET", path)
    if reply.status != 200:
        return unexpected(reply)
    document = json.loads(reply.body)
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    parameters = {each["name"]: each["schema"] for one in operations for each in one.get("parameters", ())}
    schemas = document["components"]["schemas"].values()
    quantities = [one["properties"]["quantity"] for one in schemas if "quantity" in one.get("properties", ())]
    types = {str(each.get("type")) for each in (parameters["item_id"], *quantities)}
    right = quantities and types == {"integer"}
    return None if right else Reason("openapi-types", {"types": tuple(sorted(types))})


PAGES = {"docs": partial(page, path="/docs", mark=b"swagger-ui"), "redoc": partial(page, path="/redoc", mark=b"redoc")}
_ORDER_FAULT = partial(_clear, method="POST", path="/orders", field="quantity")
FAULTS = {
    "path-fault": partial(_clear, method="GET", path="/items/many", value=None, field="item_id"),
    "missing-fault": partial(_ORDER_FAULT, value={"item": "tea"}),
    "type-fault": partial(_ORDER_FAULT, value={"item": "tea", "quantity": "many"}),
}
_UVICORN = ("-m", "uvicorn", "--port={port}")
_DJANGO = ("runserver", "--noreload", "127.0.0.1:{port}")


def _typed(openapi: str) -> Mapping[str, Check]:
    return {**FAULTS, "serialization": _serializes, "openapi": partial(_documents, path=openapi)}


APPS = {
    FIRST: _App("fastapi", (*_UVICORN, "main:app"), PAGES, FOLDER / FIRST),
    "fastapi": _App("fastapi", (*_UVICORN, "with_fastapi:app"), {**PAGES, **_typed("/openapi.json")}),
    "starlette": _App("starlette", (*_UVICORN, "with_starlette:app"), FAULTS),
    "flask": _App("flask", ("-m", "flask", "--app=with_flask", "run", "--port={port}"), FAULTS),
    "flask_openapi3": _App(
        "flask",
        ("-m", "flask", "--app=with_flask_openapi3", "run", "--port={port}"),
        _typed("/openapi/openapi.json"),
    ),
    "django": _App("django", ("with_django.py", *_DJANGO), FAULTS),
    "django_ninja": _App("django", ("with_django_ninja.py", *_DJANGO), _typed("/openapi.json")),
    "tornado": _App("tornado", ("with_tornado.py", "{port}"), FAULTS),
}
"""By name, which all but the introduction's have in the name of their module too."""
