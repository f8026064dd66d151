"""Rules for claims about what a framework brings: from live probes, and from what each app had to add."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from harness.analyse.claims.facts import Facts, Finding, of_all
from harness.analyse.summary import ClaimVerdict, Evidence
from harness.model import Effort, Feature

Probed = Sequence[tuple[int, Feature]]
DOCUMENTATION = ("documentation", "OpenAPI, in the contract", "files, streams and documentation")
READING = ("validation", "errors", "errors, CORS and body limits", "reading input, in the contract")
ORMS = ("sqlalchemy", "tortoise", "orm")


def hints_alone(facts: Facts) -> Finding | None:
    """C1: it is all there, and for fewer lines of documentation, validation and errors than in any other app."""
    probed = _all_of(facts, ("openapi", "docs", "clear-422"), "fastapi")
    if probed is None:
        return None
    if not _present(probed):
        return Finding("refuted", _shown(probed))
    return _least(facts, (*DOCUMENTATION, *READING), probed)


def pages_without_work(facts: Facts) -> Finding | None:
    """C3: both pages are there; the claim is whole only where the app has no line and no package for them."""
    return _without_work(facts, ("docs", "redoc"), DOCUMENTATION, ("documentation", "documentation without a CDN"))


def clear_errors(facts: Facts) -> Finding | None:
    """C4: a clear 422 is there, for fewer lines of validation and errors than in any other app."""
    probed = _all_of(facts, ("clear-422",), "fastapi")
    if probed is None:
        return None
    return _least(facts, READING, probed) if _present(probed) else Finding("refuted", _shown(probed))


def security_in_the_box(facts: Facts) -> Finding | None:
    """C6: tokens and CORS work; the claim is whole only where no package had to be added for them."""
    return _without_work(facts, ("jwt", "cors"), (), ("security", "cors"))


def extended_by_packages(facts: Facts) -> Finding | None:
    """C7: every capability that a package stands behind is there."""
    probed = _all_of(facts, ("jwt", "docs", "websocket", "clear-422"), "fastapi")
    effort = facts.effort("fastapi")
    if probed is None or not effort:
        return None
    packages = tuple(Evidence("packages", f"effort.{index}.packages") for index, _ in effort)
    present = [feature.present for _, feature in probed]
    return Finding(of_all(present), (*packages, *_shown([one for one in probed if not one[1].present])))


def nothing_automatic(facts: Facts) -> Finding | None:
    """C12: Tornado's app had to bring its own documentation and its own reading of input."""
    effort = facts.effort("tornado")
    if not effort:
        return None
    index, app = effort[0]
    added = [[name for name in names if app.lines.get(name)] for names in (DOCUMENTATION, READING)]
    evidence = tuple(Evidence("lines", f"effort.{index}.lines.{name}") for names in added for name in names)
    return Finding(of_all([bool(names) for names in added]), evidence)


def no_orm(facts: Facts) -> Finding | None:
    """C13: an ORM is something that FastAPI's app had to add; what each costs is the evidence where it was measured."""
    added = [(index, name) for index, app in facts.effort("fastapi") for name in ORMS if app.lines.get(name)]
    if not added:
        return None
    lines = tuple(Evidence("lines", f"effort.{index}.lines.{name}") for index, name in added)
    mapped = [target for target in facts.targets("fastapi") if not target.reference]
    costs = facts.comparisons(mapped, facts.targets("fastapi", reference=True), "cpu_cost", ("products*",))
    return Finding("supported", (*(one.evidence for one in costs), *lines))


def at_once(facts: Facts) -> Finding | None:
    """C22: both pages answer at FastAPI's targets under Uvicorn."""
    uvicorn = {target.name for target in facts.manifest.targets if target.server == "uvicorn"}
    probed = [
        one
        for capability in ("docs", "redoc")
        for one in facts.probes(capability, "fastapi")
        if one[1].target in uvicorn
    ]
    if not probed:
        return None
    return Finding(of_all([feature.present for _, feature in probed]), _shown(probed))


def _all_of(facts: Facts, capabilities: Collection[str], framework: str) -> list[tuple[int, Feature]] | None:
    """Probes of the framework's first target that was asked for all of them; ``None`` where there is none."""
    by_target: dict[str, list[tuple[int, Feature]]] = {}
    for capability in capabilities:
        for index, feature in facts.probes(capability, framework):
            by_target.setdefault(feature.target, []).append((index, feature))
    return next((found for found in by_target.values() if len(found) == len(capabilities)), None)


def _present(probed: Probed) -> bool:
    return all(feature.present for _, feature in probed)


def _shown(probed: Probed) -> tuple[Evidence, ...]:
    return tuple(Evidence("feature", f"features.{index}") for index, _ in probed)


def _without_work(
    facts: Facts, capabilities: Collection[str], lines: Collection[str], packages: Collection[str]
) -> Finding | None:
    probed, effort = _all_of(facts, capabilities, "fastapi"), facts.effort("fastapi")
    if probed is None or not effort:
        return None
    index, app = effort[0]
    added = [Evidence("lines", f"effort.{index}.lines.{name}") for name in lines if app.lines.get(name)]
    added += [Evidence("packages", f"effort.{index}.packages.{name}") for name in packages if app.packages.get(name)]
    verdict: ClaimVerdict = "refuted" if not _present(probed) else "depends" if added else "supported"
    return Finding(verdict, (*_shown(probed), *added))


def _least(facts: Facts, features: Collection[str], probed: Probed) -> Finding | None:
    """Whether FastAPI's app needed the fewest lines for these features; needs another app to be counted too."""
    apps = ((_lines(app, features), index, app) for index, app in facts.effort())
    counted = sorted(apps, key=lambda one: one[:2])
    own = [_lines(app, features) for _, app in facts.effort("fastapi")]
    if not own or len(counted) < 2:
        return None
    evidence = [
        Evidence("lines", f"effort.{index}.lines", tuple(name for name in features if app.lines.get(name)))
        for _, index, app in counted
    ]
    holds: ClaimVerdict = "supported" if own[0] == counted[0][0] else "depends"
    return Finding(holds, (*_shown(probed), *evidence))


def _lines(app: Effort, features: Collection[str]) -> int:
    return sum(count for name, count in app.lines.items() if name in features)
