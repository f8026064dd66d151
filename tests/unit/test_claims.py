"""Every judged claim comes out as supported and as refuted, from what was measured and probed and nothing else."""

from __future__ import annotations

import dataclasses
import hashlib

import pytest

from harness.model import Effort
from harness.prepare import choose
from harness.report.language.catalogue import language
from harness.report.numbers import Figure, plain
from harness.report.sections.claims import EVIDENCE, claims, evidence_sentence
from harness.report.sections.registry import SECTIONS
from harness.report.view import View
from harness.results.claims import judge as judging
from harness.results.claims.facts import Kind
from harness.results.claims.judge import CLAIMS, with_claims
from harness.results.summarise import summarise
from harness.verify.untouched import FOLDER
from tests.synthetic import make_run
from tests.unit.claim_runs import (
    RUN,
    about,
    adds,
    answers,
    bare,
    beside,
    echoes,
    fails,
    found,
    keeps,
    needs,
    probed,
    refuses,
    result,
    small,
    verdict,
    versus,
    whole,
)
from tests.unit.summaries import agrees, resolve

TYPED = ("type-fault", "serialization", "openapi")
FAULTS = ("path-fault", "missing-fault", "type-fault")
SERVERS = (
    "flask-uwsgi", "flask-gunicorn-gthread", "flask-mod-wsgi", "fastapi-daphne", "fastapi-uvicorn", "fastapi-hypercorn",
)  # fmt: skip
LAYERS = (("orders-validated", "orders-raw"), ("orders-full", "orders-validated"), ("dependency", "orders-full"))


def layers(verdict: str, us: float = 12.0):
    return [adds("json", "json", verdict, us, below="starlette"), *(adds(a, b, verdict, us) for a, b in LAYERS)]


def django_against_flask(cpu: float, mebibytes: float, startup_s: float):
    return [
        versus("django-gunicorn-gthread", "flask-gunicorn-gthread", cpu, "cpu_cost"),
        keeps("flask-gunicorn-gthread", 50, 0.5),
        keeps("django-gunicorn-gthread", mebibytes, startup_s),
    ]


