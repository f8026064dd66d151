"""What ``--workers`` and ``--join`` mean, and telling of workers; shared by ``load`` and ``run``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address

from rich.console import Console

from harness.errors import UsageError
from harness.swarm.cluster import Crew
from harness.swarm.messages import OnLost

LIVE_PORT = 8089
MAX_WORKERS = 256


@dataclass(frozen=True, slots=True)
class CrewRequest:
    """The options of the command line that say who sends."""

    workers: int = 0
    join: int = 0
    listen: str = ""
    port: int | None = None
    on_lost: str = "invalid"
    live: bool = False

    @property
    def asked(self) -> bool:
        return self.workers > 0 or self.join > 0


def crew_of(request: CrewRequest, cpus: tuple[int, ...] = (), locustfile: str = "") -> Crew:
    """Raises ``UsageError`` where an option is wrong."""
    for option, value in (("--workers", request.workers), ("--join", request.join)):
        if not 0 <= value <= MAX_WORKERS:
            raise UsageError(f"{option} {value}: must be from 0 to {MAX_WORKERS}")
    return Crew(
        here=request.workers,
        elsewhere=request.join,
        host=request.listen,
        port=request.port,
        cpus=cpus,
        lost=_on_lost(request.on_lost),
        live_port=LIVE_PORT if request.live else 0,
        locustfile=locustfile,
    )


def check_reachable(host: str, crew: Crew) -> None:
    """Raises ``UsageError`` where workers elsewhere would load themselves."""
    try:
        own = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        own = False
    if own and crew.elsewhere:
        raise UsageError(
            f"{host} means another machine to each worker", hint="name the target as the workers can reach it"
        )


def teller(err: Console, quiet: bool, crew: Crew) -> Callable[[str, bool], None]:
    """Tells of workers on stderr; warnings also where the rest is not wanted."""
    if crew.live_port and not quiet:
        err.print(f"live: http://127.0.0.1:{crew.live_port}", markup=False, soft_wrap=True)

    def tell(text: str, warning: bool) -> None:
        if warning or not quiet:
            err.print(text, style="yellow" if warning else None, markup=False, highlight=False, soft_wrap=True)

    return tell


def _on_lost(text: str) -> OnLost:
    if text == "invalid":
        return "invalid"
    if text == "continue":
        return "continue"
    raise UsageError(f"--on-lost-worker {text!r}: must be invalid or continue")
