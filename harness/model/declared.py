"""What users declare: targets, and the scenarios that are sent to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.model.reason import Reason

Interface = Literal["wsgi", "asgi", "native"]
Listener = Literal["", "shared", "reuseport", "router"]
Question = Literal["pick", "move", "validate", "real", "ladder"]
OptionValue = str | int | bool | float
ParamValue = str | int | float
ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Target:
    """App + interface + server + options: the thing that is compared.

    Attributes:
        application: import string ``package.module:attribute``, or ``module:factory(…)`` with literal arguments.
        framework: key of the framework, which is also the app's: ``fastapi``, ``flask``, ``django``, …
        threads: per worker; greenlets count as threads, and an event loop has one.
        endpoints: names of the contract's endpoints that it implements; empty for a user's own app.
        lacks: endpoint, capability, scenario, or ``endpoint/case`` → why this target does not have it. A name of
            a case may be a glob.
        adds: names, in lower case, of headers that its replies carry and the contract's do not.
        reference: whether this is its framework's reference target for the interface.
        python: the interpreter that the server runs in; empty for the one ``harness`` runs in.
        cwd: folder that the server runs in; empty for the one where the command runs.
        env_file: file of variables for the server, which are not recorded; empty without one.
        startup_timeout: seconds that a start may take; 0 for the usual limit.
        ready: path that answers below 400 once the server is ready; empty: ``/health``, below 500.
        description: what reports show next to the name: how it was specified, its commit, its packages.
        base: name of the target from which this one differs only in workers or threads; empty for none.
        under: name of the target that this one copies for one of several interpreters; empty where the run has one.
        twin_of: name of the target that this one repeats, for the A/A control.
        variant: whether another target of the default set serves the same app, with another server or settings.
        per_cpu: whether it gets as many workers as there are CPUs for servers, and all of these CPUs.
        backlog: connections that may wait to be accepted; 0 where the server sets it.
        processes: number of its server's processes, workers included; 0 where it is not resolved.
        listener: how its server's workers get connections, see ``Server``; empty where that is not resolved.
        default: whether it is measured where no target is named.
    """

    name: str
    framework: str
    interface: Interface
    server: str
    application: str
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    workers: int = 1
    threads: int = 1
    endpoints: tuple[str, ...] = ()
    lacks: Mapping[str, str] = field(default_factory=dict)
    adds: tuple[str, ...] = ()
    reference: bool = False
    python: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    base: str = ""
    under: str = ""
    twin_of: str = ""
    variant: bool = False
    per_cpu: bool = False
    backlog: int = 0
    processes: int = 0
    listener: Listener = ""
    default: bool = True
    cwd: str = ""
    env_file: str = ""
    startup_timeout: float = 0.0
    description: str = ""
    ready: str = ""

    @property
    def elsewhere(self) -> bool:
        """Whether it is already running, at the URL that ``application`` holds."""
        return self.server == ELSEWHERE

    @property
    def worker_threads(self) -> int:
        """Requests that it can work on at the same time, of a WSGI target: workers × threads."""
        return self.workers * self.threads

    def parallel(self, concurrency: int) -> int:
        """How many of ``concurrency`` requests can wait at the same time: with WSGI one per thread, else all."""
        return min(self.worker_threads, concurrency) if self.interface == "wsgi" else concurrency

    @property
    def capacity(self) -> str:
        """Workers × threads, as shown on every row."""
        return f"{self.workers}×{self.threads}"


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request outside the contract, to an app of the user's own.

    Attributes:
        content: the request's body, a character for each byte, as is ``body``.
        status: the reply's; 0 for any below 400.
        body: the reply's, where it is known and must not change: its exact bytes, or where fields are ``volatile`` its
            JSON value except for these.
        volatile: JSON paths such as ``meta.at`` and ``items.*.id`` of which only the type counts; ``**`` stands for the
            whole value, of which only the shape counts.
    """

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    content: str = ""
    status: int = 0
    body: str | None = None
    volatile: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """One request of a scenario: a case of an endpoint of the contract (or ``raw``), and its weight in the mix."""

    endpoint: str
    case: str
    params: Mapping[str, ParamValue] = field(default_factory=dict)
    weight: int = 1
    raw: RawRequest | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """Which requests are sent and which question they answer; expanded to points by the plan.

    Attributes:
        group: scenarios of one group share their windows, so that they can be compared within a round.
        against: another scenario of the group that this one is contrasted with for the same target.
        adds: what it does and ``against`` does not, as the beginning of a sentence: "Validating the order".
        matrix: parameter → values.
        quick: parameter → values, for the profiles ``smoke`` and ``quick``.
        grid: parameter → values of the coarse grid that the profile ``async`` begins with.
        bisect: the parameter, a wait in milliseconds, whose values are added where a contrast changes its sign.
        study: the study that it belongs to, where one target alone is under load; empty where sides take turns.
        settings: the study's own settings.
        targets: globs of the targets that the study is about where none are named.
    """

    name: str
    title: str
    question: Question
    why: str
    requests: tuple[PlannedRequest, ...]
    concurrency: tuple[int, ...]
    matrix: Mapping[str, tuple[ParamValue, ...]] = field(default_factory=dict)
    quick: Mapping[str, tuple[ParamValue, ...]] = field(default_factory=dict)
    group: str = ""
    against: str = ""
    adds: str = ""
    wait_ms: str = ""
    grid: Mapping[str, tuple[ParamValue, ...]] = field(default_factory=dict)
    bisect: str = ""
    study: str = ""
    settings: Mapping[str, ParamValue] = field(default_factory=dict)
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Journey:
    """What users do, as a plain locustfile says it.

    Attributes:
        file: the locustfile's path; ``digest``: SHA-256 of its text.
        users: simulated users that are active at the same time.
        requests: cases of the contract that it sends; what a target is verified against, and must implement.
        capabilities: other names from ``lacks`` that it needs, such as ``websocket``.
        left_out: name of a target of the run that cannot serve it → why.
    """

    name: str
    title: str
    file: str
    digest: str
    users: int
    requests: tuple[PlannedRequest, ...] = ()
    capabilities: tuple[str, ...] = ()
    left_out: Mapping[str, Reason] = field(default_factory=dict)

    @property
    def point(self) -> str:
        return f"{self.name}@{self.users}"
