"""The upstream service as a process of the run: the service with a set delay that the apps call."""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import sys
import time

from harness.config import PACKAGED
from harness.config.placement import confine
from harness.errors import LaunchError, NotReadyError
from harness.serve import free_port
from harness.serve.guard import Guard

HOST = "127.0.0.1"
READY_S = 15.0
_POLL_S = 0.02


class Upstream:
    """One process; ``stop`` and ``start`` again keep its port, but not its count."""

    def __init__(self, guard: Guard, cpus: tuple[int, ...] = ()) -> None:
        self._guard, self._cpus = guard, cpus
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """0 while it is stopped."""
        return self._process.pid if self._process is not None else 0

    def start(self) -> None:
        """Returns when the service answers.

        Raises:
            LaunchError: it does not.
        """
        command = [sys.executable, "-m", "apps.upstream.server", HOST, str(self.port)]
        process = self._process = self._guard.start(command, cwd=PACKAGED)
        confine(process.pid, self._cpus)
        deadline = time.monotonic() + READY_S
        while True:
            with contextlib.suppress(NotReadyError):
                self._get("/health")
                return
            if process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise LaunchError("the upstream service did not come up", hint="harness doctor")
            time.sleep(_POLL_S)

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            self._guard.end(process)

    def requests(self, *, reset: bool = False) -> int:
        """How many delays were requested since the start or the last reset.

        Raises:
            NotReadyError: the service does not answer.
        """
        counted: int = self._get("/count")["requests"]
        if reset:
            self._get("/reset")
        return counted

    def _get(self, path: str) -> dict[str, int]:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=5)
        try:
            connection.request("GET", path)
            reply: dict[str, int] = json.loads(connection.getresponse().read())
            return reply
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise NotReadyError(f"the upstream service does not answer: {error}") from None
        finally:
            connection.close()