SUPPORTS = {
    "C1": [bare("fastapi", *TYPED), small(fastapi=15, django_ninja=24, flask_openapi3=18)],
    "C2": [versus("fastapi-uvicorn", "flask-gunicorn-gthread", 2.6), versus("fastapi-uvicorn", "tornado-native", 3.0)],
    "C3": [bare("fastapi", "docs", "redoc")],
    "C4": [bare("fastapi", *FAULTS), refuses("fastapi-uvicorn", 0.8)],
    "C5": [answers("fastapi-uvicorn", name, 900) for name in ("io-db", "io-file", "io-upstream")],
    "C6": [probed("fastapi-uvicorn", "jwt", "cors"), needs("fastapi_app", "fastapi", 300, "asyncpg")],
    "C8": [probed("fastapi-uvicorn", "jwt"), answers("fastapi-uvicorn", "dependency", 900)],
    "C9": [answers("flask-gunicorn-gthread", "io-sleep", 390)],
    "C10": [answers("django-gunicorn-gthread", "io-sleep", 390), django_against_flask(1.5, 90, 0.9)],
    "C11": [versus("fastapi-uvicorn-asyncio", "tornado-native", 1.4), probed("tornado-native", "websocket")],
    "C14": [
        beside("fastapi-uvicorn", about(20, 30)),
        beside("fastapi-threads-uvicorn", about(1.0, 1.3)),
        versus("fastapi-threads-uvicorn", "fastapi-uvicorn", 1.5, "cpu_cost"),
    ],
    "C15": [answers("flask-gunicorn-sync", "io-sleep", 49), answers("flask-gunicorn-gthread", "io-sleep", 390)],
    "C16": [
        versus("django-uvicorn", "django-gunicorn-gthread", 1.3),
        versus("django-uvicorn", "django-gunicorn-gthread", 3.0, at="io-sleep"),
        probed("django-uvicorn", "websocket"),
    ],
    "C17": [answers(target, "json", 900) for target in SERVERS],
    "C18": layers("different"),
    "C19": [versus("fastapi-uvicorn", name, 1.4) for name in ("fastapi-uvicorn-asyncio", "fastapi-uvicorn-h11")],
    "C20": [versus("fastapi-gunicorn-uvicorn", "fastapi-uvicorn", 1.001, verdict="same")],
    "C21": [beside("fastapi-uvicorn", about(20, 30)), beside("tornado-native", about(15, 40))],
    "C22": [bare("first_steps", "docs", "redoc")],
}
REFUTES = {
    "C1": [bare("fastapi", *TYPED), small(fastapi=25, django_ninja=24, flask_openapi3=18)],
    "C2": [versus("fastapi-uvicorn", "flask-gunicorn-gthread", 1.4), versus("fastapi-uvicorn", "tornado-native", 0.8)],
    "C3": [bare("fastapi", lacks=("docs", "redoc"))],
    "C4": [bare("fastapi", *FAULTS), refuses("fastapi-uvicorn", 1.3)],
    "C5": [
        *(answers("fastapi-uvicorn", name, 50) for name in ("io-db", "io-upstream")),
        fails("fastapi-uvicorn", "io-file"),
    ],
    "C6": [
        probed("fastapi-uvicorn", lacks=("jwt", "cors")),
        needs("fastapi_app", "fastapi", 300, "python-multipart", "argon2-cffi", "pyjwt"),
    ],
    "C8": [probed("fastapi-uvicorn", lacks=("jwt",)), fails("fastapi-uvicorn", "dependency")],
    "C9": [answers("flask-gunicorn-gthread", "io-sleep", 900)],
    "C10": [answers("django-gunicorn-gthread", "io-sleep", 900), django_against_flask(0.8, 40, 0.4)],
    "C11": [versus("fastapi-uvicorn-asyncio", "tornado-native", 0.7), probed("tornado-native", lacks=("websocket",))],
    "C14": [
        beside("fastapi-uvicorn", about(1.0, 1.3)),
        beside("fastapi-threads-uvicorn", about(1.0, 1.3)),
        versus("fastapi-threads-uvicorn", "fastapi-uvicorn", 1.001, "cpu_cost", verdict="same"),
    ],
    "C15": [answers("flask-gunicorn-sync", "io-sleep", 390), answers("flask-gunicorn-gthread", "io-sleep", 900)],
    "C16": [
        versus("django-uvicorn", "django-gunicorn-gthread", 0.8),
        versus("django-uvicorn", "django-gunicorn-gthread", 0.9, at="io-sleep"),
        probed("django-uvicorn", lacks=("websocket",)),
    ],
    "C17": [fails(target) for target in SERVERS],
    "C18": layers("same", 0.1),
    "C19": [versus("fastapi-uvicorn", name, 0.9) for name in ("fastapi-uvicorn-asyncio", "fastapi-uvicorn-h11")],
    "C20": [versus("fastapi-gunicorn-uvicorn", "fastapi-uvicorn", 0.9)],
    "C21": [beside("fastapi-uvicorn", about(0.9, 1.2)), beside("tornado-native", about(1.0, 1.5))],
    "C22": [bare("first_steps", lacks=("docs", "redoc"))],
}
JUDGED = [claim.id for claim in CLAIMS if claim.rule]


def test_there_are_22_claims_and_three_of_them_are_documented_facts():
    assert [claim.id for claim in CLAIMS] == [f"C{number}" for number in range(1, 23)]
    documented = [claim for claim in CLAIMS if not claim.rule]
    assert [claim.id for claim in documented] == ["C7", "C12", "C13"]
    assert all(source.startswith("https://") for claim in documented for source in claim.sources)
    assert all(claim.sources for claim in documented)


@pytest.mark.parametrize("claim", JUDGED)
def test_a_run_supports_it(claim):
    assert verdict(claim, *SUPPORTS[claim]) == "supported"


@pytest.mark.parametrize("claim", JUDGED)
def test_a_run_refutes_it(claim):
    assert verdict(claim, *REFUTES[claim]) == "refuted"


@pytest.mark.parametrize("claim", JUDGED)
def test_a_run_without_anything_measures_nothing(claim):
    judged = result(claim)
    assert (judged.verdict, judged.evidence) == ("not-measured", ())
    assert judged.command.startswith("harness run -")


@pytest.mark.parametrize("claim", ["C7", "C12", "C13"])
def test_a_documented_fact_stays_one_whatever_a_run_found(claim):
    for facts in (*SUPPORTS.values(), *REFUTES.values()):
        assert verdict(claim, *facts) == "documented"


