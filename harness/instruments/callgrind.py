"""Valgrind's callgrind: instructions in user space, of every process of a server, by shared object."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from harness.errors import NotReadyError

COMMAND_S = 120.0
"""How long one command may take to reach a process."""
MISSING = "instructions cannot be counted here: valgrind is not installed"
HINT = "apt-get install valgrind"
COLLECTOR = "gc_collect_main"
"""What every collection of garbage goes through, from Python 3.8 to 3.13."""
Function = tuple[str, str]
"""The name of a shared object, and of a function in it."""
Calls = Counter[Function]
_NAME = re.compile(r"\((\d+)\)(?: (.*))?")
_COST = frozenset("0123456789+-*")
"""What a line of costs begins with: a position, often relative to the one before."""
_TOTALS = re.compile(r"^(?:totals|summary): (\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Counts:
    """By function: instructions, without those of its callees, and how often it was called.

    Attributes:
        collections: shared object of Python's garbage collector → instructions of its collections, callees included,
            which ``costs`` holds too. Empty where the interpreter has no names of functions.
    """

    costs: Counter[Function] = field(default_factory=Counter)
    calls: Calls = field(default_factory=Counter)
    collections: Counter[str] = field(default_factory=Counter)

    def update(self, more: Counts) -> None:
        self.costs.update(more.costs)
        self.calls.update(more.calls)
        self.collections.update(more.collections)

    @property
    def objects(self) -> dict[str, float]:
        """Instructions by shared object, without collections."""
        totals = by_object(self.costs)
        return {name: total - self.collections[name] for name, total in totals.items()}


class Callgrind:
    """Counts the processes of one server, which is to be started behind ``prefix``.

    Args:
        folder: one of its own, for what valgrind writes; it may be removed once the server has ended.
    """

    name = "callgrind"
    times = 1

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pids: tuple[int, ...] = ()

    @staticmethod
    def available() -> bool:
        """Whether valgrind is installed."""
        return bool(shutil.which("valgrind") and shutil.which("vgdb"))

    @property
    def prefix(self) -> tuple[str, ...]:
        """What stands before the command of the server."""
        return (
            "valgrind",
            "--quiet",
            "--tool=callgrind",
            "--instr-atstart=no",
            "--trace-children=yes",
            f"--vgdb-prefix={self._folder}/vgdb",
            f"--callgrind-out-file={self._folder}/out.%p",
        )

    async def begin(self, pids: Sequence[int]) -> None:
        """Counts these processes from now on."""
        self._pids = tuple(pids)
        await self._command("instrumentation", "on")

    async def read(self) -> Callable[[], Counts]:
        """A function that adds up what was executed since the last call: later, as a server goes on meanwhile."""
        await self._command("dump")
        files = [file for pid in self._pids for file in self._folder.glob(f"out.{pid}.*")]
        texts = [file.read_text("utf-8", "replace") for file in files]
        for file in files:
            file.unlink()
        return partial(_sum, texts)

    def close(self) -> None:
        """Nothing to do: valgrind ends with the server."""

    async def _command(self, *words: str) -> None:
        for pid in self._pids:
            vgdb = await asyncio.create_subprocess_exec(
                "vgdb",
                f"--vgdb-prefix={self._folder}/vgdb",
                f"--pid={pid}",
                # A sleeping process is woken at once, so that a window does not end amid its next heartbeat.
                "--max-invoke-ms=1",
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            try:
                output, _ = await asyncio.wait_for(vgdb.communicate(), COMMAND_S)
            except TimeoutError:
                raise NotReadyError(f"valgrind did not answer within {COMMAND_S:g} s") from None
            finally:
                if vgdb.returncode is None:
                    vgdb.kill()
                    await vgdb.wait()
            if vgdb.returncode:
                last = output.decode("utf-8", "replace").strip().splitlines()[-1:] or ["no reason given"]
                raise NotReadyError(f"process {pid} cannot be counted: {last[0]}")


def _sum(texts: Iterable[str]) -> Counts:
    counts = Counts()
    for text in texts:
        counts.update(parse(text.splitlines()))
    return counts


def parse(lines: Iterable[str]) -> Counts:
    """What one file of callgrind holds.

    Raises:
        ValueError: costs do not add up to the total that the file states.
    """
    names: dict[str, dict[str, str]] = {"ob": {}, "fn": {}}
    counts = Counts()
    at = {"ob": "", "fn": "", "cob": "", "cfn": ""}
    stated, callee = None, ""
    for line in lines:
        if line[:1] in _COST:
            _, _, cost = line.partition(" ")
            # The line behind "calls=" is what the callee took, which stands at the callee already.
            if not callee:
                counts.costs[object_name(at["ob"]), at["fn"]] += int(cost or 0)
            elif at["cfn"].startswith(COLLECTOR) and not at["fn"].startswith(COLLECTOR):
                counts.collections[callee] += int(cost or 0)
            callee = ""
            continue
        key, equals, text = line.partition("=")
        if equals and key.removeprefix("c") in names:
            kind = key.removeprefix("c")
            number, name = _name(text)
            if name:
                names[kind][number] = name
            at[key] = names[kind].get(number, number)
        elif key == "calls":
            callee = object_name(at["cob"] or at["ob"])
            counts.calls[callee, at["cfn"]] += int(text.partition(" ")[0])
            at["cob"] = ""
        elif total := _TOTALS.match(line):
            stated = int(total[1])
    if stated is not None and counts.costs.total() != stated:
        raise ValueError(f"callgrind states {stated} instructions and lists {counts.costs.total()}")
    return Counts(+counts.costs, counts.calls, counts.collections)


def by_object(counts: Mapping[Function, float]) -> dict[str, float]:
    """Totals by shared object, most first."""
    totals: dict[str, float] = {}
    for (name, _), count in counts.items():
        totals[name] = totals.get(name, 0) + count
    return dict(sorted(totals.items(), key=lambda item: -item[1]))


def _name(text: str) -> tuple[str, str]:
    """The key of a name, and the name where the text has it."""
    match = _NAME.match(text)
    return (match[1], match[2] or "") if match else (text, text)


@cache
def object_name(path: str) -> str:
    """What readers know a shared object by: its package, ``Python``, ``libc``, or its file without version."""
    parts = Path(path).parts
    file = parts[-1] if parts else ""
    if "site-packages" in parts[:-1]:
        return parts[parts.index("site-packages") + 1].partition(".")[0].replace("_", "-").strip("-")
    if "lib-dynload" in parts:
        return "standard library"
    if re.fullmatch(r"(lib)?python[\d.]*(\.so.*)?", file):
        return "Python"
    return re.sub(r"-\d+\.[\d.]*$", "", file.partition(".so")[0]).strip("?") or "unknown"
