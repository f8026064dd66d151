"""Users, passwords and tokens, free of any framework.

Passwords are checked with Argon2id at the cost that OWASP recommends (19 MiB, 2 passes, 1 lane). An unknown user costs
the same check, against a hash of no password, and gets the same answer.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from apps.contract.inbound import Refused

ALGORITHM = "HS256"
TOKEN_S = 3_600
TIME_COST, MEMORY_KIB, LANES = 2, 19_456, 1

NOT_AUTHENTICATED = "Not authenticated"
BAD_TOKEN = "Could not validate credentials"
BAD_PASSWORD = "Incorrect username or password"
CHALLENGE = (("WWW-Authenticate", "Bearer"),)

_HASHER = PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=LANES)


@dataclass(frozen=True, slots=True)
class Account:
    """A user as others may see it."""

    username: str
    full_name: str
    email: str


ACCOUNTS = {
    "minjun": Account("minjun", "Kim Minjun", "minjun.kim@example.org"),
    "ada": Account("ada", "Ada Lovelace", "ada@example.org"),
}
_HASHES = {
    "minjun": ("$argon2id$v=19$m=19456,t=2,p=1$zCkpc8W281lWFLIqM5WZ3w$lKggMmsHVmLGq2nHfSyqBBQK//2oko1rTLiO+jPEQys"),
    "ada": ("$argon2id$v=19$m=19456,t=2,p=1$7s0CvhV5IjlKVvgC5OCH8Q$JjV66Btz8/7JokQSLKEQ2DcVHNtk3ljYiG4SRiZX6BU"),
}
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$cGADIPVWuGvG+v3ymmMFyw$/7QVKs0wUdi1kUe2Sf+X9aIztFjjwM6mEgLgHwQkUhE"


def authenticate(username: str, password: str) -> Account:
    """The account, refused (401) alike for an unknown user and a wrong password. Takes tens of milliseconds of CPU."""
    try:
        _HASHER.verify(_HASHES.get(username, _NOBODY), password)
        return ACCOUNTS[username]
    except (VerificationError, InvalidHashError, KeyError) as error:
        raise Refused(401, BAD_PASSWORD, CHALLENGE) from error


def issue(account: Account, secret: str) -> dict[str, Any]:
    """Reply of ``POST /auth/token``."""
    now = int(time.time())
    claims = {"sub": account.username, "iat": now, "exp": now + TOKEN_S}
    token = jwt.encode(claims, secret, algorithm=ALGORITHM)
    return {"access_token": token, "token_type": "bearer", "expires_in": TOKEN_S}


def bearer(authorization: str | None) -> str:
    """The token of an ``Authorization`` header; refused (401) where there is none or the scheme is another."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer":
        raise Refused(401, NOT_AUTHENTICATED, CHALLENGE)
    return token.strip()


def account_of(token: str, secret: str) -> Account:
    """Whose token it is; refused (401) when its signature, algorithm, claims or user are not right."""
    try:
        claims = jwt.decode(token, secret, algorithms=[ALGORITHM], options={"require": ["sub", "iat", "exp"]})
        return ACCOUNTS[claims["sub"]]
    except (jwt.InvalidTokenError, KeyError) as error:
        raise Refused(401, BAD_TOKEN, CHALLENGE) from error


def profile(account: Account) -> dict[str, Any]:
    """Reply of ``GET /users/me``."""
    return asdict(account)
