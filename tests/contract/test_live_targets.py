"""Every target against the contract: every case equal, every capability as declared, the same OpenAPI from all."""

from __future__ import annotations

import pytest

from apps.contract.endpoints import BASELINE, ENDPOINTS
from apps.contract.openapi import document
from harness.verify import endpoints_of, verify, verify_all
from harness.verify.features import probe
from tests.contract.conftest import TARGETS, Live
from tests.contract.substance import fetch, substance

FULL = [name for name, target in TARGETS.items() if "*" in target.endpoints]
every_target = pytest.mark.parametrize("live", TARGETS, indirect=True)
every_full_target = pytest.mark.parametrize("live", FULL, indirect=True)


@every_target
class TestTarget:
    def test_every_case_is_answered_as_the_contract_says(self, live: Live) -> None:
        live.around.restore()
        checked = verify_all(live.running.target, live.running.bind, live.running.secret)
        assert [entry for entry in checked if entry.difference] == []
        names = set(endpoints_of(live.running.target))
        assert {entry.endpoint for entry in checked} == names
        if names == set(ENDPOINTS):
            assert len(checked) >= 150
        elif not live.running.target.application.startswith("apps.variants."):
            assert names <= BASELINE or names == {"health", "product", "products", "product-insert"}

    def test_every_capability_is_as_declared(self, live: Live) -> None:
        live.around.restore()
        found = probe(live.running.target, live.running.bind, live.running.secret)
        assert [feature for feature in found if not feature.as_declared] == []
        assert {f.capability for f in found if not f.present} == set(live.running.target.lacks)


@every_full_target
class TestFullTarget:
    def test_openapi_is_that_of_the_contract_in_substance(self, live: Live) -> None:
        assert substance(fetch(live.running.bind, "/openapi.json")) == substance(document())

    def test_upstream_is_called_as_often_as_asked(self, live: Live) -> None:
        live.around.upstream.requests(reset=True)
        case = ENDPOINTS["io-upstream"].case("", ms=1, calls=7)
        checked = verify(live.running.target, live.running.bind, [("io-upstream", case)] * 5)
        assert not any(entry.difference for entry in checked)
        assert live.around.upstream.requests() == 35
