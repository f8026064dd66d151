"""Every app has its routes in the contract's order and as deep as the others, so that none has further to search.

FastAPI, Starlette, Django and Tornado try one route after the other.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import groupby

import pytest

from apps.contract.operations import OPERATIONS
from harness.model import Target
from harness.verify import endpoints_of
from tests.targets import ALL

pytestmark = pytest.mark.live

PATHS = ["/openapi.json", *(path for path, _ in groupby(operation.path for operation in OPERATIONS))]
"""Of every route, in order: the document comes first, since FastAPI puts it there by itself."""
AFTER = ["/ws/echo", "/docs", "/redoc", "/docs/assets/{name}"]
DEPTHS = {"fastapi-routers": 2, "django-ninja": 1}
"""What begins a target's name → how many routers its routes lie in; those of all others lie in none."""
BY_TREE = {"apps.variants.flask_typed:app", "apps.variants.flask_validate_json:app"}
"""Apps of a few endpoints; Werkzeug finds a route in a tree, whatever stands before it."""


def distinct() -> dict[str, Target]:
    """A target of each app; two of Django's may differ in their settings only."""
    targets = {
        (target.application, target.environment.get("DJANGO_SETTINGS_MODULE")): target for target in ALL.values()
    }
    return {
        target.name: target
        for target in targets.values()
        if target.framework != "raw" and target.application not in BY_TREE
    }


def routes_of(target: Target) -> list[str]:
    """Read in a process of its own, since a variant may change the app that it is made from."""
    application = repr(target.application)
    program = f"import json; from tests.contract.routes import paths_of; print(json.dumps(paths_of({application})))"
    environment = {**os.environ, **target.environment}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    routes: list[str] = json.loads(done.stdout.splitlines()[-1])
    return routes


@pytest.mark.parametrize("name", distinct())
def test_every_endpoint_has_the_contracts_place(name: str) -> None:
    target = ALL[name]
    routes = routes_of(target)
    depth = next((depth for start, depth in DEPTHS.items() if name.startswith(start)), 0)
    assert {len(path) - len(path.lstrip(">")) for path in routes[1:]} == {depth}
    routes = [path.lstrip(">") for path in routes]
    places = {operation.name: operation.path for operation in OPERATIONS if operation.name in endpoints_of(target)}
    assert places
    assert {name: routes.index(path) for name, path in places.items()} == {
        name: PATHS.index(path) for name, path in places.items()
    }
    if "*" in target.endpoints:
        assert routes[: len(PATHS)] == PATHS
        assert routes[len(PATHS) :] == [path for path in AFTER if path in routes]
        assert set(AFTER[1:]) <= set(routes)
