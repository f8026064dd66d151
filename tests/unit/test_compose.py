"""Containers as targets, as far as no engine is needed."""

import os
from pathlib import Path
from runpy import run_path

import pytest
import yaml

from harness.config import load_declarations
from harness.config.placement import parse_cpus
from harness.engine.clocks import ContainerClock, ProcessGone, clock_of
from harness.errors import NotReadyError
from harness.serve.compose import ComposeFleet, Project, usage_file


@pytest.mark.parametrize(("text", "cpus"), [("", ()), ("0", (0,)), ("0-2,5", (0, 1, 2, 5)), ("1,3\n", (1, 3))])
def test_cpu_lists_are_read_as_the_kernel_writes_them(text, cpus):
    assert parse_cpus(text) == cpus


@pytest.mark.parametrize(
    ("content", "seconds"), [("1500000000\n", 1.5), ("usage_usec 1500000\nuser_usec 1\nsystem_usec 2\n", 1.5)]
)
def test_a_control_groups_clock_is_read_in_both_versions(tmp_path, content, seconds):
    file = tmp_path / "usage"
    file.write_text(content)
    clock = clock_of(os.getpid(), str(file))
    assert clock.cpu() == seconds
    assert os.getpid() in clock.pids
    file.unlink()
    with pytest.raises(ProcessGone):
        clock.cpu()


def test_a_process_without_a_file_has_its_trees_clock():
    assert not isinstance(clock_of(os.getpid()), ContainerClock)


def test_the_usage_file_of_a_process_can_be_read_where_there_is_one():
    found = usage_file(os.getpid())
    assert not found or os.access(found, os.R_OK)


STOPPED = {"Id": "c1", "State": {"Running": False, "Pid": 0}, "NetworkSettings": {"Networks": {}, "Ports": {}}}


def test_a_container_that_was_killed_is_started_again_or_else_told(monkeypatch):
    asked = []
    project = Project(Path("docker-compose.yml"), ("docker", "compose"), {})
    monkeypatch.setattr(Project, "id_of", lambda self, service: f"id of {service}")
    monkeypatch.setattr(Project, "describe", lambda self, container: STOPPED)
    monkeypatch.setattr(Project, "docker", lambda self, *words, **_: asked.append(words) or "")
    targets = [target for target in load_declarations().targets if target.name == "raw-asgi-uvicorn"]
    with pytest.raises(NotReadyError, match="'raw-asgi-uvicorn' is not running"):
        project.container(targets[0].name)
    with ComposeFleet(project, "secret") as fleet:
        fleet.start(targets, deadline_s=0.1)
        assert fleet.failures[targets[0].name].reason.text.startswith("service 'raw-asgi-uvicorn' is not running")
        assert not fleet.running
    assert [words for words in asked if words[0] == "restart"] == [("restart", "-t", "3", "id of raw-asgi-uvicorn")]


ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))


def test_the_compose_file_is_what_the_registry_makes():
    made = run_path(str(ROOT / "scripts" / "compose"))["document"]()
    assert (ROOT / "docker-compose.yml").read_text("utf-8") == made, "run scripts/compose"


def test_every_target_is_a_service_with_the_same_means(compose):
    services = compose["services"]
    targets = load_declarations().targets
    limits = set()
    for target in targets:
        service = services[target.name]
        assert service["command"][:3] == ["harness", "serve", target.name]
        assert ("profiles" in service) != target.reference
        limits.add((service["cpuset"], service["mem_limit"]))
    assert len(limits) == 1
    assert set(services) - {target.name for target in targets} == {"db", "upstream", "harness", "worker", "reports"}


def test_ports_are_published_on_loopback_only_and_once(compose):
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert len(ports) == len(set(ports))
    assert not any("ports" in compose["services"][name] for name in ("db", "upstream"))


def test_no_container_is_privileged_or_holds_the_engine(compose):
    for service in compose["services"].values():
        assert not service.get("privileged")
        assert service["cap_drop"] == ["ALL"]
        assert not any("docker.sock" in volume for volume in service.get("volumes", []))


def test_the_image_ends_as_an_ordinary_user():
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("USER ")][-1] == "USER 1000:1000"
