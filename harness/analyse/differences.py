"""What differs between two runs besides what was measured: machine, versions, conditions, load."""

from __future__ import annotations

from collections.abc import Mapping

from harness.model import Manifest

LISTED = 6


def differences(base: Manifest, new: Manifest, absolute: bool) -> tuple[str, ...]:
    """A warning for each kind of difference; ``absolute``: whether values are compared without an anchor."""
    found = []
    for what, before, after in (
        ("the machines or their settings", base.environment, new.environment),
        ("the versions", base.versions, new.versions),
    ):
        listed = _pairs(before, after)
        if listed:
            found.append(f"{what} differ: {_cut(listed)}")
    for target in new.targets:
        other = next((each for each in base.targets if each.name == target.name), None)
        if other is None:
            continue
        mine, theirs = new.packages.get(target.name, {}), base.packages.get(target.name, {})
        if mine or theirs:
            listed = _pairs(theirs, mine)
            if listed:
                found.append(f"the packages of {target.name} differ: {_cut(listed)}")
        fields = ("application", "interface", "server", "options", "workers", "threads", "environment")
        changed = [name for name in fields if getattr(target, name) != getattr(other, name)]
        if changed:
            found.append(f"{target.name} is not declared alike: {', '.join(changed)} differ")
    if base.plan.profile != new.plan.profile:
        found.append(f"the profiles differ: {base.plan.profile} and {new.plan.profile}")
    for run in (base, new):
        if run.status != "finished":
            found.append(f"{run.run} is {run.status}: blocks or slots are missing")
    if absolute:
        found.append(
            "some values are compared as they are, from rounds of different runs: their intervals allow for what the "
            "machine did between the runs. A target that did not change, in both runs, makes them narrower: --anchor"
        )
    return tuple(found)


def _pairs(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return [
        f"{key} {before.get(key, 'none')} → {after.get(key, 'none')}"
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key) and not key.startswith("resolves")
    ]


def _cut(listed: list[str]) -> str:
    rest = len(listed) - LISTED
    return ", ".join(listed[:LISTED]) + (f", and {rest} more" if rest > 0 else "")
