"""Targets that run as services of ``docker-compose.yml``: found, started afresh for each block, and left running.

A service is called as its target. Where this machine's kernel runs the containers, their CPU time is read from their
control groups; elsewhere (Docker Desktop) it cannot be, and only throughput and latency remain.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import LaunchError, NotReadyError, UsageError
from harness.launch import JWT_SECRET, LOG_LINES, READY_S, Running, wait_until_ready
from harness.model import Failure, Target
from harness.placement import Placement, parse_cpus
from harness.servers import Bind
from harness.services import DATABASE_URL, Need
from harness.services.postgres import USER, connects

FILE = "docker-compose.yml"
DATABASE = "db"
INSIDE_PORT = 8000
STOP_S = 3
UP_S = 300.0


@dataclass(frozen=True, slots=True)
class Container:
    """One container as the engine describes it; ``pid`` is its first process as this machine numbers it."""

    id: str
    pid: int
    host: str
    port: int
    cpus: tuple[int, ...]
    memory_bytes: int


class ContainerProcess:
    """A container in place of a process of our own: it can be asked whether it still runs."""

    def __init__(self, project: Project, container: Container) -> None:
        self._project, self._container = project, container
        self.pid = container.pid if _is_here(container) else 0
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.pid and Path(f"/proc/{self.pid}").exists():
            return None
        state = self._project.describe(self._container.id)["State"]
        if state["Running"] and state["Pid"] == self._container.pid:
            return None
        self.returncode = int(state["ExitCode"])
        return self.returncode


@dataclass(slots=True)
class Contained(Running):
    """A target in its container."""

    project: Project | None = None
    container: str = ""

    def log(self) -> tuple[str, ...]:
        return self.project.log(self.container) if self.project else ()


@dataclass(frozen=True, slots=True)
class Project:
    """A compose file and the command that reads it."""

    file: Path
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    def compose(self, *arguments: str, timeout_s: float = UP_S) -> str:
        """What ``docker compose`` printed. Raises ``NotReadyError`` where it failed."""
        return self._run([*self.command, "-f", str(self.file), *arguments], timeout_s)

    def docker(self, *arguments: str, timeout_s: float = 60.0) -> str:
        """What ``docker`` printed. Raises ``NotReadyError`` where it failed."""
        return self._run(["docker", *arguments], timeout_s)

    def describe(self, container: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = json.loads(self.docker("inspect", container))
        return found[0]

    def log(self, container: str) -> tuple[str, ...]:
        with contextlib.suppress(NotReadyError):
            text = self.docker("logs", "--tail", str(LOG_LINES), container)
            return tuple(line for line in text.splitlines() if line.strip())
        return ()

    def services(self) -> tuple[str, ...]:
        """The services of the file, of every profile."""
        return tuple(self.compose("--profile", "all", "config", "--services").split())

    def id_of(self, service: str) -> str:
        """Id of the service's container. Raises ``NotReadyError`` where it has none."""
        [name, *_] = [*self.compose("--profile", "all", "ps", "-a", "-q", service).split(), ""]
        if not name:
            raise NotReadyError(f"service {service!r} has no container", hint=f"docker compose logs {service}")
        return name

    def container(self, service: str) -> Container:
        """The service's container as it is now. Raises ``NotReadyError`` where there is none, or it does not run."""
        found = self.describe(self.id_of(service))
        if not found["State"]["Running"]:
            raise NotReadyError(f"service {service!r} is not running", hint=f"docker compose logs {service}")
        networks = [network["IPAddress"] for network in found["NetworkSettings"]["Networks"].values()]
        host, port = next((address for address in networks if address), ""), INSIDE_PORT
        if not _kernel_is_shared() or not host:
            [published] = found["NetworkSettings"]["Ports"][f"{INSIDE_PORT}/tcp"]
            host, port = published["HostIp"], int(published["HostPort"])
        limits = found["HostConfig"]
        return Container(
            id=found["Id"],
            pid=found["State"]["Pid"],
            host=host,
            port=port,
            cpus=parse_cpus(limits["CpusetCpus"]),
            memory_bytes=limits["Memory"],
        )

    def _run(self, command: Sequence[str], timeout_s: float) -> str:
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=timeout_s,
                env={**os.environ, **self.environment},
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotReadyError(f"{command[0]} cannot be used: {error}", hint="is the Docker engine running?") from None
        if done.returncode:
            last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no word why"]
            raise NotReadyError(f"{' '.join(command)} failed: {last[0]}")
        return done.stdout


@contextlib.contextmanager
def project(targets: Sequence[Target], secret: str, folder: Path | None = None) -> Iterator[Project]:
    """The services of these targets, created anew, so that they take tokens signed with ``secret``; they stay up.

    Raises:
        UsageError: there is no compose file here, or it has no service for one of the targets.
        NotReadyError: the engine cannot be used.
    """
    file = (folder or Path.cwd()) / FILE
    if not file.exists():
        raise UsageError(f"there is no {FILE} in {file.parent}", hint="run it from a clone of the repository")
    found = Project(file, compose_command(), {JWT_SECRET: secret})
    known = found.services()
    wanted = [target.twin_of or target.name for target in targets]
    for name in wanted:
        if name not in known:
            raise UsageError(f"{FILE} has no service {name!r}", hint=f"services: {', '.join(known)}")
    found.compose("--profile", "all", "up", "-d", "--force-recreate", *dict.fromkeys(wanted))
    yield found


