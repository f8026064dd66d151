"""Every claim with its rule, and what to run to have it tested."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from harness.analyse.claims import apps, layers, load
from harness.analyse.claims.facts import Facts, Finding
from harness.analyse.summary import ClaimResult, Summary
from harness.model import Manifest


@dataclass(frozen=True, slots=True)
class Claim:
    """``command`` is what to run where the rule finds nothing to go by."""

    id: str
    rule: Callable[[Facts], Finding | None]
    command: str


CLAIMS: tuple[Claim, ...] = (
    Claim("C1", apps.hints_alone, "harness run -s json -t '*'"),
    Claim("C2", load.far_faster, "harness run -s json -s items -s products"),
    Claim("C3", apps.pages_without_work, "harness run -t 'fastapi-*'"),
    Claim("C4", apps.clear_errors, "harness run -s orders-refused -t '*'"),
    Claim("C5", load.async_io, "harness run -s 'io-*' -t 'fastapi-*'"),
    Claim("C6", apps.security_in_the_box, "harness run -t 'fastapi-*'"),
    Claim("C7", apps.extended_by_packages, "harness run -t 'fastapi-*'"),
    Claim("C8", layers.dependencies_resolve, "harness run -s dependency -s orders-full -t 'fastapi-*'"),
    Claim("C9", load.flask_is_synchronous, "harness run -s io-sleep -t 'flask-*'"),
    Claim("C10", load.django_is_heavy, "harness run -s json -s io-sleep -t 'django-*' -t 'flask-*'"),
    Claim("C11", load.tornado_falls_behind, "harness run -s json -t 'tornado-*' -t 'fastapi-*' -t 'starlette-*'"),
    Claim("C12", apps.nothing_automatic, "harness run -t 'tornado-*'"),
    Claim("C13", apps.no_orm, "harness run -s products -t 'fastapi-*'"),
    Claim("C15", load.one_at_a_time, "harness run -s io-sleep -t '*-gunicorn-*'"),
    Claim("C16", load.many_at_once, "harness run -s io-sleep -t 'django-*'"),
    Claim("C17", load.servers_run, "harness run -s json -t '*'"),
    Claim("C18", layers.seven_stages, "harness run --profile standard -s json -s items -s 'orders-*' -s dependency"),
    Claim("C19", load.fast_parts, "harness run -s json -t 'fastapi-uvicorn*'"),
    Claim("C20", load.under_gunicorn, "harness run -s json -t 'fastapi-*'"),
    Claim("C22", apps.at_once, "harness run -t fastapi-uvicorn"),
)


def with_claims(manifest: Manifest, summary: Summary) -> Summary:
    """The summary with what it says of every claim."""
    facts = Facts(manifest, summary)
    return replace(summary, claims=tuple(_judge(claim, facts) for claim in CLAIMS))


def _judge(claim: Claim, facts: Facts) -> ClaimResult:
    found = claim.rule(facts)
    if found is None:
        return ClaimResult(claim.id, "not-tested", (), claim.command)
    return ClaimResult(claim.id, found.verdict, found.evidence, "" if found.whole else claim.command)
