"""``harness worker``: one more load machine."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass

from harness.commands.inputs import seconds
from harness.errors import UsageError

DEFAULT_PORT = 5557
MAX_PROCESSES = 256


@dataclass(frozen=True, slots=True)
class WorkerRequest:
    """What the command line says; ``master`` is a host, or ``host:port``."""

    master: str
    processes: int = 1
    locustfile: str = ""
    wait: str = "60s"
    keep: str = ""


def run(request: WorkerRequest) -> int:
    """Becomes a worker, or has several run as children until they end.

    Returns:
        0 the master was done; 3 there was no master, it refused this worker, or it went away; 130 interrupted.

    Raises:
        UsageError: an option is wrong.
    """
    host, port = parse_master(request.master)
    if not 1 <= request.processes <= MAX_PROCESSES:
        raise UsageError(f"--processes {request.processes}: must be from 1 to {MAX_PROCESSES}")
    if request.locustfile and not os.path.isfile(request.locustfile):
        raise UsageError(f"--locustfile {request.locustfile}: there is no such file")
    words = [
        sys.executable,
        "-m",
        "harness.swarm.worker",
        host,
        str(port),
        "--wait",
        f"{seconds('--wait', request.wait):g}",
    ]
    words += ["--locustfile", request.locustfile] if request.locustfile else []
    words += ["--keep", request.keep] if request.keep else []
    if request.processes == 1:
        os.execv(sys.executable, words)
    workers = [subprocess.Popen(words) for _ in range(request.processes)]
    try:
        return max(worker.wait() for worker in workers)
    except KeyboardInterrupt:
        return 130
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def parse_master(text: str) -> tuple[str, int]:
    """``10.0.0.1``, ``loadbox:6000`` or ``[fd00::1]:6000``.

    Raises:
        UsageError: it is none.
    """
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):
        host, port = text, str(DEFAULT_PORT)
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(f"--master {text!r}: write HOST or HOST:PORT")
    return host, int(port)
