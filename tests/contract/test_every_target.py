"""Every target × every endpoint and case that it declares, over a real socket."""

import pytest

from harness.declare import load_declarations
from harness.launch import serving
from harness.verify import endpoints_of, verify_all

TARGETS = load_declarations().targets


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_all_replies_are_equal(target, no_process_left):
    with serving(target) as running:
        checked = verify_all(target, running.bind)
    assert {entry.endpoint for entry in checked} == set(endpoints_of(target))
    assert [f"{e.endpoint} ({e.case}): {e.difference}" for e in checked if e.difference] == []
