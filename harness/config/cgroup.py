"""CPU quotas of control groups (cgroups), which may allow less time than the CPUs that a process may run on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
GROUPS = Path("/proc/self/cgroup")


@dataclass(frozen=True, slots=True)
class Quota:
    """CPU seconds per second that ``folder``'s group may use."""

    cpus: float
    folder: Path

    def throttled_s(self) -> float:
        """Seconds for which the quota has stopped the group so far."""
        counts = dict(line.split() for line in kernel_text(self.folder / "cpu.stat").splitlines())
        return int(counts.get("throttled_usec", 0)) * 1e-6 + int(counts.get("throttled_time", 0)) * 1e-9


def find_quota(root: Path = ROOT, groups: Path = GROUPS) -> Quota | None:
    """The tightest quota of this process's control group and of those above it; ``None`` without one.

    A group that a container's file system does not show is skipped: the container's own is then the highest.
    """
    return min(_quotas(root, groups), key=lambda quota: quota.cpus, default=None)


def _quotas(root: Path, groups: Path) -> Iterator[Quota]:
    for line in kernel_text(groups).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        # Version 2 is mounted at the root, or next to version 1.
        for mount in (root / controllers,) if controllers else (root, root / "unified"):
            group = Path(path.lstrip("/"))
            for folder in (mount / group, *(mount / parent for parent in group.parents)):
                if cpus := _cpus(folder):
                    yield Quota(cpus, folder)


def _cpus(folder: Path) -> float:
    """What a group may use; 0 without a quota."""
    version_1 = [kernel_text(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period")]
    quota, period = kernel_text(folder / "cpu.max").split() or [text.strip() for text in version_1]
    return int(quota) / int(period) if quota.isdigit() and period else 0.0


def kernel_text(file: str | Path) -> str:
    """What the kernel says in a file; empty where there is none that can be read."""
    try:
        return Path(file).read_text()
    except OSError:
        return ""
