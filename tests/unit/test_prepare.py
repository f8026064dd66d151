"""What ``harness run`` decides before it measures."""

from __future__ import annotations

import pytest

from harness.errors import UsageError
from harness.plan.profiles import PROFILES
from harness.prepare import choose
from harness.prepare.choose import select
from harness.serve.servers import missing_for


@pytest.mark.parametrize(("profile", "told"), [("quick", False), ("standard", True)])
def test_what_a_profile_would_not_measure_is_not_told_as_left_out(monkeypatch, profile, told):
    def without_mod_wsgi(target):
        return "mod_wsgi" if target.server == "mod_wsgi" else missing_for(target)

    monkeypatch.setattr(choose, "missing_for", without_mod_wsgi)
    skipped = choose.select(PROFILES[profile], (), ("json",)).skipped
    assert bool([failure for failure in skipped if "mod-wsgi" in failure.target]) == told


def test_a_django_project_runs_next_to_its_manage_py(tmp_path, monkeypatch):
    (tmp_path / "backend" / "mysite").mkdir(parents=True)
    (tmp_path / "backend" / "manage.py").touch()
    # As django-admin startproject makes it: a folder of the same name around it.
    (tmp_path / "mysite").mkdir()
    monkeypatch.chdir(tmp_path)
    assert choose.chosen_target("mysite.wsgi@gunicorn").cwd == str(tmp_path / "backend")
    assert choose.chosen_target("mysite.wsgi@gunicorn,cwd=.").cwd == str(tmp_path)
    assert choose.chosen_target("other:app@gunicorn").cwd == ""
    with pytest.raises(UsageError, match="nowhere is not a folder"):
        choose.chosen_target("mysite.wsgi@gunicorn,cwd=nowhere")
    with pytest.raises(UsageError, match=r"\.env: cannot be read"):
        choose.chosen_target("mysite.wsgi@gunicorn,env_file=.env")


def test_without_names_an_own_app_gets_the_projects_own_requests_and_packaged_apps_do_not(tmp_path, monkeypatch):
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "shop.toml").write_text("[[request]]\npath = '/products/1'\n")
    monkeypatch.chdir(tmp_path)
    profile = PROFILES["quick"]
    assert [each.name for each in select(profile, ["shop:app@uvicorn"], []).scenarios] == ["shop"]
    assert "shop" not in [each.name for each in select(profile, ["fastapi-uvicorn"], []).scenarios]
    assert [each.name for each in select(profile, ["fastapi-uvicorn"], ["shop"]).scenarios] == ["shop"]


def test_two_targets_of_one_name_are_refused():
    with pytest.raises(UsageError, match="two targets are called 'x'"):
        select(PROFILES["quick"], ["shop:app@uvicorn,name=x", "shop:app@granian,interface=asgi,name=x"], ["json"])
