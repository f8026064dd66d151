"""Live targets with the services that they call; one server at a time."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from apps.contract.endpoints import ENDPOINTS
from harness.declare import load_declarations
from harness.launch import Running, serving
from harness.services import Services, services
from harness.verify import endpoints_of, exchange

ALL = {target.name: target for target in load_declarations().targets}
# Inside Apache the tracer of coverage starves the connection pool; an empty value keeps it out of the servers.
UNMEASURED = {"COVERAGE_PROCESS_CONFIG": "", "COVERAGE_PROCESS_START": ""}
TARGETS = {name: target for name, target in ALL.items() if not target.variant}
VARIANTS = {name: target for name, target in ALL.items() if target.variant}


@dataclass(frozen=True)
class Live:
    running: Running
    around: Services


@pytest.fixture(scope="session")
def around():
    with services({"database", "upstream"}) as started:
        yield started


@pytest.fixture(scope="module")
def live(request, around):
    """The target that the test is parametrized with, up; rows restored."""
    around.restore()
    environment = {**around.environment, **UNMEASURED}
    with serving(ALL[request.param], deadline_s=120, environment=environment) as running:
        wait_for_pool(running)
        yield Live(running, around)


def wait_for_pool(running: Running) -> None:
    """Until the app's first connections are made, which a busy machine may need longer for than a request waits."""
    if "io-db" not in endpoints_of(running.target):
        return
    case = ENDPOINTS["io-db"].case("", ms=0)
    for _ in range(12):
        if exchange(running.bind, case).status != 503:
            return
