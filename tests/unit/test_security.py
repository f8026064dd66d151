"""Passwords and tokens: what is taken, and that everything else is refused alike."""

from __future__ import annotations

import secrets

import jwt
import pytest

from apps.contract import security, tokens
from apps.contract.case import Case
from apps.contract.endpoints import ENDPOINTS
from apps.contract.inbound import Refused
from apps.contract.settings import Settings, settings

SECRET = secrets.token_hex(32)
WRONG = [
    *("expired", "wrong-signature", "wrong-algorithm", "alg-none", "tampered", "no-signature", "no-expiry"),
    *("no-subject", "number-subject", "unknown-user", "not-yet"),
]


def refusal(function, *values):
    with pytest.raises(Refused) as refused:
        function(*values)
    return refused.value.status, refused.value.detail, tuple(refused.value.headers)


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("minjun", "wrong"),
        ("nobody", "correct horse battery staple"),
        ("", ""),
        ("minjun", "\0"),
        ("Minjun", "x" * 128),
    ],
)
def test_wrong_passwords_and_unknown_users_are_refused_alike(username, password):
    expected = (401, "Incorrect username or password", (("WWW-Authenticate", "Bearer"),))
    assert refusal(security.authenticate, username, password) == expected


def test_a_right_password_gives_a_token_that_names_its_user():
    account = security.authenticate("ada", "비밀번호 is not a password")
    reply = security.issue(account, SECRET)
    assert (reply["token_type"], reply["expires_in"]) == ("bearer", 3_600)
    assert security.account_of(reply["access_token"], SECRET) == account
    claims = jwt.decode(reply["access_token"], SECRET, algorithms=["HS256"])
    assert claims["exp"] - claims["iat"] == 3_600


def test_every_hash_has_the_declared_cost():
    for hashed in (*security._HASHES.values(), security._NOBODY):
        assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert set(security._HASHES) == set(security.ACCOUNTS)


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_tokens_are_refused_alike(kind):
    token = tokens.mint(kind, SECRET)
    expected = (401, "Could not validate credentials", (("WWW-Authenticate", "Bearer"),))
    assert refusal(security.account_of, token, SECRET) == expected


def test_a_token_of_another_secret_is_refused():
    assert refusal(security.account_of, tokens.mint("valid", secrets.token_hex(32)), SECRET)[0] == 401


def test_unknown_kinds_of_tokens_are_an_error():
    with pytest.raises(ValueError, match="no token is called 'odd'"):
        tokens.mint("odd", SECRET)


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [("Bearer abc", "abc"), ("bearer abc", "abc"), ("Bearer", ""), ("Bearer  abc ", "abc")],
)
def test_bearer_tokens_are_read(authorization, expected):
    assert security.bearer(authorization) == expected


@pytest.mark.parametrize("authorization", [None, "", "abc", "Basic abc", "Bearerabc"])
def test_other_schemes_are_refused(authorization):
    assert refusal(security.bearer, authorization)[:2] == (401, "Not authenticated")


def test_a_case_gets_its_tokens_when_it_is_sent():
    case: Case = ENDPOINTS["users-me"].case("valid")
    filled = tokens.fill(case, SECRET)
    ((name, value),) = filled.headers
    assert name == "authorization"
    assert security.account_of(value.removeprefix("Bearer "), SECRET).username == "minjun"
    plain = ENDPOINTS["json"].case("valid")
    assert tokens.fill(plain, SECRET) is plain


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("HARNESS_POOL_SIZE", "3")
    monkeypatch.setenv("HARNESS_UPSTREAM_TIMEOUT_S", "0.5")
    monkeypatch.setenv("HARNESS_JWT_SECRET", "")
    settings.cache_clear()
    try:
        found = settings()
        assert (found.pool_size, found.upstream_timeout_s) == (3, 0.5)
        assert len(found.jwt_secret) == 64
        assert found.jwt_secret not in repr(found)
    finally:
        settings.cache_clear()
    assert Settings().jwt_secret != Settings().jwt_secret
