"""What differs between two runs besides what was measured: machine, versions, conditions, load."""

from __future__ import annotations

from collections.abc import Mapping

from harness.model import Manifest, Reason
from harness.model.recorded import RESOLUTION

LISTED = 6


def differences(base: Manifest, new: Manifest, absolute: bool) -> tuple[Reason, ...]:
    """A warning for each kind of difference; ``absolute``: whether values are compared without an anchor."""
    found = []
    for code, before, after in (
        ("machines-differ", _machine(base), _machine(new)),
        ("versions-differ", base.versions, new.versions),
    ):
        if listed := _pairs(before, after):
            found.append(Reason(code, {"differing": listed}))
    for target in new.targets:
        other = next((each for each in base.targets if each.name == target.name), None)
        if other is None:
            continue
        if listed := _pairs(base.packages.get(target.name, {}), new.packages.get(target.name, {})):
            found.append(Reason("packages-differ", {"target": target.name, "differing": listed}))
        fields = ("application", "interface", "server", "options", "workers", "threads", "environment")
        if changed := tuple(name for name in fields if getattr(target, name) != getattr(other, name)):
            found.append(Reason("declared-differ", {"target": target.name, "differing": changed}))
    if base.plan.profile != new.plan.profile:
        found.append(Reason("profiles-differ", {"base": base.plan.profile, "new": new.plan.profile}))
    for run in (base, new):
        if run.status != "finished":
            found.append(Reason("run-not-finished", {"run": run.run, "status": run.status}))
    return (*found, Reason("absolute-values")) if absolute else tuple(found)


def _machine(manifest: Manifest) -> dict[str, str]:
    known = {key: value for key, value in manifest.environment.items() if key != RESOLUTION}
    return known | {f"{role} CPUs": ",".join(map(str, cpus)) for role, cpus in manifest.placement.items()}


def _pairs(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    listed = [
        f"{key} {before.get(key, '–')} → {after.get(key, '–')}"
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    ]
    rest = len(listed) - LISTED
    return (*listed[:LISTED], f"+{rest}") if rest > 0 else tuple(listed)
