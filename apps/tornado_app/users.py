"""Signing in, and who is signed in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps

from tornado.httputil import HTTPInputError, HTTPServerRequest, parse_body_arguments

from apps.backends import awaiting
from apps.contract import inbound, security
from apps.contract.inputs import PasswordForm
from apps.contract.settings import settings
from apps.tornado_app.base import ApiHandler, BodyHandler

Method = Callable[[ApiHandler], Awaitable[None]]


def token_required(method: Method) -> Method:
    """Lets the method be reached with a Bearer token only; whose it is becomes the ``current_user``."""

    @wraps(method)
    async def checked(self: ApiHandler) -> None:
        token = security.bearer(self.request.headers.get("Authorization"))
        self.current_user = security.account_of(token, settings().jwt_secret)
        await method(self)

    return checked


def read_arguments(request: HTTPServerRequest, body: bytes) -> HTTPServerRequest:
    """The request, with the arguments and files of a body that was received piece by piece."""
    content_type = request.headers.get("Content-Type", "")
    try:
        parse_body_arguments(content_type, body, request.body_arguments, request.files)
    except HTTPInputError as error:
        raise inbound.Refused(400, inbound.MALFORMED_FORM) from error
    return request


class Token(BodyHandler):
    async def take(self, body: bytes) -> None:
        inbound.check_form(self.request.headers.get("Content-Type"), None)
        read_arguments(self.request, body)
        form = inbound.read_form(PasswordForm, lambda name: self.get_body_arguments(name, strip=False))
        account = await awaiting.authenticate(form.username, form.password)
        self.finish(security.issue(account, settings().jwt_secret))


class Me(ApiHandler):
    @token_required
    async def get(self) -> None:
        self.finish(security.profile(self.current_user))


routes = [(r"/auth/token", Token), (r"/users/me", Me)]
