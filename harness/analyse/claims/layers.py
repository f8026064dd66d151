"""Rules for claims about what a request passes through: from the cost ladder."""

from __future__ import annotations

from harness.analyse.claims.facts import Facts, Finding, of_all
from harness.analyse.summary import ClaimVerdict, Evidence

SHOWN = ("different", "different-size-open", "small")
"""Verdicts that show that a step costs something."""
STAGES = 7


def dependencies_resolve(facts: Facts) -> Finding | None:
    """C8: FastAPI's app answers what needs a declared dependency; what that costs is the evidence where it is known."""
    targets = facts.targets("fastapi", reference=True, answering=False)
    served = [one for one in facts.cells(targets, "dependency") if one[1].status != "not-run"]
    probed = [one for one in facts.probes("jwt", "fastapi") if one[1].target in {target.name for target in targets}]
    holds = [cell.status == "ok" for _, cell, _ in served] + [feature.present for _, feature in probed[:1]]
    if not holds:
        return None
    costs = tuple(
        Evidence("step", f"ladders.{number}.steps.{index}")
        for number, ladder in enumerate(facts.summary.ladders)
        for index, step in enumerate(ladder.steps)
        if step.a.point.startswith("dependency") and step.a.target in {target.name for target in targets}
    )
    answers = tuple(Evidence("served", f"cells.{index}") for index, _, _ in served)
    shown = tuple(Evidence("feature", f"features.{index}") for index, _ in probed[:1])
    return Finding(of_all(holds), (*costs, *answers, *shown), bool(served))


def seven_stages(facts: Facts) -> Finding | None:
    """C18: each stage of FastAPI's ladder, from the server to the dependency, costs something by itself."""
    found = [(number, one) for number, one in enumerate(facts.summary.ladders) if one.name == "fastapi" and one.steps]
    if not found:
        return None
    number, ladder = found[0]
    decided = [step for step in ladder.steps if step.verdict in (*SHOWN, "same")]
    evidence = tuple(Evidence("step", f"ladders.{number}.steps.{index}") for index in range(len(ladder.steps)))
    whole = len(ladder.steps) >= STAGES
    if not decided:
        return Finding("undecided", evidence, whole)
    verdict: ClaimVerdict = of_all([step.verdict in SHOWN and (step.difference or 0) > 0 for step in decided])
    settled = len(decided) == len(ladder.steps) and whole
    return Finding("undecided" if verdict == "supported" and not settled else verdict, evidence, whole)