def compose_command() -> tuple[str, ...]:
    """The plugin of today, or the program of old."""
    if shutil.which("docker"):
        asked = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        if asked.returncode == 0:
            return ("docker", "compose")
    if shutil.which("docker-compose"):
        return ("docker-compose",)
    raise NotReadyError("docker compose is not installed", hint="see the README on containers")


class ComposeFleet:
    """The services of one block: each restarted on ``start``; they go on running afterwards. A context manager."""

    def __init__(self, project: Project, secret: str) -> None:
        self._project, self._secret = project, secret
        self._folder = tempfile.TemporaryDirectory(prefix="harness-")
        self.running: dict[str, Running] = {}
        self.failures: dict[str, Failure] = {}

    def __enter__(self) -> ComposeFleet:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, targets: Sequence[Target], deadline_s: float = READY_S) -> None:
        """Restarts them side by side, also those that were killed; one that does not come up is a ``Failure`` in
        ``failures``, not an exception.
        """
        ids: dict[str, str] = {}
        for target in targets:
            try:
                ids[target.name] = self._project.id_of(target.twin_of or target.name)
            except NotReadyError as error:
                self.failures[target.name] = Failure(target.name, "", "not-ready", str(error))
        if not ids:
            return
        began = time.monotonic()
        self._project.docker("restart", "-t", str(STOP_S), *dict.fromkeys(ids.values()))
        for target in targets:
            if target.name not in ids:
                continue
            try:
                container = self._project.container(target.twin_of or target.name)
                running = self._running(target, container)
                running.started = began
                wait_until_ready(running, deadline_s)
                self.running[target.name] = running
            except (LaunchError, NotReadyError) as error:
                log = getattr(error, "log", ())
                self.failures[target.name] = Failure(target.name, "", "not-ready", str(error), log)

    def close(self) -> None:
        self.running.clear()
        self._folder.cleanup()

    def _running(self, target: Target, container: Container) -> Contained:
        return Contained(
            target=target,
            bind=Bind(container.host, container.port),
            process=ContainerProcess(self._project, container),
            log_file=Path(self._folder.name) / "none",
            secret=self._secret,
            usage_file=usage_file(container.pid) if _is_here(container) else "",
            project=self._project,
            container=container.id,
        )


def usage_file(pid: int) -> str:
    """The file in which the kernel counts the CPU time of the process's control group; empty where there is none."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            for file in _usage_files(controllers, path):
                if os.access(file, os.R_OK):
                    return file
    return ""


def _usage_files(controllers: str, path: str) -> tuple[str, ...]:
    if not controllers:
        return (f"/sys/fs/cgroup{path}/cpu.stat", f"/sys/fs/cgroup/unified{path}/cpu.stat")
    if "cpuacct" in controllers.split(","):
        return (f"/sys/fs/cgroup/{controllers}{path}/cpuacct.usage", f"/sys/fs/cgroup/cpuacct{path}/cpuacct.usage")
    return ()


def backing(found: Project, needs: Collection[Need]) -> dict[str, str]:
    """The environment of ``Services``: how rows are restored from here, where a scenario calls the database.

    Raises:
        NotReadyError: the database's container cannot be reached from here.
    """
    if "database" not in needs:
        return {}
    networks = found.describe(found.id_of(DATABASE))["NetworkSettings"]["Networks"].values()
    address = next((network["IPAddress"] for network in networks if network["IPAddress"]), "")
    url = f"postgresql://{USER}@{address}:5432/postgres"
    if not (address and _kernel_is_shared() and connects(url)):
        raise NotReadyError(
            "the database's container cannot be reached from here, so that no rows can be restored",
            hint="leave out scenarios with a database, or run inside: docker compose exec harness harness run",
        )
    return {DATABASE_URL: url}


def placement_of(found: Project, targets: Sequence[Target], placement: Placement) -> Placement:
    """The machine's placement with the CPUs that the compose file gives the services."""
    cpus = {found.container(target.twin_of or target.name).cpus for target in targets}
    if len(cpus) != 1:
        raise UsageError("the services have different CPU sets", hint=f"give them one cpuset in {FILE}")
    return Placement(cpus.pop(), placement.generator, placement.backing, placement.note)


def facts(found: Project, targets: Sequence[Target]) -> dict[str, str]:
    """What a reader must know of the containers: their CPU set and memory limit."""
    container = found.container(targets[0].name)
    cpus = ",".join(map(str, container.cpus)) or "all"
    memory = f"{container.memory_bytes / 2**20:.0f} MiB" if container.memory_bytes else "none"
    return {"fleet": f"containers of {FILE}: CPU set {cpus}, memory limit {memory} each"}


def _is_here(container: Container) -> bool:
    """Whether this machine's kernel runs the container, so that its process can be seen."""
    return container.pid > 0 and _kernel_is_shared() and container.id in _cgroup(container.pid)


def _cgroup(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cgroup").read_text()
    return ""


def _kernel_is_shared() -> bool:
    return Path("/proc/self/cgroup").exists() and not os.environ.get("DOCKER_HOST", "").startswith(("tcp:", "ssh:"))
