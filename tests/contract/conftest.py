"""Live targets with the services that they call; one server at a time."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from harness.declare import load_declarations
from harness.launch import Running, serving
from harness.services import Services, services

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
        yield Live(running, around)
