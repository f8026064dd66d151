"""Targets that run as services of ``docker-compose.yml``: located, started afresh for each block, and left running.

A service is called as its target. Where this machine's kernel runs the containers, their CPU time is read from their
control groups; elsewhere (Docker Desktop) it cannot be, and only throughput and latency remain.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.config.cgroup import kernel_text
from harness.config.placement import Placement, parse_cpus
from harness.errors import LaunchError, NotReadyError, UsageError
from harness.model import Target
from harness.serve import JWT_SECRET, LOG_LINES, READY_S, Running, Servers, wait_until_ready
from harness.serve.servers import Bind
from harness.serve.servers.installed import answer
from harness.serve.services import DATABASE_URL, Need
from harness.serve.services.postgres import USER, connects

FILE = "docker-compose.yml"
DATABASE = "db"
INSIDE_PORT = 8000
STOP_S = 3
UP_S, DOCKER_S = 300.0, 60.0


@dataclass(slots=True)
class Container:
    """One container as the engine describes it; in place of a process of our own it says whether it still runs.

    Attributes:
        inside: its first process as the engine numbers it; ``pid``: the same, and 0 where this machine cannot see it.
    """

    project: Project
    id: str
    inside: int
    host: str
    port: int
    cpus: tuple[int, ...]
    memory_bytes: int
    pid: int = 0

    def __post_init__(self) -> None:
        # Whether this machine's kernel runs the container, so that its process can be seen.
        if self.inside > 0 and _kernel_is_shared() and self.id in kernel_text(f"/proc/{self.inside}/cgroup"):
            self.pid = self.inside

    def poll(self) -> int | None:
        if self.pid and Path(f"/proc/{self.pid}").exists():
            return None
        state = self.project.describe(self.id)["State"]
        if state["Running"] and state["Pid"] == self.inside:
            return None
        return int(state["ExitCode"])


@dataclass(slots=True)
class Contained(Running):
    """A target in its container."""

    process: Container

    def log(self) -> tuple[str, ...]:
        return self.process.project.log(self.process.id)


@dataclass(frozen=True, slots=True)
class Project:
    """A compose file and the command that reads it."""

    file: Path
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    def compose(self, *arguments: str) -> str:
        """What ``docker compose`` printed. Raises ``NotReadyError`` where it failed."""
        return self._run([*self.command, "-f", str(self.file), *arguments], UP_S)

    def docker(self, *arguments: str) -> str:
        """What ``docker`` printed. Raises ``NotReadyError`` where it failed."""
        return self._run(["docker", *arguments], DOCKER_S)

    def describe(self, container: str) -> dict[str, Any]:
        containers: list[dict[str, Any]] = json.loads(self.docker("inspect", container))
        return containers[0]

    def log(self, container: str) -> tuple[str, ...]:
        with contextlib.suppress(NotReadyError):
            text = self.docker("logs", "--tail", str(LOG_LINES), container)
            return tuple(line for line in text.splitlines() if line.strip())
        return ()

    def id_of(self, service: str) -> str:
        """Id of the service's container. Raises ``NotReadyError`` where it has none."""
        [name, *_] = [*self.compose("--profile", "all", "ps", "-a", "-q", service).split(), ""]
        if not name:
            raise NotReadyError(f"service {service!r} has no container", hint=f"docker compose logs {service}")
        return name

    def container(self, service: str) -> Container:
        """The service's container as it is now. Raises ``NotReadyError`` where there is none, or it does not run."""
        details = self.describe(self.id_of(service))
        if not details["State"]["Running"]:
            raise NotReadyError(f"service {service!r} is not running", hint=f"docker compose logs {service}")
        networks = [network["IPAddress"] for network in details["NetworkSettings"]["Networks"].values()]
        host, port = next((address for address in networks if address), ""), INSIDE_PORT
        if not _kernel_is_shared() or not host:
            [published] = details["NetworkSettings"]["Ports"][f"{INSIDE_PORT}/tcp"]
            host, port = published["HostIp"], int(published["HostPort"])
        limits = details["HostConfig"]
        return Container(
            self,
            id=details["Id"],
            inside=details["State"]["Pid"],
            host=host,
            port=port,
            cpus=parse_cpus(limits["CpusetCpus"]),
            memory_bytes=limits["Memory"],
        )

    def _run(self, command: Sequence[str], timeout_s: float) -> str:
        env = {**os.environ, **self.environment}
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, env=env, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotReadyError(f"{command[0]} cannot be used: {error}", hint="is the Docker engine running?") from None
        if done.returncode:
            last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no reason reported"]
            raise NotReadyError(f"{' '.join(command)} failed: {last[0]}")
        return done.stdout


