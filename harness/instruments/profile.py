"""py-spy: samples of the Python stacks of a server under load.

Only threads that hold the GIL are sampled: on a busy machine nothing else shows whether a thread works or was woken
up and waits for a CPU. The server is not stopped, since that would slow it down twofold: stacks that change
while they are read are counted, as calls too brief to read.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from harness.config.placement import confine
from harness.engine.clocks import ProcessGone, clock_of, machine_delta, machine_sample
from harness.engine.engine import Engine
from harness.engine.spec import LoadSpec
from harness.engine.wire import TIMEOUT_S, requests_to
from harness.errors import LaunchError, NotReadyError
from harness.model import BRIEF, CpuProfile, Frame, Point
from harness.model.units import US
from harness.record import file_name
from harness.serve import Running
from harness.serve.server import working_folder

RATE = 200
"""Samples per second."""
WARM_UP_S = 0.5
STEP_S = 0.5
PATIENCE_S = 60.0
MISSING = "profiles cannot be made here: py-spy is not installed"
REFUSED = "py-spy may not read the server's memory: this system does not allow ptrace"
APP = "/app"
"""Stands for the folder of the app in what is recorded."""
_PREFIX = re.compile(r".*(?=[/\\](?:lib(?:64)?[/\\]python3|Lib[/\\]))")
_UNREAD = re.compile(r"Errors: (\d+)")
ALLOW = (
    "Linux: sudo sysctl kernel.yama.ptrace_scope=0; container: docker run --cap-add SYS_PTRACE; macOS: run with sudo"
)


def sampler() -> str:
    """The path of py-spy.

    Raises:
        NotReadyError: it is not installed.
    """
    path = shutil.which("py-spy") or shutil.which("py-spy", path=str(Path(sys.executable).parent))
    if path is None:
        raise NotReadyError(MISSING, hint="pip install py-spy")
    return path


def why_not_sampled() -> str:
    """Why nothing can be sampled here, and how it could; empty where it can. Takes about a second."""
    try:
        # Servers are no children of py-spy either.
        command = [sampler(), "dump", "--nonblocking", "--pid", str(os.getpid())]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S)
        if done.returncode:
            raise refusal(done.stderr.decode("utf-8", "replace"))
    except subprocess.TimeoutExpired:
        return f"profiles cannot be made here: py-spy did not answer within {PATIENCE_S:g} s"
    except NotReadyError as error:
        return f"{error}: {error.hint}" if error.hint else str(error)
    return ""


def sample(
    running: Running,
    point: Point,
    engine: Engine,
    folder: Path,
    seconds: int,
    cpus: Sequence[int] = (),
    *,
    flame_graph: bool = False,
) -> CpuProfile:
    """Sends the point's requests and samples the server for ``seconds``.

    Args:
        folder: where the speedscope file is written.
        cpus: where py-spy runs; empty for no pinning.
        flame_graph: whether to sample for half as long again, for a flame graph.

    Raises:
        LaunchError: a reply was wrong, or a process of the server ended.
        NotReadyError: py-spy is missing, may not sample, or sees no Python.
    """
    address, name = running.bind, file_name(running.target.name)
    requests, connections = requests_to(running, point.requests), point.concurrency

    def load(seconds: float) -> int:
        spec = LoadSpec(address, requests, connections, seconds, timeout_s=TIMEOUT_S)
        result = engine.run_load(spec)
        if result.interrupted:
            raise KeyboardInterrupt
        if result.errors:
            kind = next(iter(result.errors))
            raise LaunchError(f"{running.target.name}: {kind}: {result.examples.get(kind, '')}", log=running.log())
        return result.answered

    load(WARM_UP_S)
    speedscope, drawn = folder / f"{name}.speedscope.json", folder / f"{name}.svg"
    clock, began = clock_of(running.pid, running.usage_file), time.monotonic()
    try:
        before, threads, machine = clock.cpu(), _threads(clock.pids), machine_sample()
        with tempfile.TemporaryDirectory() as parts:
            # With --subprocesses py-spy begins once it can read the first of them, and misses what the others do.
            files = {Path(parts, f"{pid}.json"): ("--pid", str(pid)) for pid in clock.pids}
            replies, unread = _record(load, ("speedscope", "--full-filenames"), files, seconds, cpus)
            read = joined([json.loads(file.read_bytes()) for file in files if file.exists()])
        document = without_paths(read, working_folder(running.target))
        speedscope.write_text(json.dumps(document))
        if clock.refresh():
            raise ProcessGone(running.pid)
        cpu_s = clock.cpu() - before
    except ProcessGone as error:
        raise LaunchError(f"{running.target.name}: {error} while it was sampled", log=running.log()) from None
    took = time.monotonic() - began
    delta = machine_delta(machine, machine_sample())
    busy_s = {cpu: (share - delta.interrupts[cpu]) * took for cpu, share in delta.busy.items()}
    waited_s, working_s = _waits(threads, _threads(clock.pids), busy_s)
    stacks = read_speedscope(document)
    if unread:
        stacks[(BRIEF,)] = unread
    if not stacks:
        raise NotReadyError(f"py-spy saw no Python code run in {running.target.name}")
    if flame_graph:
        tree = {drawn: ("--pid", str(running.pid), "--subprocesses")}
        _record(load, ("flamegraph",), tree, -(-seconds // 2), cpus)
    return CpuProfile(
        target=running.target.name,
        point=point.id,
        cpu_us=cpu_s / replies * US,
        # A sample shows threads that run and threads that lost their CPU, so both are what it is divided by.
        in_python=min(1.0, stacks.total() / (seconds * RATE) * took / (working_s or cpu_s)),
        waited=waited_s / cpu_s,
        stacks=tuple(stacks.items()),
        folder=APP,
        replies=replies,
        duration_s=took,
        flame_graph=str(drawn) if flame_graph else "",
        speedscope=str(speedscope),
    )


def joined(documents: Sequence[Any]) -> Any:
    """One document of speedscope with the profiles of all; a frame is known by its place in the list of all frames."""
    frames, profiles = list[Any](), list[Any]()
    for document in documents:
        for each in document["profiles"]:
            moved = [[len(frames) + index for index in stack] for stack in each["samples"]]
            profiles.append({**each, "samples": moved})
        frames += document["shared"]["frames"]
    return {**documents[0], "profiles": profiles, "shared": {"frames": frames}}


def without_paths(document: Any, folder: Path) -> Any:
    """The document without what is only true here: the paths of Python and the app, and the processes' commands."""

    def moved(frame: Any) -> Any:
        file = frame["file"] or ""
        if not file:
            return {**frame, "name": frame["name"].partition(':"')[0]}
        if prefix := _PREFIX.match(file):
            return {**frame, "file": file[prefix.end() :]}
        if Path(file).is_relative_to(folder):
            return {**frame, "file": f"{APP}/{Path(file).relative_to(folder).as_posix()}"}
        return frame

    return {**document, "shared": {"frames": [moved(frame) for frame in document["shared"]["frames"]]}}


