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

from harness.config.cgroup import kernel_text
from harness.config.placement import Placement
from harness.model import Reason
from harness.model.recorded import RESOLUTION
from harness.model.units import MIB
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
    reason: Reason


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
        "virtualized": "yes" if " hypervisor" in kernel_text("/proc/cpuinfo") else "not detected",
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
    cpus = Reason("cpus", {"server": _numbers(placement.server), "generator": _numbers(placement.generator)})
    quota = Reason("quota", {"quota": _quota(placement), "workers": placement.per_cpu})
    governor = _governor()
    memory = psutil.virtual_memory().available / MIB
    return [
        Finding(_level(placement.note), "CPUs", placement.note or cpus),
        _load(),
        _steal(),
        Finding(
            _level(governor not in ("", "performance")),
            "frequency",
            Reason("governor", {"governor": governor}) if governor else Reason("no-governor"),
        ),
        Finding(_level(placement.quota), "CPU quota", quota if placement.quota else Reason("no-quota")),
        Finding("problem" if memory < 500 else _level(memory <= 1500), "memory", Reason("memory", {"mib": memory})),
        _open_files(),
        _writable(results),
        *([] if sys.platform == "linux" else [Finding("warning", "platform", Reason("coarse-clocks"))]),
    ]


def _level(warns: object) -> Level:
    return "warning" if warns else "ok"


def cpu_name() -> str:
    models = (line for line in kernel_text("/proc/cpuinfo").splitlines() if line.startswith("model name"))
    return next(models, "").partition(":")[2].strip() or platform.processor() or platform.machine()


def _load() -> Finding:
    busy = psutil.cpu_percent(interval=0.5, percpu=True)
    shares = tuple(f"{share:.0f}%" for share in busy)
    works = max(busy) >= 10
    reason = Reason("cpus-busy", {"shares": shares}) if works else Reason("cpus-idle", {"shares": shares})
    return Finding(_level(works), "other work", reason)


def _steal() -> Finding:
    percent = getattr(psutil.cpu_times_percent(interval=0.5), "steal", None)
    if percent is None:
        return Finding("ok", "steal", Reason("not-shown"))
    return Finding(_level(percent >= 1), "steal", Reason("stolen", {"share": percent / 100}))


def _open_files() -> Finding:
    try:
        import resource
    except ImportError:
        return Finding("ok", "open files", Reason("files-unlimited"))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < 4096:
        return Finding("warning", "open files", Reason("few-files", {"files": soft}))
    return Finding("ok", "open files", Reason("files", {"files": soft}))


def _writable(folder: Path) -> Finding:
    parent = next((path for path in (folder, *folder.absolute().parents) if path.exists()), Path("/"))
    if not os.access(parent, os.W_OK):
        return Finding("problem", "results", Reason("not-writable", {"folder": str(folder)}))
    free = psutil.disk_usage(str(parent)).free / MIB
    if free < 200:
        return Finding("problem", "results", Reason("disk-full", {"folder": str(folder), "mib": free}))
    return Finding("ok", "results", Reason("written-to", {"folder": str(folder)}))


def _governor() -> str:
    """How the frequency of the CPUs is chosen; empty where this platform does not say."""
    return kernel_text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip()


def _quota(placement: Placement) -> str:
    """``1.5 CPUs``; empty without one."""
    return f"{placement.quota:.3g} CPU{'s' if placement.quota != 1 else ''}" if placement.quota else ""


def _numbers(cpus: tuple[int, ...]) -> str:
    return ", ".join(map(str, cpus)) or "not pinned"
