"""The result of sampling a server under load."""

from __future__ import annotations

from dataclasses import dataclass, replace

Frame = tuple[str, str]
"""The name of a function, and the full path of its file."""
Stack = tuple[tuple[Frame, ...], int]
"""Frames from the outermost to the innermost, and in how many samples; no frame where native code called no Python."""
BRIEF: Frame = ("calls too brief to read", "")
"""Stands for all stacks that changed while they were read."""


@dataclass(frozen=True, slots=True)
class CpuProfile:
    """Stacks of the threads that held the GIL in one server under load, and its CPU cost meanwhile.

    Attributes:
        cpu_us: microseconds of CPU of the server's process tree per verified reply.
        in_python: the share of it, from 0 to 1, that the samples stand for; the rest is kernel work, and native code
            that runs without the GIL.
        waited: seconds for which other programs had the server's CPUs while threads were ready, for each second of CPU.
        folder: what the paths of the app's files are relative to.
        replies: verified ones; ``duration_s``: in so many seconds.
        flame_graph, speedscope: files; empty where none was made.
    """

    target: str
    point: str
    cpu_us: float
    in_python: float
    stacks: tuple[Stack, ...]
    waited: float
    folder: str
    replies: int
    duration_s: float
    flame_graph: str = ""
    speedscope: str = ""

    @property
    def samples(self) -> int:
        return sum(count for _, count in self.stacks)

    def innermost(self) -> CpuProfile:
        """The same without callers, which are most of its size."""
        counts = dict[tuple[Frame, ...], int]()
        for frames, count in self.stacks:
            counts[frames[-1:]] = counts.get(frames[-1:], 0) + count
        return replace(self, stacks=tuple(counts.items()))
