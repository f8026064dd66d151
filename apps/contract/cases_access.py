"""Cases of signing in, of tokens, and of CORS."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from apps.contract.case import JSON, Case, Endpoint, fault, get, missing, too_large
from apps.contract.domain import GREETING
from apps.contract.inbound import FORM, MAX_BODY_BYTES
from apps.contract.security import BAD_PASSWORD, BAD_TOKEN, NOT_AUTHENTICATED, TOKEN_S
from apps.contract.settings import ALLOWED_ORIGIN

CHALLENGE = (("www-authenticate", "Bearer"),)
OTHER_ORIGIN = "https://evil.example.net"
ALLOW_ORIGIN = "access-control-allow-origin"
VARIES = (("vary", "Origin"),)


def access() -> tuple[Endpoint, ...]:
    """``/auth/token``, ``/users/me`` and CORS."""
    return _sign_in(), _me(), _cors()


def _sign_in() -> Endpoint:
    right = {"username": "minjun", "password": "correct horse battery staple"}
    token = {"access_token": "", "token_type": "bearer", "expires_in": TOKEN_S}

    def sent(name: str, values: Any, status: int, reply: Any, **changes: Any) -> Case:
        data = values if isinstance(values, bytes) else urlencode(values).encode()
        headers = (("content-type", FORM),)
        return replace(Case(name, "POST", "/auth/token", headers, data, status, JSON, reply, None), **changes)

    def make() -> Case:
        return sent("valid", right, 200, token, volatile=("access_token",))

    def denied(name: str, values: Any) -> Case:
        return sent(name, values, 401, {"detail": BAD_PASSWORD}, reply_headers=CHALLENGE)

    def wrong(name: str, values: Any, *faults: dict[str, Any]) -> Case:
        return sent(name, values, 422, {"detail": list(faults)})

    pattern = "String should match pattern '^password$'"
    other_type = {"detail": "Unsupported Media Type"}
    cases = (
        make(),
        sent("grant", right | {"grant_type": "password", "scope": "me"}, 200, token, volatile=("access_token",)),
        sent(
            "unicode",
            {"username": "ada", "password": "비밀번호 is not a password"},
            200,
            token,
            volatile=("access_token",),
        ),
        denied("wrong-password", right | {"password": "correct horse battery stapler"}),
        denied("unknown-user", right | {"username": "nobody"}),
        denied("case-counts", right | {"username": "Minjun"}),
        denied("sql", right | {"username": "' OR '1'='1"}),
        denied("nul", right | {"username": "minjun\0"}),
        denied("long", {"username": "u" * 1_000, "password": "p" * 1_000}),
        wrong("empty", b"", missing("body", "username"), missing("body", "password")),
        wrong("no-password", {"username": "minjun"}, missing("body", "password")),
        wrong(
            "wrong-grant",
            right | {"grant_type": "client_credentials"},
            fault(("body", "grant_type"), "string_pattern_mismatch", pattern),
        ),
        sent("json", right, 415, other_type, headers=(("content-type", JSON),)),
        sent("no-type", right, 415, other_type, headers=()),
        too_large(
            sent(
                "withheld",
                b"",
                413,
                None,
                headers=(("content-type", FORM), ("content-length", str(MAX_BODY_BYTES + 1))),
                withhold=True,
            )
        ),
    )
    return Endpoint("auth-token", "POST", "/auth/token", "signs in: Argon2 in, JWT out", cases, make)


def _me() -> Endpoint:
    path = "/users/me"
    user = {"username": "minjun", "full_name": "Kim Minjun", "email": "minjun.kim@example.org"}

    def make() -> Case:
        return replace(get("valid", path, user), headers=(("authorization", "Bearer {token:valid}"),))

    def denied(name: str, authorization: str | None, detail: str) -> Case:
        headers = () if authorization is None else (("authorization", authorization),)
        case = get(name, path, {"detail": detail})
        return replace(case, status=401, headers=headers, reply_headers=CHALLENGE)

    wrong = (
        "expired wrong-signature wrong-algorithm alg-none tampered no-signature no-expiry no-subject number-subject "
        "unknown-user not-yet"
    )
    cases = (
        make(),
        replace(make(), name="scheme-in-lower-case", headers=(("authorization", "bearer {token:valid}"),)),
        denied("missing", None, NOT_AUTHENTICATED),
        denied("basic", "Basic bWluanVuOng=", NOT_AUTHENTICATED),
        denied("bare", "{token:valid}", NOT_AUTHENTICATED),
        denied("malformed", "Bearer not.a.token", BAD_TOKEN),
        denied("no-token", "Bearer", BAD_TOKEN),
        denied("two-tokens", "Bearer {token:valid} {token:valid}", BAD_TOKEN),
        *(denied(kind, f"Bearer {{token:{kind}}}", BAD_TOKEN) for kind in wrong.split()),
    )
    return Endpoint("users-me", "GET", path, "whose token it is", cases, make)


def _cors() -> Endpoint:
    allowed = ((ALLOW_ORIGIN, ALLOWED_ORIGIN),)

    def simple(name: str, origin: str, *, path: str = "/json", reply: Any = None, status: int = 200) -> Case:
        case = get(name, path, reply or {"message": GREETING})
        case = replace(case, headers=(("origin", origin),) if origin else (), status=status, reply_headers=VARIES)
        if origin == ALLOWED_ORIGIN:
            return replace(case, reply_headers=(*allowed, *VARIES))
        return replace(case, absent_headers=(ALLOW_ORIGIN,))

    def preflight(name: str, origin: str, path: str, method: str, header: str = "") -> Case:
        headers = [("origin", origin), ("access-control-request-method", method)]
        headers += [("access-control-request-headers", header)] if header else []
        case = Case(name, "OPTIONS", path, tuple(headers), b"", 200, "", None, b"", preflight=True)
        if origin != ALLOWED_ORIGIN:
            return replace(case, absent_headers=(ALLOW_ORIGIN,), reply_headers=VARIES)
        more = [("access-control-allow-methods", method)]
        more += [("access-control-allow-headers", header)] if header else []
        return replace(case, reply_headers=(*allowed, *more, *VARIES))

    mine, other = ALLOWED_ORIGIN, OTHER_ORIGIN
    cases = (
        simple("simple", mine),
        simple("simple-none", ""),
        simple("simple-other", other),
        simple("simple-null", "null"),
        simple("simple-suffix", f"{mine}.evil.example.net"),
        simple("simple-insecure", mine.replace("https", "http")),
        simple("refused", mine, path="/nowhere", reply={"detail": "Not Found"}, status=404),
        preflight("preflight-get", mine, "/json", "GET"),
        preflight("preflight-post", mine, "/orders/validated", "POST", "Content-Type"),
        preflight("preflight-token", mine, "/users/me", "GET", "Authorization"),
        preflight("preflight-other", other, "/json", "GET"),
        preflight("preflight-other-post", other, "/orders/validated", "POST", "Content-Type"),
    )
    return Endpoint("cors", "", "", "one other origin is admitted", cases)