@pytest.mark.parametrize(
    ("claim", "facts"),
    [
        (
            "C2",
            [
                versus("fastapi-uvicorn", "flask-gunicorn-gthread", 2.5),
                versus("fastapi-uvicorn", "tornado-native", 1.3),
            ],
        ),
        ("C3", [bare("fastapi", "docs", lacks=("redoc",))]),
        ("C1", [bare("fastapi", *TYPED), small(fastapi=20, django_ninja=24, flask_openapi3=18)]),
        ("C4", [bare("fastapi", "type-fault", lacks=("path-fault", "missing-fault")), SUPPORTS["C4"][1]]),
        ("C5", [*SUPPORTS["C5"][:2], answers("fastapi-uvicorn", "io-upstream", 50)]),
        ("C6", [probed("fastapi-uvicorn", "jwt", "cors"), needs("fastapi_app", "fastapi", 300, "pyjwt")]),
        ("C10", [answers("django-gunicorn-gthread", "io-sleep", 390), django_against_flask(1.5, 40, 0.9)]),
        # Blocking the loop hurts, and the thread pool cures it for nothing.
        ("C14", [beside("fastapi-uvicorn", about(20, 30)), *REFUTES["C14"][1:]]),
        ("C16", [*REFUTES["C16"][:1], *SUPPORTS["C16"][1:]]),
        ("C17", [*SUPPORTS["C17"][1:], fails("flask-uwsgi")]),
        ("C18", [*layers("different")[:3], adds(*LAYERS[2], "same", 0.2)]),
        ("C19", [SUPPORTS["C19"][0], REFUTES["C19"][1]]),
        ("C21", [SUPPORTS["C21"][0], REFUTES["C21"][1]]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_holds_here_and_fails_there_depends(claim, facts):
    assert verdict(claim, *facts) == "depends"


@pytest.mark.parametrize(
    ("claim", "facts"),
    [
        ("C1", SUPPORTS["C1"][:1]),
        ("C2", [versus("fastapi-uvicorn", "flask-gunicorn-gthread", 3.0, verdict="undecided")]),
        # 97% to 103% of twice: it may be more or less than that.
        ("C2", [versus("fastapi-uvicorn", "flask-gunicorn-gthread", 2.0)]),
        ("C4", SUPPORTS["C4"][:1]),
        ("C4", [SUPPORTS["C4"][0], refuses("fastapi-uvicorn", 1.1, "undecided")]),
        ("C5", SUPPORTS["C5"][:2]),
        ("C9", [answers("flask-gunicorn-gthread", "io-sleep", about(390, 450))]),
        # So much CPU that it would be no faster without a bound: 64 requests of 2.5 ms are 400 a second as well.
        ("C9", [answers("flask-gunicorn-gthread", "io-sleep", 380, cpu_us=2500)]),
        ("C10", [SUPPORTS["C10"][0], *django_against_flask(1.5, 90, 0.9)[:1]]),
        ("C10", [SUPPORTS["C10"][0], django_against_flask(1.5, about(40, 90), 0.9)]),
        ("C14", SUPPORTS["C14"][:1]),
        ("C16", [SUPPORTS["C16"][0], SUPPORTS["C16"][2]]),
        ("C17", SUPPORTS["C17"][1:]),
        ("C17", [fails(target, status="not-measurable") for target in SERVERS]),
        ("C18", layers("different")[:3]),
        ("C21", [beside("fastapi-uvicorn", about(1.5, 6))]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_open_or_missing_supports_nothing(claim, facts):
    judged = result(claim, *facts)
    assert judged.verdict == "not-measured"
    assert judged.command


def test_the_side_of_a_contrast_and_its_metric_are_seen_right():
    for a, b, ratio, metric in (
        ("flask-gunicorn-gthread", "fastapi-uvicorn", 0.4, "throughput"),
        ("fastapi-uvicorn", "flask-gunicorn-gthread", 0.4, "cpu_cost"),
        ("flask-gunicorn-gthread", "fastapi-uvicorn", 3.0, "cpu_cost"),
    ):
        assert verdict("C2", versus(a, b, ratio, metric)) == "supported"


@pytest.mark.parametrize(
    ("claim", "facts"),
    [
        # Starlette is no other framework than the one that it is the base of, and a floor is none.
        ("C2", versus("fastapi-uvicorn", "starlette-uvicorn", 0.3)),
        # What refusing costs another framework, and another step of the ladder than that of a refusal.
        ("C4", refuses("flask-gunicorn-gthread", 0.8)),
        ("C4", versus("fastapi-uvicorn", "flask-gunicorn-gthread", 0.8, "cpu_cost", at="orders-refused")),
        # Another event loop on each side.
        ("C11", versus("fastapi-uvicorn", "tornado-native", 3.0)),
        # More than the interface differs.
        ("C16", versus("fastapi-uvicorn", "flask-gunicorn-gthread", 3.0)),
        # Another parser than h11, and a target without uvloop on either side.
        ("C19", versus("fastapi-uvicorn", "fastapi-uvicorn-zttp", 3.0)),
        ("C19", versus("fastapi-uvicorn-asyncio", "fastapi-uvicorn-h11-asyncio", 3.0)),
        # Gunicorn's own ASGI worker is not Uvicorn's, and h11 is not httptools.
        ("C20", versus("fastapi-gunicorn-asgi", "fastapi-uvicorn", 0.5)),
        ("C20", versus("fastapi-gunicorn-uvicorn", "fastapi-uvicorn-h11", 0.5)),
        # A thread pool is what keeps a blocking call off the loop.
        ("C21", beside("fastapi-threads-uvicorn", about(20, 30))),
        ("C21", beside("flask-gunicorn-gthread", about(20, 30))),
        # A substitution: other input in place of the last.
        ("C18", adds("orders-raw", "items", "different")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_claim_is_not_about_is_no_evidence(claim, facts):
    assert result(claim, facts).evidence == ()


def test_websocket_echoes_count_where_every_block_is_behind():
    probe = probed("tornado-native", "websocket")
    rival = echoes("fastapi-uvicorn-asyncio", 3, 5)
    for low, high, said in ((6, 9, "supported"), (1, 2, "refuted"), (4, 9, "not-measured")):
        assert verdict("C11", probe, rival, echoes("tornado-native", low, high)) == said
    assert (
        verdict(
            "C11",
            probe,
            rival,
            echoes("tornado-native", 6, 9),
            versus("fastapi-uvicorn-asyncio", "tornado-native", 0.8),
        )
        == "depends"
    )


def test_every_kind_of_target_that_a_rule_names_is_declared():
    kinds = {name: value for name, value in vars(judging).items() if isinstance(value, Kind)}
    assert len(kinds) > 10
    assert [name for name, kind in kinds.items() if not any(target in kind for target in RUN.targets)] == []


def everything():
    return with_claims(RUN, found(*(fact for facts in SUPPORTS.values() for fact in facts), *SHOWN))


SHOWN = [
    needs("fastapi_app", "fastapi", 300, "asyncpg"),
    Effort("flask_app", "flask", 26, {"app": 270, "documentation": 275}, {"flask-cors": "6"}),
    Effort("tornado_app", "tornado", 26, {"app": 270, "documentation": 275}, {}),
    bare("tornado", lacks=FAULTS),
    versus("fastapi-uvicorn", "fastapi-sqlalchemy-uvicorn", 0.5, "cpu_cost", at="products"),
    echoes("fastapi-uvicorn-asyncio", 3, 5),
    echoes("tornado-native", 6, 9),
]


@pytest.mark.parametrize("code", ["en", "ko"])
def test_every_claim_has_its_evidence_in_words_and_numbers_of_the_summary(code):
    judged = everything()
    view, document = View(RUN, judged, language(code)), dataclasses.asdict(judged)
    kinds = set()
    for claim in judged.claims:
        assert claim.evidence, claim.id
        for one in claim.evidence:
            kinds.add(one.kind)
            said = evidence_sentence(view, one)
            assert plain(said).endswith("."), (claim.id, one)
            for part in said:
                if isinstance(part, Figure):
                    assert resolve(document, part.path) == part.value
                    assert agrees(part.text, part.value)
    assert kinds == set(EVIDENCE)


def test_every_kind_of_evidence_leads_to_a_section():
    assert {section for section, _ in EVIDENCE.values()} <= {section.id for section in SECTIONS}


def test_documented_facts_stand_outside_of_the_counts():
    shown = claims(View(RUN, everything()))
    assert shown["counted"] == "19 supported"
    assert [claim.id for claim, _ in shown["rows"] if claim.verdict == "documented"] == ["C7", "C12", "C13"]
    assert all(claim.sources for claim, _ in shown["rows"] if claim.verdict == "documented")


def test_an_analysed_run_and_an_empty_one_have_claims():
    run = make_run(blocks=5, rounds=2)
    assert len(summarise(run.manifest, run.records, run.samples).claims) == len(CLAIMS)
    broken = make_run(blocks=5, rounds=2, all_failed=True)
    judged = summarise(broken.manifest, broken.records, broken.samples)
    assert not {claim.verdict for claim in judged.claims} & {"supported", "depends"}


def test_the_introductions_app_is_as_it_shows_it():
    """The digest is of the block of code in the introduction."""
    text = (FOLDER / "first_steps" / "main.py").read_bytes()
    assert text.startswith(b"# main.py\nfrom fastapi import FastAPI\n\napp = FastAPI()\n\n@app.get")
    assert hashlib.sha256(text).hexdigest() == "40c7608ab3448ca05d43d6a9675e103e4adc0596c9bc54ce4e8689c600cfb2c4"


@pytest.mark.parametrize("claim", [claim for claim in CLAIMS if claim.rule], ids=lambda claim: claim.id)
def test_the_command_of_a_claim_measures_what_its_rule_asks_for(claim, monkeypatch):
    """Were everything measured that the command plans, the claim would be judged."""
    monkeypatch.setattr(choose, "missing_for", lambda target: "")
    judged = judging.judge(claim, whole(claim.command))
    assert judged.verdict != "not-measured"
    assert judged.command == ""
