"""Live targets with the services that they call; one server at a time."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from harness.model import Target
from harness.serve import Running, serving
from harness.serve.services import Services, services
from tests.targets import ALL


def _app(target: Target) -> tuple[str, str]:
    return target.application, str(target.environment)


# Each app under the first of its servers, and under the others.
TARGETS = {target.name: target for target in {_app(each): each for each in reversed(ALL.values())}.values()}
VARIANTS = {name: target for name, target in ALL.items() if name not in TARGETS}


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
    with serving(ALL[request.param], deadline_s=120, environment=around.environment) as running:
        yield Live(running, around)
