"""Claims are judged by what was measured and probed, and by nothing else."""

from __future__ import annotations

import dataclasses

import pytest

from harness.analyse.claims.judge import CLAIMS, with_claims
from harness.analyse.summarise import summarise
from harness.analyse.summary import Cell, LadderResult, LadderStep, Summary, Upkeep
from harness.model import Effort, Feature, Manifest, Point, Scenario, Side, Target
from harness.render.numbers import Figure, plain
from harness.render.sections.claims import CHARTS, claims, evidence_sentence
from harness.render.sections.registry import SECTIONS
from harness.render.view import view_of
from tests.synthetic import make_run
from tests.unit.summaries import JSON, agrees, contrast, estimate, manifest, resolve, summary

ALL = ("*",)
UVICORN = {"loop": "uvloop", "http": "httptools"}
TARGETS = (
    Target("fastapi", "fastapi", "asgi", "uvicorn", "a:app", UVICORN, endpoints=ALL, reference=True),
    Target("slow-loop", "fastapi", "asgi", "uvicorn", "a:app", {"loop": "asyncio"}, endpoints=ALL),
    Target("managed", "fastapi", "asgi", "gunicorn", "a:app", endpoints=ALL),
    Target("flask", "flask", "wsgi", "gunicorn", "b:app", threads=8, endpoints=ALL, reference=True),
    Target("flask-sync", "flask", "wsgi", "gunicorn", "b:app", endpoints=ALL),
    Target("django", "django", "wsgi", "gunicorn", "c:app", threads=8, endpoints=ALL, reference=True),
    Target("django-asgi", "django", "asgi", "uvicorn", "c:app", UVICORN, endpoints=ALL, reference=True),
    Target("tornado", "tornado", "native", "tornado", "d:app", endpoints=ALL, reference=True),
)
JSON_AT, WAIT_AT = "json@16", "io-sleep[ms=20]@64"
POINTS = (
    Point(JSON_AT, "json", {}, 16, (JSON,)),
    Point(WAIT_AT, "io-sleep", {"ms": 20}, 64, (JSON,), wait_s=0.02),
    *(Point(f"{name}@16", name, {}, 16, (JSON,)) for name in ("io-db", "io-file", "io-upstream")),
)
SCENARIOS = tuple(Scenario(point.scenario, point.scenario, "pick", "", (JSON,), (16,)) for point in POINTS)
RUN: Manifest = manifest(
    targets=TARGETS,
    scenarios=SCENARIOS,
    plan=dataclasses.replace(manifest().plan, points=POINTS),
)


def cell(target: str, point: str, rps: float, cpu: float, **more: object) -> Cell:
    place = next(one for one in POINTS if one.id == point)
    given = {"status": "ok", "replies": 1000} | more
    return Cell(target, point, place.scenario, place.params, place.concurrency, given.pop("status"),
                estimate(rps), estimate(cpu), **given)  # fmt: skip


def every_target(point: str = JSON_AT, rps: float = 1000.0) -> tuple[Cell, ...]:
    return tuple(cell(target.name, point, rps, 1e6 / rps) for target in TARGETS)


def judged(claim: str, **changes: object) -> str:
    found = with_claims(RUN, summary(**{"cells": every_target(), "contrasts": (), "upkeep": ()} | changes))
    return next(one.verdict for one in found.claims if one.id == claim)


def versus(a: str, b: str, ratio: float, verdict: str = "different", **more: object):
    point = more.pop("point", JSON_AT)
    return contrast(verdict, ratio, ratio * 0.97, ratio * 1.03, a=a, b=b, point=point, **more)


def probed(target: str, *present: str, absent: tuple[str, ...] = ()) -> tuple[Feature, ...]:
    there = tuple(Feature(target, name, True, True) for name in present)
    return there + tuple(Feature(target, name, False, False, why="it cannot") for name in absent)


def app(name: str, packages: dict[str, dict[str, str]] | None = None, **lines: int) -> Effort:
    named = {key.replace("_", " ").replace("openapi", "OpenAPI,"): count for key, count in lines.items()}
    return Effort(name, name.partition("-")[0], named, packages or {})


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [
        ((2.5, 3.0), "supported"),
        ((2.5, 1.3), "depends"),
        ((1.4, 0.8), "refuted"),
        ((2.02, 2.01), "refuted"),
    ],
)
def test_far_faster_is_twice_at_the_cautious_end(ratios, verdict):
    others = ("flask", "django")
    assert (
        judged("C2", contrasts=tuple(versus("fastapi", b, r) for b, r in zip(others, ratios, strict=True))) == verdict
    )


def test_the_side_of_a_contrast_and_its_metric_are_seen_right():
    assert judged("C2", contrasts=(versus("flask", "fastapi", 0.4),)) == "supported"
    assert judged("C2", contrasts=(versus("fastapi", "flask", 0.4, metric="cpu_cost"),)) == "supported"
    assert judged("C2", contrasts=(versus("flask", "fastapi", 3.0, metric="cpu_cost"),)) == "supported"


