"""Signing in, and who is signed in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.security import OAuth2PasswordBearer

from apps.backends import awaiting
from apps.contract import security
from apps.contract.inputs import PasswordForm
from apps.contract.openapi import TOKEN_URL
from apps.contract.operations import BODY_REFUSALS
from apps.contract.replies import TokenReply, UserReply
from apps.contract.settings import settings
from apps.fastapi_app.body import FormRoute
from apps.fastapi_app.errors import refusals

oauth2 = OAuth2PasswordBearer(TOKEN_URL)

signing_in = APIRouter(route_class=FormRoute)
router = APIRouter()


async def current_account(token: Annotated[str, Depends(oauth2)]) -> security.Account:
    return security.account_of(token, settings().jwt_secret)


@signing_in.post("/auth/token", responses=refusals(*BODY_REFUSALS, 401))
async def token(form: Annotated[PasswordForm, Form()]) -> TokenReply:
    account = await awaiting.authenticate(form.username, form.password)
    return security.issue(account, settings().jwt_secret)


@router.get("/users/me", responses=refusals(401))
async def me(account: Annotated[security.Account, Depends(current_account)]) -> UserReply:
    return security.profile(account)


router.include_router(signing_in)