def read_speedscope(document: Any) -> Counter[tuple[Frame, ...]]:
    """Stacks, from the outermost frame to the innermost → samples; without the names of processes and threads."""
    frames = [(each["name"], each["file"] or "") for each in document["shared"]["frames"]]
    return Counter(
        tuple(frames[index] for index in stack if frames[index][1])
        for each in document["profiles"]
        for stack in each["samples"]
    )


def _record(
    load: Callable[[float], int],
    form: Sequence[str],
    files: Mapping[Path, Sequence[str]],
    seconds: int,
    cpus: Sequence[int],
) -> tuple[int, int]:
    """Keeps the load up until py-spy is done; returns the replies, and how many stacks changed while they were read.

    Args:
        files: what is written → the processes that it is about, as py-spy takes them. One that runs no Python has none.

    Raises:
        NotReadyError: py-spy failed for all of them.
    """
    command = [sampler(), "record", "--gil", "--nonblocking", "--function", "--rate", str(RATE)]
    command += ["--duration", str(seconds), "--format", *form, "--output"]
    replies, deadline = 0, time.monotonic() + 4 * seconds + PATIENCE_S
    spies, outputs = list[subprocess.Popen[bytes]](), list[IO[bytes]]()
    with ExitStack() as stack:
        for file, processes in files.items():
            outputs.append(stack.enter_context(tempfile.TemporaryFile()))
            options = [str(file), *processes]
            spy = subprocess.Popen(
                [*command, *options], stdin=subprocess.DEVNULL, stdout=outputs[-1], stderr=subprocess.STDOUT
            )
            stack.callback(spy.wait)
            stack.callback(spy.kill)
            confine(spy.pid, tuple(cpus))
            spies.append(spy)
        while any(spy.poll() is None for spy in spies) and time.monotonic() < deadline:
            replies += load(STEP_S)
        texts = [_text(output) for output in outputs]
    if all(spy.returncode for spy in spies):
        raise refusal(texts[0])
    return replies, sum(int(unread[1]) for text in texts if (unread := _UNREAD.search(text)))


