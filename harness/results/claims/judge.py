"""Every claim of an introduction to FastAPI, with its rule and what to run to have it judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from harness.model import Manifest
from harness.results.claims.facts import CPU, THROUGHPUT, Case, Facts, Kind
from harness.results.claims.rules import (
    Part,
    any_of,
    better,
    bundled,
    each_of,
    full_against_lesser,
    heavier,
    layer,
    needed,
    probe,
    runs,
    same_framework,
    same_interface,
    same_loop,
    same_parts,
    served,
    shorter,
    slower_echo,
    suffers,
    together,
    untouched,
    waits,
)
from harness.results.summary import ClaimResult, ClaimVerdict, Evidence, Summary

FAR = 2.0
"""How many times faster "far faster" is."""
SHOWN = 6
"""Cases of a part that are all shown as evidence; of more, those at the ends."""

WSGI, ASGI = Kind(interfaces=("wsgi",)), Kind(interfaces=("asgi",))
FASTAPI, TORNADO = Kind(("fastapi",), reference=True), Kind(("tornado",))
ANY_FASTAPI = Kind(("fastapi",))
IN_THREADS = Kind(("fastapi",), name="fastapi-threads-*")
SQLALCHEMY, TORTOISE = Kind(name="fastapi-sqlalchemy-*"), Kind(name="fastapi-tortoise-*")
OTHERS = Kind(("flask", "django", "tornado"), reference=True)
DJANGO, LIGHT = Kind(("django",), reference=True), Kind(("flask", "fastapi", "starlette"), reference=True)
ASYNC = Kind(interfaces=("asgi", "native"), reference=True)
MODERN = Kind(("fastapi", "starlette"), ("asgi",))
UVICORN, UNDER_GUNICORN = Kind(interfaces=("asgi",), server="uvicorn"), Kind(name="*-gunicorn-uvicorn")
FULL_UVICORN = Kind(interfaces=("asgi",), server="uvicorn", name="*-uvicorn")
SMALL = ("json", "plaintext", "items")
TYPED = ("type-fault", "serialization", "openapi")
FAULTS = ("path-fault", "missing-fault", "type-fault")


@dataclass(frozen=True, slots=True)
class Claim:
    """What is said, and what answers it.

    Attributes:
        rule: what the claim says, part by part; empty for a documented fact.
        command: what to run where the run has nothing of some part.
        shows: evidence that goes with it and decides nothing.
        sources: where it is documented.
    """

    id: str
    rule: tuple[Part, ...]
    command: str
    shows: tuple[Part, ...]
    sources: tuple[str, ...]


def _claim(id_: str, *rule: Part, run: str = "", shows: Iterable[Part] = (), sources: tuple[str, ...] = ()) -> Claim:
    return Claim(id_, rule, f"harness run {run}" if run else "", tuple(shows), sources)


CLAIMS: tuple[Claim, ...] = (
    _claim(
        "C1",
        untouched("fastapi", *TYPED),
        shorter("untouched.with_fastapi", "untouched.with_django_ninja", "untouched.with_flask_openapi3"),
        run="-s json -t '*'",
        shows=(
            *(untouched(name, *TYPED) for name in ("django_ninja", "flask_openapi3")),
            needed("fastapi_app", "flask_app", "django_app.wsgi"),
        ),
    ),
    _claim(
        "C2",
        better(FASTAPI, OTHERS, ("json", "orders-validated", "products"), factor=FAR),
        run="-s json -s orders-validated -s products",
    ),
    _claim(
        "C3",
        untouched("fastapi", "docs", "redoc"),
        run="-s json -t 'fastapi-*'",
        shows=[needed("flask_app", "django_app.wsgi", "tornado_app")],
    ),
    _claim(
        "C4",
        untouched("fastapi", *FAULTS),
        better(FASTAPI, FASTAPI, ("orders-refused",), CPU, ties=True, against="orders-validated"),
        run="-s orders-validated -s orders-refused",
        shows=(untouched(name, "missing-fault") for name in ("django_ninja", "flask", "django", "tornado")),
    ),
    _claim(
        "C5",
        each_of(
            waits(FASTAPI, "io-db", beyond=True),
            served(FASTAPI, "io-file"),
            waits(FASTAPI, "io-upstream", beyond=True),
        ),
        run="-s io-db -s io-file -s io-upstream -t fastapi-uvicorn",
    ),
    _claim(
        "C6",
        each_of(
            *(bundled("jwt", ANY_FASTAPI, package) for package in ("multipart", "argon2", "jwt")),
            bundled("cors", ANY_FASTAPI, "cors"),
        ),
        run="-s json -t 'fastapi-*'",
    ),
    _claim(
        "C7", shows=[needed("fastapi_app", kind="packages")], sources=("https://fastapi.tiangolo.com/external-links/",)
    ),
    _claim(
        "C8",
        together(probe("jwt", FASTAPI), served(FASTAPI, "dependency")),
        run="-s orders-full -s dependency -t fastapi-uvicorn",
        shows=[layer(("fastapi", "dependency"), ("fastapi", "orders-full"))],
    ),
    _claim("C9", waits(Kind(("flask",), ("wsgi",)), "io-*", beyond=False), run="-s io-sleep -t 'flask-*'"),
    _claim(
        "C10",
        waits(Kind(("django",), ("wsgi",)), "io-*", beyond=False),
        each_of(
            better(LIGHT, DJANGO, SMALL, CPU, alike=same_interface),
            heavier(DJANGO, LIGHT, "rss_bytes", same_interface),
            heavier(DJANGO, LIGHT, "startup_s", same_interface),
        ),
        run="-s json -s io-sleep",
    ),
    _claim(
        "C11",
        probe("websocket", TORNADO),
        together(better(MODERN, TORNADO, SMALL, alike=same_loop), slower_echo(TORNADO, MODERN, same_loop)),
        run="-s json -s connections -t 'tornado-*' -t 'fastapi-uvicorn*'",
    ),
    _claim(
        "C12",
        shows=(needed("tornado_app"), untouched("tornado", *FAULTS)),
        sources=("https://www.tornadoweb.org/en/stable/guide/structure.html",),
    ),
    _claim(
        "C13",
        shows=(better(FASTAPI, orm, ("products",), CPU) for orm in (SQLALCHEMY, TORTOISE)),
        sources=("https://fastapi.tiangolo.com/tutorial/sql-databases/",),
    ),
    _claim(
        "C14",
        each_of(suffers(FASTAPI), any_of(suffers(IN_THREADS), better(FASTAPI, IN_THREADS, ("json",), CPU))),
        run="-s neighbours -s json -t fastapi-uvicorn -t fastapi-threads-uvicorn",
    ),
    _claim("C15", waits(WSGI, "io-*", beyond=False), run="-s io-sleep -t '*-gunicorn-*'"),
    _claim(
        "C16",
        probe("websocket", ASGI),
        each_of(
            better(ASGI, WSGI, ("io-*",), THROUGHPUT, alike=same_framework),
            better(ASGI, WSGI, ("json",), alike=same_framework),
        ),
        run="-s json -s io-sleep -t 'django-*'",
    ),
    _claim(
        "C17",
        each_of(
            *(runs(server, "wsgi") for server in ("uwsgi", "gunicorn", "mod_wsgi")),
            *(runs(server, "asgi") for server in ("daphne", "uvicorn", "hypercorn")),
        ),
        run="-s json -t '*'",
    ),
    _claim(
        "C18",
        each_of(
            layer(("fastapi", "json"), ("starlette", "json")),
            layer(("fastapi", "orders-validated"), ("fastapi", "orders-raw")),
            layer(("fastapi", "orders-full"), ("fastapi", "orders-validated")),
            layer(("fastapi", "dependency"), ("fastapi", "orders-full")),
        ),
        run="--profile standard -s json -s 'orders-*' -s dependency",
    ),
    _claim(
        "C19",
        better(FULL_UVICORN, UVICORN, ("json",), alike=full_against_lesser),
        run="-s json -t 'fastapi-uvicorn*'",
    ),
    _claim(
        "C20",
        better(UNDER_GUNICORN, UVICORN, ("json",), ties=True, alike=same_parts),
        run="-s json -t fastapi-uvicorn -t fastapi-gunicorn-uvicorn",
        sources=("https://github.com/Kludex/uvicorn-worker",),
    ),
    _claim("C21", suffers(ASYNC), run="-s neighbours"),
    _claim("C22", untouched("first_steps", "docs", "redoc"), run="-s json -t fastapi-uvicorn"),
)


def with_claims(manifest: Manifest, summary: Summary) -> Summary:
    """The summary with what it says of every claim."""
    facts = Facts(manifest, summary)
    return replace(summary, claims=tuple(judge(claim, facts) for claim in CLAIMS))


def judge(claim: Claim, facts: Facts) -> ClaimResult:
    """A part that fails refutes the claim, whatever becomes of the others; all must hold to support it."""
    parts = [part(facts) for part in claim.rule]
    known = [[case.holds for case in part if case.holds is not None] for part in parts]
    whole = all(known)
    verdict: ClaimVerdict = "documented"
    if claim.rule:
        if any(part and not any(part) for part in known):
            verdict = "refuted"
        elif any(not all(part) for part in known):
            verdict = "depends"
        else:
            verdict = "supported" if whole else "not-measured"
    shown = [*parts, *(part(facts) for part in claim.shows)]
    evidence = dict.fromkeys(one for part in shown for one in _representative(part))
    return ClaimResult(claim.id, verdict, tuple(evidence), "" if whole else claim.command, claim.sources)


def _representative(cases: Sequence[Case]) -> list[Evidence]:
    """All of a few; of many, the first and the last that hold and that do not, or of those that are open."""
    if len(cases) <= SHOWN:
        return [one for case in cases for one in case.evidence]
    evidence: list[Evidence] = []
    for kind in (True, False, None):
        same = [case for case in cases if case.holds is kind]
        if same and (kind is not None or not evidence):
            evidence += [one for case in dict.fromkeys((same[0], same[-1])) for one in case.evidence]
    return evidence
