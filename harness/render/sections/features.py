"""What each target can do, from live probes."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model import Feature
from harness.render.view import View


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """What was found.

    Attributes:
        capabilities: key and name.
        rows: a target, and its probe of each capability (``None`` where it was not asked).
        odd: those that are not as ``targets.toml`` declares them.
        missing: a target, what it lacks, and the reason that these have in common.
    """

    capabilities: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, tuple[Feature | None, ...]], ...]
    odd: tuple[Feature, ...]
    missing: tuple[tuple[str, str, str], ...]


def feature_table(view: View) -> FeatureTable | None:
    """``None`` where the run asked no target."""
    probed = {(feature.target, feature.capability): feature for feature in view.summary.features}
    if not probed:
        return None
    capabilities = tuple(dict.fromkeys(capability for _, capability in probed))
    targets = dict.fromkeys(target for target, _ in probed)
    rows = tuple((target, tuple(probed.get((target, name)) for name in capabilities)) for target in targets)
    names = tuple((name, view.language.texts.get(f"capabilities.{name}", name)) for name in capabilities)
    lacking: dict[tuple[str, str], list[str]] = {}
    for feature in probed.values():
        if not feature.present:
            said = dict(names)[feature.capability]
            lacking.setdefault((feature.target, feature.why or feature.detail), []).append(said)
    missing = tuple((target, ", ".join(what), why) for (target, why), what in lacking.items())
    return FeatureTable(names, rows, tuple(one for one in probed.values() if not one.as_declared), missing)
