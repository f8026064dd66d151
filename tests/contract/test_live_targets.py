"""Every target against the contract: every case equal, every capability as declared, the same OpenAPI from all."""

from __future__ import annotations

import pytest

from apps.contract.endpoints import ENDPOINTS, OPT_IN
from apps.contract.openapi import document
from harness.verify import endpoints_of, exchange, verify, verify_all
from harness.verify.features import CAPABILITIES, probe
from tests.contract.conftest import TARGETS, Live
from tests.contract.substance import fetch, substance
from tests.targets import ALL, REFERENCES

FULL = [name for name, target in TARGETS.items() if "*" in target.endpoints]


def every(names):
    """Of these targets, one of each framework is in the first tier."""
    first = {ALL[name].framework: name for name in REFERENCES}.values()
    marks = {name: () if name in first else pytest.mark.live for name in names}
    return pytest.mark.parametrize("live", [pytest.param(name, marks=marks[name]) for name in names], indirect=True)


@every(TARGETS)
class TestTarget:
    def test_every_case_is_answered_as_the_contract_says(self, live: Live) -> None:
        live.around.restore()
        checked = verify_all(live.running)
        assert [entry for entry in checked if entry.difference] == []
        names = set(endpoints_of(live.running.target))
        assert {entry.endpoint for entry in checked} == names
        if names >= set(ENDPOINTS) - OPT_IN:
            assert len(checked) >= 150
        else:
            assert not live.running.target.reference

    def test_every_capability_is_as_declared(self, live: Live) -> None:
        live.around.restore()
        found = probe(live.running)
        assert [feature for feature in found if not feature.as_declared] == []
        case = ENDPOINTS["health"].case("valid")
        assert {*live.running.target.adds} <= {name for name, _ in exchange(live.running.bind, case).headers}
        asked = {feature.capability for feature in found}
        assert {feature.capability for feature in found if not feature.present} == asked & {*live.running.target.lacks}
        if "*" in live.running.target.endpoints:
            assert asked == {*CAPABILITIES} - OPT_IN


@every(FULL)
class TestFullTarget:
    def test_openapi_is_that_of_the_contract_in_substance(self, live: Live) -> None:
        assert substance(fetch(live.running.bind, "/openapi.json")) == substance(document())

    def test_upstream_is_called_as_often_as_asked(self, live: Live) -> None:
        live.around.upstream.requests(reset=True)
        case = ENDPOINTS["io-upstream"].case("", ms=0, calls=7)
        checked = verify(live.running, [("io-upstream", case)] * 5)
        assert not any(entry.difference for entry in checked)
        assert live.around.upstream.requests() == 35