@pytest.mark.parametrize("verdict", ["undecided", "not-measurable"])
def test_what_is_not_decided_supports_nothing(verdict):
    assert judged("C2", contrasts=(versus("fastapi", "flask", 3.0, verdict),)) == "undecided"


def test_a_small_difference_is_no_lead():
    assert judged("C16", contrasts=(versus("django-asgi", "django", 1.01, "small"),)) == "refuted"


@pytest.mark.parametrize(
    ("at_zero", "at_twenty", "verdict"), [(0.8, 3.0, "depends"), (1.2, 3.0, "supported"), (0.8, 0.9, "refuted")]
)
def test_asgi_may_be_ahead_at_some_waits_only(at_zero, at_twenty, verdict):
    found = (versus("django-asgi", "django", at_zero), versus("django-asgi", "django", at_twenty, point=WAIT_AT))
    assert judged("C16", contrasts=found) == verdict


@pytest.mark.parametrize(("rps", "verdict"), [(390.0, "supported"), (900.0, "refuted")])
def test_threads_bound_what_waits(rps, verdict):
    found = (cell("flask", WAIT_AT, rps, 300.0),)
    assert judged("C9", cells=found) == verdict


@pytest.mark.parametrize(("rps", "verdict"), [(49.0, "supported"), (390.0, "refuted")])
def test_a_sync_worker_answers_one_at_a_time(rps, verdict):
    assert judged("C15", cells=(cell("flask-sync", WAIT_AT, rps, 300.0),)) == verdict


def test_io_is_answered_or_not():
    good = tuple(cell("fastapi", f"{name}@16", 900.0, 300.0) for name in ("io-db", "io-file"))
    bad = cell("fastapi", "io-upstream@16", 900.0, 300.0, status="failed", reasons=("died",))
    assert judged("C5", cells=good) == "supported"
    assert judged("C5", cells=(*good, bad)) == "depends"
    assert judged("C5", cells=(bad,)) == "refuted"
    assert judged("C5") == "not-tested"


@pytest.mark.parametrize(
    ("ratio", "memory", "verdict"), [(1.5, 90e6, "supported"), (1.5, 30e6, "depends"), (0.8, 30e6, "refuted")]
)
def test_django_is_heavy_where_it_costs_more_of_everything(ratio, memory, verdict):
    found = {
        "contrasts": (versus("django", "flask", ratio, metric="cpu_cost"),),
        "upkeep": (Upkeep("django", None, memory), Upkeep("flask", None, 50e6)),
    }
    assert judged("C10", **found) == verdict


PAGES = ("openapi", "docs", "redoc", "clear-422", "jwt", "cors", "websocket")


@pytest.mark.parametrize(
    ("claim", "features", "effort", "verdict"),
    [
        ("C1", probed("fastapi", *PAGES), (app("fastapi", validation=50), app("flask", validation=90)), "supported"),
        ("C1", probed("fastapi", *PAGES), (app("fastapi", validation=90), app("flask", validation=50)), "depends"),
        ("C1", probed("fastapi", "docs", "openapi", absent=("clear-422",)), (app("fastapi"),), "refuted"),
        ("C1", probed("flask", *PAGES), (), "not-tested"),
        ("C3", probed("fastapi", *PAGES), (app("fastapi", validation=50),), "supported"),
        ("C3", probed("fastapi", *PAGES), (app("fastapi", documentation=31),), "depends"),
        ("C3", probed("fastapi", "docs", absent=("redoc",)), (app("fastapi"),), "refuted"),
        ("C6", probed("fastapi", *PAGES), (app("fastapi", {"security": {"pyjwt": "2"}}),), "depends"),
        ("C6", probed("fastapi", *PAGES), (app("fastapi"),), "supported"),
        ("C7", probed("fastapi", *PAGES), (app("fastapi"),), "supported"),
        ("C12", (), (app("tornado", documentation=9, validation=5),), "supported"),
        ("C12", (), (app("tornado", documentation=9),), "depends"),
        ("C12", (), (app("tornado", routes=9),), "refuted"),
        ("C13", (), (app("fastapi", sqlalchemy=15),), "supported"),
        ("C22", probed("fastapi", *PAGES), (), "supported"),
        ("C22", probed("fastapi", "docs", absent=("redoc",)), (), "depends"),
        ("C22", (), (), "not-tested"),
    ],
)
def test_probes_and_effort_judge_what_a_framework_brings(claim, features, effort, verdict):
    assert judged(claim, features=features, effort=effort) == verdict


def test_tornado_needs_websocket_and_lags():
    behind = (versus("fastapi", "tornado", 1.4),)
    assert judged("C11", contrasts=behind, features=probed("tornado", "websocket")) == "supported"
    assert judged("C11", contrasts=behind, features=probed("tornado", absent=("websocket",))) == "refuted"
    assert judged("C11", contrasts=(versus("fastapi", "tornado", 0.7),)) == "refuted"


