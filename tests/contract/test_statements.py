"""What a request asks of the database, counted by PostgreSQL: the same of every driver and ORM."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from apps.contract.seed import product
from harness.serve import serving
from harness.session.statements import count, logged
from tests.conftest import asgi_app
from tests.targets import ALL

pytestmark = pytest.mark.live

ENDPOINTS = {"io-db": "SELECT", "product": "SELECT", "products": "SELECT", "product-insert": "INSERT"}
RESET = ("SELECT", "CLOSE", "UNLISTEN", "RESET")
DATABASE = [name for name, target in ALL.items() if not target.variant and {"product", "*"} & set(target.endpoints)]
BY_DEFAULT = {
    "fastapi-uvicorn": lambda endpoint: ((ENDPOINTS[endpoint], *RESET), 1),
    "flask-gunicorn-gthread": lambda endpoint: (("BEGIN", ENDPOINTS[endpoint], "COMMIT"), 1),
    "fastapi-sqlalchemy-own-sessions-uvicorn": lambda endpoint: (in_transaction(endpoint), 1),
    "fastapi-tortoise-own-sessions-uvicorn": lambda endpoint: ((ENDPOINTS[endpoint], *RESET), 1),
    "flask-sqlalchemy-own-sessions-gunicorn-gthread": lambda endpoint: (in_transaction(endpoint), writes(endpoint)),
    "django-orm-own-sessions-gunicorn-gthread": lambda endpoint: ((ENDPOINTS[endpoint],), 0),
}
"""Target → endpoint → the statements of a request with ``HARNESS_SESSIONS=default``, and how many are prepared."""


def writes(endpoint: str) -> bool:
    return ENDPOINTS[endpoint] == "INSERT"


def in_transaction(endpoint: str) -> tuple[str, ...]:
    return ("BEGIN", ENDPOINTS[endpoint], "COMMIT" if writes(endpoint) else "ROLLBACK")


def counted(name: str, around, **environment: str):
    around.restore()
    target = replace(ALL[name], environment={**ALL[name].environment, **environment})
    with (
        serving(target, deadline_s=120, environment=around.environment) as running,
        logged(around.postgres) as log,
    ):
        found = count(running, log, set(ENDPOINTS))
    return {each.endpoint: (each.verbs, each.prepared) for each in found}


@pytest.mark.parametrize("name", DATABASE)
def test_a_request_is_one_prepared_statement(name, around):
    found = counted(name, around)
    assert set(found) >= {"product"}
    assert found == {endpoint: ((ENDPOINTS[endpoint],), 1) for endpoint in found}


@pytest.mark.parametrize("name", BY_DEFAULT)
def test_what_drivers_and_orms_do_by_default_is_known(name, around):
    found = counted(name, around, HARNESS_SESSIONS="default")
    assert set(found) >= {"product", "products", "product-insert"}
    assert found == {endpoint: BY_DEFAULT[name](endpoint) for endpoint in found}


def test_every_target_with_sessions_of_its_own_is_counted():
    assert {name for name, target in ALL.items() if "HARNESS_SESSIONS" in target.environment} <= set(BY_DEFAULT)


def test_who_answers_without_the_database_makes_no_statement(around, own_app):
    app = asgi_app(body=repr(json.dumps(product(7)).encode()))
    target = replace(own_app(app), endpoints=("product",))
    with serving(target, environment=around.environment) as running, logged(around.postgres) as log:
        [found] = count(running, log, {"product"})
    assert (found.verbs, found.prepared) == ((), 0)
