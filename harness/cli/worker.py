"""``harness worker``: join a load test as a worker."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Annotated

from harness.cli.options import Quantity, duration, number, text, time
from harness.errors import UsageError

MINUTE = duration("60s")


def worker(
    master: Annotated[str, text("HOST[:PORT]", "The machine that gives orders.")],
    workers: Annotated[int, number("Workers on this machine, one for each CPU that should send.", max=256)] = 1,
    locustfile: Annotated[str, text("FILE", "The journey, if it is one of your own.")] = "",
    wait: Annotated[Quantity, time("How long to wait for the master.")] = MINUTE,
    keep: Annotated[str, text("DIR", "Keep every latency here too, order by order, as .npz.")] = "",
) -> int:
    """Join a load test as a worker: send what the master orders, and end with it.

    The master is "harness load URL --join N" or "harness run --join N" on another machine, of the same version. It
    prints what to start here, with the secret that a worker must know, in HARNESS_CLUSTER_SECRET.

    Exit codes: 0 the master ended normally; 2 usage; 3 no master, it refused this worker, or it disappeared.
    """
    from harness.cluster.options import SECRET_VARIABLE, configured_secret

    host, port = parse_master(master)
    if not configured_secret():
        raise UsageError(f"{SECRET_VARIABLE} is not set", hint="copy the line that the master printed")
    if locustfile and not os.path.isfile(locustfile):
        raise UsageError(f"--locustfile {locustfile}: there is no such file")
    words = [sys.executable, "-P", "-m", "harness.cluster.worker", host, str(port), str(float(wait)), locustfile, keep]
    if workers == 1:
        os.execv(sys.executable, words)
    processes = [subprocess.Popen(words) for _ in range(workers)]
    try:
        return max(process.wait() for process in processes)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def parse_master(text: str) -> tuple[str, int]:
    """``10.0.0.1``, ``loadbox:6000`` or ``[fd00::1]:6000``.

    Raises:
        UsageError: it is not one of these.
    """
    from harness.cluster.options import DEFAULT_PORT

    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):
        host, port = text, str(DEFAULT_PORT)
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(f"--master {text!r}: write HOST or HOST:PORT")
    return host, int(port)
