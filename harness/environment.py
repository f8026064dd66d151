"""What machine this is, what is installed on it, and whether it is fit to measure on."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import psutil

from harness.placement import Placement
from harness.units import MIB

PACKAGES = (
    "web-harness", "fastapi", "starlette", "flask", "django", "tornado", "pydantic", "uvicorn", "gunicorn",
    "uvloop", "httptools", "werkzeug", "anyio",
)  # fmt: skip

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that ``harness doctor`` looked at, and what it means for a measurement."""

    level: Level
    subject: str
    message: str


def describe(placement: Placement) -> dict[str, str]:
    """The machine as the report shows it."""
    memory = psutil.virtual_memory().total / MIB / 1024
    return {
        "machine": cpu_name(),
        "cpus": f"{os.cpu_count()} ({len(placement.server + placement.generator)} used)",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "server CPU": _numbers(placement.server),
        "generator CPU": _numbers(placement.generator),
        "governor": _governor() or "not shown by this platform",
        "virtualized": "yes" if _virtualized() else "not detected",
        "CPU quota": "not shown by this platform" if (quota := _quota()) is None else quota or "none",
    }


def versions(names: Iterable[str] = PACKAGES) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def examine(placement: Placement, results: Path) -> list[Finding]:
    """Whether this machine is fit to measure on, and why not."""
    findings = [Finding("warning", "CPUs", placement.note)] if placement.note else []
    if not placement.note:
        cpus = f"servers on CPU {_numbers(placement.server)}, generator on CPU {_numbers(placement.generator)}"
        findings.append(Finding("ok", "CPUs", cpus))
    findings.append(_load())
    findings.append(_steal())
    governor = _governor()
    if governor is None:
        findings.append(Finding("ok", "frequency", "not shown by this platform; turns of 50 ms cancel what drifts"))
    elif governor == "performance":
        findings.append(Finding("ok", "frequency", "governor is 'performance'"))
    else:
        advice = f"governor is {governor!r}: absolute figures may drift; ratios are taken within 50 ms turns"
        findings.append(Finding("warning", "frequency", advice))
    quota = _quota()
    if quota:
        findings.append(Finding("warning", "CPU quota", f"a cgroup allows {quota}: it throttles whatever runs in it"))
    else:
        findings.append(Finding("ok", "CPU quota", "not shown by this platform" if quota is None else "none"))
    available = psutil.virtual_memory().available / MIB
    level: Level = "ok" if available > 1500 else "problem" if available < 500 else "warning"
    findings.append(Finding(level, "memory", f"{available:,.0f} MiB available; a run needs about 1,000"))
    findings.append(_open_files())
    findings.append(_writable(results))
    if sys.platform != "linux":
        findings.append(Finding("warning", "platform", "CPU time comes from psutil, in coarser steps than on Linux"))
    return findings


def cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _load() -> Finding:
    busy = psutil.cpu_percent(interval=0.5, percpu=True)
    worst = max(busy)
    text = ", ".join(f"{share:.0f}%" for share in busy)
    if worst < 10:
        return Finding("ok", "other work", f"the CPUs are idle ({text} busy)")
    return Finding("warning", "other work", f"something else is running ({text} busy): close it for narrower intervals")


def _steal() -> Finding:
    before = psutil.cpu_times()
    psutil.cpu_percent(interval=0.5)
    after = psutil.cpu_times()
    if not hasattr(after, "steal"):
        return Finding("ok", "steal", "not shown by this platform")
    total = sum(after) - sum(before)
    share = (after.steal - before.steal) / total if total > 0 else 0.0
    if share < 0.01:
        return Finding("ok", "steal", f"{share:.1%} of CPU time taken by other guests")
    return Finding("warning", "steal", f"{share:.1%} of CPU time taken by other guests of the host")


def _open_files() -> Finding:
    try:
        import resource
    except ImportError:
        return Finding("ok", "open files", "not limited on this platform")
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= 4096 or soft < 0:
        return Finding("ok", "open files", f"up to {soft:,}")
    return Finding("warning", "open files", f"only {soft:,}: many connections need more (ulimit -n 65536)")


def _writable(folder: Path) -> Finding:
    parent = next((path for path in (folder, *folder.absolute().parents) if path.exists()), Path("/"))
    if os.access(parent, os.W_OK):
        free = psutil.disk_usage(str(parent)).free / MIB
        if free < 200:
            return Finding("problem", "results", f"only {free:,.0f} MiB free where {folder} would be written")
        return Finding("ok", "results", f"written to {folder}")
    return Finding("problem", "results", f"{folder} cannot be written: choose another place with --out")


def _governor() -> str | None:
    try:
        return Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").read_text().strip()
    except OSError:
        return None


def _virtualized() -> bool:
    try:
        return " hypervisor" in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


def _quota() -> str | None:
    """The CPU quota of this process's cgroup, as ``"1.5 CPUs"``; empty without one, ``None`` where it is not told."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return "" if quota == "max" else f"{int(quota) / int(period):.2g} CPUs"
    except (OSError, ValueError):
        return None


def _numbers(cpus: tuple[int, ...]) -> str:
    return ", ".join(map(str, cpus)) or "not pinned"
