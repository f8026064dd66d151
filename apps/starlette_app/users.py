"""Signing in, and who is signed in."""

from __future__ import annotations

from starlette.authentication import AuthCredentials, AuthenticationBackend, AuthenticationError, SimpleUser
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from apps.backends import awaiting
from apps.contract import inbound, security
from apps.contract.inputs import PasswordForm
from apps.contract.settings import settings
from apps.starlette_app.forms import read_form


class AccountUser(SimpleUser):
    """Starlette's user, with its account."""

    def __init__(self, account: security.Account) -> None:
        super().__init__(account.username)
        self.account = account


class BearerBackend(AuthenticationBackend):
    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, AccountUser]:
        try:
            token = security.bearer(conn.headers.get("authorization"))
            account = security.account_of(token, settings().jwt_secret)
        except inbound.Refused as error:
            raise AuthenticationError(error.detail) from error
        return AuthCredentials(["authenticated"]), AccountUser(account)


def denied(conn: HTTPConnection, error: Exception) -> Response:
    return JSONResponse({"detail": str(error)}, status_code=401, headers=dict(security.CHALLENGE))


async def token(request: Request) -> JSONResponse:
    form = inbound.read_form(PasswordForm, (await read_form(request)).getlist)
    account = await awaiting.authenticate(form.username, form.password)
    return JSONResponse(security.issue(account, settings().jwt_secret))


async def me(request: Request) -> JSONResponse:
    return JSONResponse(security.profile(request.user.account))


authentication = Middleware(AuthenticationMiddleware, backend=BearerBackend(), on_error=denied)
routes = [
    Route("/auth/token", token, methods=["POST"]),
    Route("/users/me", me, middleware=[authentication]),
]
