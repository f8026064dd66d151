"""Tokens, right and wrong, for cases that send one. Made when a case is sent, since they expire and need the secret."""

from __future__ import annotations

import base64
import json
import re
import time
from dataclasses import replace
from typing import Any

import jwt

from apps.contract.case import Case
from apps.contract.security import ALGORITHM

VALID_S = 86_400
OTHER_SECRET = "another secret, which no server of this contract was ever started with, and long enough"

_MARK = re.compile(r"\{token:([a-z-]+)\}")


def fill(case: Case, secret: str) -> Case:
    """``case`` with a token in the place of every ``{token:KIND}`` of its headers."""
    if not any("{token:" in value for _, value in case.headers):
        return case
    headers = tuple((name, _MARK.sub(lambda match: mint(match[1], secret), value)) for name, value in case.headers)
    return replace(case, headers=headers)


def mint(kind: str, secret: str) -> str:
    """A token that is ``valid`` for a day, or wrong in the way that ``kind`` says.

    Raises:
        ValueError: no kind is called so.
    """
    now = int(time.time())
    claims: dict[str, Any] = {"sub": "minjun", "iat": now, "exp": now + VALID_S}
    if kind == "valid":
        return jwt.encode(claims, secret, ALGORITHM)
    if kind in _WRONG_CLAIMS:
        changed = {key: value for key, value in (claims | _WRONG_CLAIMS[kind](now)).items() if value is not None}
        return _signed(changed, secret)
    if kind == "wrong-signature":
        return jwt.encode(claims, OTHER_SECRET, ALGORITHM)
    if kind == "wrong-algorithm":
        return jwt.encode(claims, secret, "HS512")
    if kind == "alg-none":
        return jwt.encode(claims, "", "none")
    if kind == "tampered":
        head, _, signature = jwt.encode(claims, secret, ALGORITHM).split(".")
        return f"{head}.{_part(claims | {'sub': 'ada'})}.{signature}"
    if kind == "no-signature":
        return jwt.encode(claims, secret, ALGORITHM).rpartition(".")[0] + "."
    raise ValueError(f"no token is called {kind!r}")


_WRONG_CLAIMS: dict[str, Any] = {
    "expired": lambda now: {"iat": now - 7_200, "exp": now - 3_600},
    "no-expiry": lambda now: {"exp": None},
    "no-subject": lambda now: {"sub": None},
    "number-subject": lambda now: {"sub": 7},
    "unknown-user": lambda now: {"sub": "nobody"},
    "not-yet": lambda now: {"nbf": now + 3_600},
}


def _signed(claims: dict[str, Any], secret: str) -> str:
    """A signed token of any claims; PyJWT's own ``encode`` refuses to make a wrong one."""
    return jwt.api_jws.encode(json.dumps(claims).encode(), secret, ALGORITHM)


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=").decode()
