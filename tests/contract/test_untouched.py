"""Live: the smallest app of each framework comes up, and does by itself what its documentation says and no more."""

from __future__ import annotations

import psutil
import pytest

from harness.model import Reason
from harness.serve.guard import Guard
from harness.verify import untouched
from harness.verify.untouched import APPS, ENDPOINTS, FAULTS, FIRST, PAGES, probe_untouched

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def probed():
    guard = Guard()
    try:
        yield probe_untouched({app.framework for app in APPS.values()}, guard)
    finally:
        guard.close()


def test_every_app_answers_every_probe(probed):
    features, sizes = probed
    assert {(one.target, one.capability) for one in features} == {(n, c) for n, app in APPS.items() for c in app.checks}
    assert {size.app for size in sizes} == {f"untouched.with_{name}" for name in APPS if name != FIRST}
    assert {size.endpoints for size in sizes} == {ENDPOINTS}


def test_fastapi_has_it_all_and_the_introductions_app_its_pages(probed):
    features, _ = probed
    absent = {(one.target, one.capability): one.detail for one in features if not one.present}
    assert not [key for key in absent if key[0] in ("fastapi", FIRST)]


@pytest.mark.parametrize("name", ["starlette", "flask", "django", "tornado"])
def test_the_others_leave_errors_to_the_app(probed, name):
    features, _ = probed
    details = {one.capability: one.detail for one in features if one.target == name}
    assert {name: found.fields["status"] for name, found in details.items()} == {
        "path-fault": 404,
        "missing-fault": 500,
        "type-fault": 200,
    }
    assert details["type-fault"] == Reason("unexpected-reply", {"status": 200, "type": "application/json"})


def test_no_server_outlives_its_probes(probed):
    folder = str(untouched.FOLDER)
    left = [process for process in psutil.process_iter(["cwd"]) if str(process.info["cwd"]).startswith(folder)]
    assert left == []


def test_an_app_that_does_not_start_is_asked_nothing(monkeypatch):
    broken = untouched._App("flask", ("-c", "raise SystemExit(1)"), {**FAULTS, **PAGES})
    monkeypatch.setattr(untouched, "APPS", {"flask": broken})
    guard = Guard()
    try:
        assert probe_untouched({"flask"}, guard) == ([], [])
    finally:
        guard.close()


@pytest.mark.parametrize(("name", "lacks"), [("django_ninja", []), ("flask_openapi3", ["path-fault", "serialization"])])
def test_typed_packages_do_what_fastapi_does_or_less(probed, name, lacks):
    features, _ = probed
    assert [one.capability for one in features if one.target == name and not one.present] == lacks