def _text(output: IO[bytes]) -> str:
    output.seek(0)
    return output.read().decode("utf-8", "replace")


def refusal(output: str) -> NotReadyError:
    """Why py-spy failed, from what it wrote."""
    if "permission denied" in output.lower() or "not permitted" in output.lower():
        return NotReadyError(REFUSED, hint=ALLOW)
    # What it says of its work begins with its name.
    lines = [line.strip() for line in output.splitlines() if line.strip() and not line.startswith("py-spy>")]
    return NotReadyError(f"py-spy failed: {lines[0] if lines else 'it gave no reason'}")


@dataclass(frozen=True, slots=True)
class _Thread:
    """Seconds that a thread had a CPU, and was ready and had none; how often it gave its CPU up, and lost it."""

    pid: int
    cpu_s: float
    waited_s: float
    gave_up: int
    lost: int


def _threads(pids: Sequence[int]) -> dict[str, _Thread]:
    """By path in /proc; empty where the kernel does not count them."""
    readings = {}
    for pid in pids:
        for path in Path(f"/proc/{pid}/task").glob("*"):
            try:
                cpu, waited, _ = map(int, (path / "schedstat").read_text().split())
                status = dict(line.split(":", 1) for line in (path / "status").read_text().splitlines())
            except (OSError, ValueError):
                continue
            switches = (int(status[f"{kind}_ctxt_switches"]) for kind in ("voluntary", "nonvoluntary"))
            readings[str(path)] = _Thread(pid, cpu * 1e-9, waited * 1e-9, *switches)
    return readings


def _waits(
    before: Mapping[str, _Thread], after: Mapping[str, _Thread], busy_s: Mapping[int, float]
) -> tuple[float, float]:
    """Seconds for which other programs had the server's CPUs, and for which its processes had work, running or not.

    What a thread waits after it has slept is no work under way: a wait is divided by how often the thread gave its CPU
    up and lost it. Threads of a process that wait side by side, most of them for the GIL, count for no longer than
    anything else had their CPUs.

    Args:
        busy_s: of each CPU, the seconds for which it ran any thread.
    """
    cpu_s, interrupted_s, waited_s = defaultdict[int, float](float), defaultdict[int, float](float), 0.0
    for path, now in after.items():
        if then := before.get(path):
            wait, gave_up, lost = now.waited_s - then.waited_s, now.gave_up - then.gave_up, now.lost - then.lost
            cpu_s[now.pid] += now.cpu_s - then.cpu_s
            interrupted_s[now.pid] += wait * lost / max(1, gave_up + lost)
            waited_s += wait
    cpus = {pid: os.sched_getaffinity(pid) for pid in cpu_s}

    def others_s(used: set[int], own: float) -> float:
        return max(0.0, sum(busy_s[cpu] for cpu in used) - own)

    foreign = others_s(set().union(*cpus.values()), sum(cpu_s.values()))
    working = sum(own + min(interrupted_s[pid], others_s(cpus[pid], own)) for pid, own in cpu_s.items())
    return min(waited_s, foreign), working