def test_parts_of_uvicorn_are_told_by_their_options():
    assert judged("C19", contrasts=(versus("fastapi", "slow-loop", 1.5),)) == "supported"
    assert judged("C19", contrasts=(versus("slow-loop", "fastapi", 1.5),)) == "refuted"


def test_gunicorn_with_another_worker_runs_or_costs():
    assert judged("C20") == "supported"
    assert judged("C20", contrasts=(versus("managed", "fastapi", 0.9),)) == "depends"


def test_servers_are_judged_when_all_of_them_were_tried():
    assert judged("C17") == "undecided"
    failed = cell("django", JSON_AT, 1, 1, status="failed", reasons=("exited",))
    only = tuple(one for one in every_target() if one.target in ("fastapi", "tornado"))
    assert judged("C17", cells=(*only, failed)) == "depends"


def step(label: str, verdict: str, scenario: str = "json", added: float = 12.0) -> LadderStep:
    sides = Side("fastapi", f"{scenario}@16"), Side("fastapi", JSON_AT)
    return LadderStep(label, *sides, "round", verdict, "", 1.2, 1.1, 1.3, added, added - 2, added + 2)  # type: ignore[arg-type]


def ladder(*steps: LadderStep) -> tuple[LadderResult, ...]:
    return (LadderResult("fastapi", "FastAPI", "framework", (), steps),)


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        (["different"] * 7, "supported"),
        (["different"] * 6, "undecided"),
        (["different"] * 6 + ["undecided"], "undecided"),
        (["different"] * 6 + ["same"], "depends"),
        (["undecided"] * 7, "undecided"),
    ],
)
def test_stages_are_shown_one_by_one(verdicts, verdict):
    assert judged("C18", ladders=ladder(*(step(f"stage {n}", v) for n, v in enumerate(verdicts)))) == verdict


def test_dependencies_resolve_where_what_needs_them_is_answered():
    assert judged("C8", features=probed("fastapi", "jwt")) == "supported"
    assert judged("C8", features=probed("fastapi", absent=("jwt",))) == "refuted"
    assert judged("C8") == "not-tested"


def everything() -> Summary:
    features = (*probed("fastapi", *PAGES), *probed("tornado", "websocket"), *probed("flask", absent=("websocket",)))
    effort = (
        app("fastapi", {"security": {"pyjwt": "2"}}, validation=50, documentation=31, sqlalchemy=3),
        app("flask", validation=90),
        app("tornado", documentation=9, validation=5),
    )
    pairs = [("fastapi", "flask"), ("fastapi", "django"), ("fastapi", "tornado"), ("fastapi", "slow-loop")]
    pairs += [("django-asgi", "django"), ("managed", "fastapi")]
    contrasts = tuple(versus(a, b, 1.5, metric=metric) for a, b in pairs for metric in ("throughput", "cpu_cost"))
    cells = tuple(one for point in POINTS for one in every_target(point.id, 45.0))
    upkeep = tuple(Upkeep(target.name, 0.5, 5e7) for target in TARGETS)
    ladders = ladder(*(step(f"stage {n}", "different", "dependency" if n == 6 else "json") for n in range(7)))
    parts = {"cells": cells, "contrasts": contrasts, "upkeep": upkeep, "features": features, "effort": effort}
    return with_claims(RUN, summary(**parts, ladders=ladders))


def test_every_claim_has_its_evidence_in_words_and_numbers_of_the_summary():
    found = everything()
    view, document = view_of(RUN, found), dataclasses.asdict(found)
    tested = [claim for claim in found.claims if claim.verdict != "not-tested"]
    assert {claim.id for claim in tested} == {claim.id for claim in CLAIMS}
    for claim in tested:
        assert claim.evidence, claim.id
        for one in claim.evidence:
            said = evidence_sentence(view, one)
            assert plain(said).endswith("."), (claim.id, one)
            for part in said:
                if isinstance(part, Figure):
                    assert resolve(document, part.path) == part.value
                    assert agrees(part.text, part.value)


def test_a_claim_without_data_says_what_would_test_it():
    found = with_claims(RUN, summary(cells=(), contrasts=(), upkeep=()))
    assert {claim.verdict for claim in found.claims} == {"not-tested"}
    assert all(claim.command.startswith("harness run ") for claim in found.claims)


def test_every_kind_of_evidence_leads_to_a_section():
    assert set(CHARTS.values()) <= {section.id for section in SECTIONS}
    shown = claims(view_of(RUN, everything()))
    assert shown is not None
    assert all(row.section for row in shown.rows)


def test_an_analysed_run_and_an_empty_one_have_claims():
    run = make_run(blocks=5, rounds=2)
    assert len(summarise(run.manifest, run.slots, run.samples).claims) == len(CLAIMS)
    broken = make_run(blocks=5, rounds=2, all_failed=True)
    found = summarise(broken.manifest, broken.slots, broken.samples)
    assert not {claim.verdict for claim in found.claims} & {"supported", "depends"}
