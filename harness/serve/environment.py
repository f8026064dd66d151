"""What machine this is, what is installed on it, and whether it is fit to measure on."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from harness.config.placement import Placement
from harness.model import Reason
from harness.model.recorded import RESOLUTION
from harness.model.units import MIB, number_of
from harness.serve.servers import version_of

PACKAGES = (
    "web-harness", "fastapi", "starlette", "flask", "django", "tornado", "pydantic", "uvicorn", "gunicorn",
    "uvloop", "httptools", "werkzeug", "anyio",
)  # fmt: skip

SELFTEST = "selftest.json"
"""What ``harness selftest`` leaves in the folder of results."""

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that ``harness doctor`` looked at, and what it means for a measurement."""

    level: Level
    subject: str
    message: str | Reason


def describe(placement: Placement) -> dict[str, str]:
    """The machine as the report shows it."""
    memory = psutil.virtual_memory().total / MIB / 1024
    return {
        "machine": cpu_name(),
        "cpus": f"{os.cpu_count()} ({len(placement.server + placement.generator)} used)",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "governor": _governor() or "not shown by this platform",
        "virtualized": "yes" if " hypervisor" in _read("/proc/cpuinfo") else "not detected",
        "CPU quota": _quota(placement) or "none",
    }


def resolution(results: Path) -> dict[str, str]:
    """What the last selftest in this folder says that the machine can resolve; empty without one."""
    try:
        document = json.loads((results / SELFTEST).read_text("utf-8"))
        sentence = f"{document['resolution']['sentence']} (selftest of {document['made_at'][:10]})"
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {RESOLUTION: sentence}


def versions(names: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Name → version of the distributions that are installed."""
    return {name: version for name in names if (version := version_of(name))}


def examine(placement: Placement, results: Path) -> list[Finding]:
    """Whether this machine is fit to measure on, and why not."""
    findings = [Finding("warning", "CPUs", placement.note)] if placement.note else []
    if not placement.note:
        cpus = f"servers on CPU {_numbers(placement.server)}, generator on CPU {_numbers(placement.generator)}"
        findings.append(Finding("ok", "CPUs", cpus))
    findings.append(_load())
    findings.append(_steal())
    governor = _governor()
    if not governor:
        findings.append(Finding("ok", "frequency", "not shown by this platform; turns of 50 ms cancel what drifts"))
    elif governor == "performance":
        findings.append(Finding("ok", "frequency", "governor is 'performance'"))
    else:
        advice = f"governor is {governor!r}: absolute figures may drift; ratios are taken within 50 ms turns"
        findings.append(Finding("warning", "frequency", advice))
    if quota := _quota(placement):
        text = f"a cgroup allows {quota} to servers, generator and services together: workers=cpus is "
        findings.append(Finding("warning", "CPU quota", f"{text}{number_of(placement.per_cpu, 'worker')}"))
    else:
        findings.append(Finding("ok", "CPU quota", "none"))
    available = psutil.virtual_memory().available / MIB
    level: Level = "ok" if available > 1500 else "problem" if available < 500 else "warning"
    findings.append(Finding(level, "memory", f"{available:,.0f} MiB available; a run needs about 1,000"))
    findings.append(_open_files())
    findings.append(_writable(results))
    if sys.platform != "linux":
        findings.append(Finding("warning", "platform", "CPU time comes from psutil, in coarser steps than on Linux"))
    return findings


def cpu_name() -> str:
    models = (line for line in _read("/proc/cpuinfo").splitlines() if line.startswith("model name"))
    return next(models, "").partition(":")[2].strip() or platform.processor() or platform.machine()


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


def _governor() -> str:
    """How the frequency of the CPUs is chosen; empty where this platform does not say."""
    return _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip()


def _quota(placement: Placement) -> str:
    """``1.5 CPUs``; empty without one."""
    return f"{placement.quota:.3g} CPU{'s' if placement.quota != 1 else ''}" if placement.quota else ""


def _read(file: str) -> str:
    """The text of a file; empty where there is none that can be read."""
    try:
        return Path(file).read_text()
    except OSError:
        return ""


def _numbers(cpus: tuple[int, ...]) -> str:
    return ", ".join(map(str, cpus)) or "not pinned"
