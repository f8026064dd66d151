"""What ``harness run`` decides before it measures."""

from __future__ import annotations

import pytest

from harness.commands import select
from harness.commands.prepare import RunRequest, prepare
from harness.placement import Placement
from harness.servers import missing_for

NOWHERE = Placement(server=(), generator=(), backing=(), note="")


@pytest.mark.parametrize(("profile", "told"), [("quick", False), ("standard", True)])
def test_what_a_profile_would_not_measure_is_not_told_as_left_out(monkeypatch, profile, told):
    def without_mod_wsgi(target):
        return "mod_wsgi" if target.server == "mod_wsgi" else missing_for(target)

    monkeypatch.setattr(select, "missing_for", without_mod_wsgi)
    skipped = prepare(RunRequest(profile=profile, scenarios=("json",), seed=1), NOWHERE).skipped
    assert bool([failure for failure in skipped if "mod-wsgi" in failure.target]) == told
