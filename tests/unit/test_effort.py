"""What each app needed is counted by one rule: code only, what the app imports, and packages beyond its framework."""

from __future__ import annotations

import pytest

from harness.config import load_declarations
from harness.model import OWN, Target
from harness.verify import sources
from harness.verify.effort import effort, effort_of
from harness.verify.sources import code_lines

TARGETS = load_declarations().targets


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("", 0),
        ('"""Doc."""\n\nimport os\n', 1),
        ("# a comment\nx = 1  # another\n\n\ny = (\n    2\n)\n", 4),
        ('def f():\n    """Doc\n    more."""\n    return 1\n', 2),
        ('x = """a\nb"""\n', 2),
    ],
)
def test_only_code_counts(source, lines):
    assert len(code_lines(source)) == lines


@pytest.fixture
def apps(tmp_path, monkeypatch):
    """Writes modules of ``apps`` by their names; what there is in the package is not seen."""
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    sources.parsed.cache_clear()

    def write(**modules):
        for name, text in modules.items():
            path = tmp_path.joinpath("apps", *name.split("__")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    yield write
    sources.parsed.cache_clear()


def test_modules_that_an_app_imports_are_its_own_and_others_are_not(apps):
    apps(
        a__app="from apps.a import views\nfrom apps.contract import domain\n",
        a__views="from apps.contract.domain import total\n\ndef view():\n    return total()\n",
        a__other="x = 1\n",
        contract__domain="def total():\n    return 1\n",
    )
    assert effort_of(("apps.a.app",), "flask", 2).lines == {OWN: 2 + 3}


def test_what_the_contract_has_in_place_of_a_framework_counts_as_far_as_it_is_used(apps):
    apps(
        a__app="from apps.contract import openapi as o\nfrom apps.contract.inbound import read\n\nread(o.document())\n",
        b__app="from apps.contract.openapi import TITLE\nfrom apps.contract.inbound import Refused\n\nprint(TITLE)\n",
        contract__openapi="TITLE = 'x'\n\ndef document():\n    return _title()\n\ndef _title():\n    return TITLE\n",
        contract__inbound="class Refused(Exception):\n    pass\n\ndef read(x):\n    raise Refused\n\ndef no(): ...\n",
    )
    whole = effort_of(("apps.a.app",), "flask", 2)
    assert whole.lines == {OWN: 3, "documentation": 5, "reading input": 4}
    assert (whole.own_lines, whole.total_lines) == (3, 12)
    assert effort_of(("apps.b.app",), "flask", 2).lines == {OWN: 3, "documentation": 1}


def test_settings_name_modules_and_packages_in_strings(apps):
    apps(
        d__wsgi="from os import environ\n\nenviron.setdefault('SETTINGS', 'apps.d.settings')\n",
        d__settings="ROOT_URLCONF = 'apps.d.urls'\nINSTALLED_APPS = ['corsheaders', 'django.contrib.auth']\n",
        d__urls="import pydantic\n",
        d__more="from apps.d.settings import *\n\nROOT_URLCONF = 'apps.d.other'\n",
        d__other="import jwt\nimport json\nimport asgiref\n",
    )
    plain = effort_of(("apps.d.wsgi",), "django", 2)
    assert (plain.app, plain.own_lines, set(plain.packages)) == ("d.wsgi", 5, {"django-cors-headers", "pydantic"})
    other = effort_of(("apps.d.wsgi", "apps.d.more"), "django", 2, {"SETTINGS": "apps.d.more"})
    assert (other.app, other.own_lines, set(other.packages)) == ("d.more", 9, {"django-cors-headers", "pyjwt"})


def test_forms_need_a_package_where_the_framework_does_not_bring_it(apps):
    apps(
        a__app="from fastapi import UploadFile\n\ndef f(file: UploadFile): ...\n",
        s__app="async def f(request):\n    return await request.form()\n",
    )
    assert set(effort_of(("apps.a.app",), "fastapi", 2).packages) == {"python-multipart"}
    assert set(effort_of(("apps.s.app",), "starlette", 2).packages) == {"python-multipart"}
    assert set(effort_of(("apps.s.app",), "flask", 2).packages) == set()


def test_every_app_with_a_framework_is_counted_by_what_its_targets_name():
    counted = effort(TARGETS)
    modules = {target.application.partition(":")[0] for target in TARGETS if target.framework != "raw"}
    settings = {t.environment.get("DJANGO_SETTINGS_MODULE", "") for t in TARGETS if "django" in t.framework}
    # What the module of the application names by itself makes no other app of it.
    settings -= {"", "apps.django_app.settings_async"}
    assert {f"apps.{each.app}" for each in counted} == modules | settings
    assert len({each.app for each in counted}) == len(counted)
    assert all(each.own_lines >= 5 and each.endpoints for each in counted)
    assert all(version for each in counted for version in each.packages.values())


def test_the_apps_that_claims_show_are_there():
    """By the names that the rules have for them."""
    assert {"fastapi_app", "flask_app", "django_app.wsgi", "tornado_app"} <= {each.app for each in effort(TARGETS)}


def test_apps_of_a_users_own_and_floors_are_not_counted():
    own = Target("mine", "own", "asgi", "uvicorn", "mine:app")
    floors = [target for target in TARGETS if target.framework == "raw"]
    assert effort([own, *floors]) == ()
