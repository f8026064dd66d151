"""Signing in, and who is signed in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, g, request

from apps.backends import blocking
from apps.contract import inbound, security
from apps.contract.inputs import PasswordForm
from apps.contract.settings import settings
from apps.flask_app.forms import check_form

blueprint = Blueprint("users", __name__)


def token_required(view: Callable[..., Any]) -> Callable[..., Any]:
    """Lets the view be reached with a Bearer token only; whose it is is in ``g.account``."""

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        token = security.bearer(request.headers.get("authorization"))
        g.account = security.account_of(token, settings().jwt_secret)
        return view(*args, **kwargs)

    return checked


@blueprint.post("/auth/token")
def token() -> dict[str, Any]:
    check_form(inbound.FORM)
    form = inbound.read_form(PasswordForm, request.form.getlist)
    account = blocking.authenticate(form.username, form.password)
    return security.issue(account, settings().jwt_secret)


@blueprint.get("/users/me")
@token_required
def me() -> dict[str, Any]:
    return security.profile(g.account)