def project(targets: Sequence[Target], secret: str, folder: Path | None = None) -> Project:
    """The services of these targets, created anew, so that they take tokens signed with ``secret``; they stay up.

    Raises:
        UsageError: there is no compose file here, or it has no service for one of the targets.
        NotReadyError: the engine cannot be used.
    """
    file = (folder or Path.cwd()) / FILE
    if not file.exists():
        raise UsageError(f"there is no {FILE} in {file.parent}", hint="run it from a clone of the repository")
    opened = Project(file, compose_command(), {JWT_SECRET: secret})
    known = opened.compose("--profile", "all", "config", "--services").split()
    services = dict.fromkeys(map(service_of, targets))
    for name in services:
        if name not in known:
            raise UsageError(f"{FILE} has no service {name!r}", hint=f"services: {', '.join(known)}")
    opened.compose("--profile", "all", "up", "-d", "--force-recreate", *services)
    return opened


def service_of(target: Target) -> str:
    return target.twin_of or target.name


def compose_command() -> tuple[str, ...]:
    """The plugin of today, or the program of old."""
    for command in ("docker", "compose"), ("docker-compose",):
        if answer([*command, "version"]):
            return command
    raise NotReadyError("docker compose is not installed", hint="docs/containers.md says what it needs")


class ComposeFleet(Servers):
    """The services of one block: each restarted on ``start``; they go on running afterwards."""

    def __init__(self, project: Project, secret: str) -> None:
        super().__init__()
        self._project, self._secret = project, secret

    def start(self, targets: Sequence[Target], deadline_s: float = READY_S) -> None:
        """Restarts them side by side, also those that were killed."""
        containers: list[tuple[Target, str]] = []
        for target in targets:
            try:
                containers.append((target, self._project.id_of(service_of(target))))
            except NotReadyError as error:
                self.fail(target, error)
        if not containers:
            return
        started = time.monotonic()
        self._project.docker("restart", "-t", str(STOP_S), *dict.fromkeys(name for _, name in containers))
        for target, _ in containers:
            try:
                container = self._project.container(service_of(target))
                running = Contained(
                    target,
                    Bind(container.host, container.port),
                    container,
                    secret=self._secret,
                    usage_file=usage_file(container.pid) if container.pid else "",
                    started=started,
                )
                wait_until_ready(running, deadline_s)
                self.running[target.name] = running
            except (LaunchError, NotReadyError) as error:
                self.fail(target, error)


def usage_file(pid: int) -> str:
    """The file in which the kernel counts the CPU time of the process's control group; empty where there is none."""
    for line in kernel_text(f"/proc/{pid}/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        # Version 2 has no controllers; version 1 has a folder for those that are mounted together, or one for each.
        name = "cpuacct.usage" if "cpuacct" in controllers.split(",") else "" if controllers else "cpu.stat"
        folders = (controllers, "cpuacct") if controllers else ("", "unified")
        for folder in folders if name else ():
            file = os.path.join("/sys/fs/cgroup", folder, path.strip("/"), name)
            if os.access(file, os.R_OK):
                return file
    return ""


def backing(services: Project, needs: Collection[Need]) -> dict[str, str]:
    """The environment of ``Services``: how rows are restored from here, where a scenario calls the database.

    Raises:
        NotReadyError: the database's container cannot be reached from here.
    """
    if "database" not in needs:
        return {}
    networks = services.describe(services.id_of(DATABASE))["NetworkSettings"]["Networks"].values()
    address = next((network["IPAddress"] for network in networks if network["IPAddress"]), "")
    url = f"postgresql://{USER}@{address}:5432/postgres"
    if not (address and _kernel_is_shared() and connects(url)):
        raise NotReadyError(
            "the database's container cannot be reached from here, so that no rows can be restored",
            hint="leave out scenarios with a database, or run inside: docker compose exec harness harness run",
        )
    return {DATABASE_URL: url}


def placement_of(services: Project, targets: Sequence[Target], placement: Placement) -> Placement:
    """The machine's placement with the CPUs that the compose file gives the services."""
    cpus = {services.container(service_of(target)).cpus for target in targets}
    if len(cpus) != 1:
        raise UsageError("the services have different CPU sets", hint=f"give them one cpuset in {FILE}")
    return Placement(cpus.pop(), placement.generator, placement.backing, placement.note)


def facts(services: Project, targets: Sequence[Target]) -> dict[str, str]:
    """What a reader must know of the containers: their CPU set and memory limit."""
    container = services.container(targets[0].name)
    cpus = ",".join(map(str, container.cpus)) or "all"
    memory = f"{container.memory_bytes / 2**20:.0f} MiB" if container.memory_bytes else "none"
    return {"fleet": f"containers of {FILE}: CPU set {cpus}, memory limit {memory} each"}


def _kernel_is_shared() -> bool:
    return Path("/proc/self/cgroup").exists() and not os.environ.get("DOCKER_HOST", "").startswith(("tcp:", "ssh:"))
