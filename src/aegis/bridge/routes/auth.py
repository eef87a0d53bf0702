"""Logging in."""

from __future__ import annotations

import logging
import time
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request

from aegis.bridge.accounts.store import BusyError
from aegis.bridge.accounts.tokens import Principal
from aegis.bridge.context import bridge_of
from aegis.bridge.models.accounts import LoginAnswer, LoginRequest, Me
from aegis.bridge.models.common import Problem
from aegis.bridge.routes.access import current_principal
from aegis.bridge.routes.answers import DENIED

router = APIRouter(prefix="/api/auth", tags=["accounts"])
_log = logging.getLogger(__name__)


@router.post(
    "/login",
    responses={
        400: {"model": Problem, "description": "not a username and a password"},
        401: {"model": Problem, "description": "wrong username or password"},
        429: {"model": Problem, "description": "too many attempts; Retry-After says when to come back"},
    },
)
async def login(request: Request, who: LoginRequest) -> LoginAnswer:
    """Give an access token for a username and a password."""
    bridge = bridge_of(request)
    address = request.client.host if request.client else "unknown"
    wait_s = bridge.throttle.attempt(who.username, address)
    if wait_s:
        _log.warning("login refused from %s: too many attempts", address)
        raise HTTPException(429, "too many login attempts", {"Retry-After": str(wait_s)})
    try:
        account = await bridge.accounts.authenticate(who.username, who.password)
    except BusyError:
        raise HTTPException(429, "too many logins at a time", {"Retry-After": "1"}) from None
    if account is None:
        _log.warning("login failed from %s", address)
        raise HTTPException(401, "wrong username or password", {"WWW-Authenticate": "Bearer"})
    bridge.throttle.succeeded(who.username)
    _log.info("'%s' logged in from %s", account.name, address)
    return LoginAnswer(
        access_token=bridge.tokens.issue(account),
        expires_in=round(bridge.tokens.lifetime_s),
        role=account.role,
        scopes=sorted(account.scopes),
    )


@router.get("/me", responses=DENIED)
async def me(principal: Annotated[Principal, Depends(current_principal)]) -> Me:
    """Say who the token speaks for."""
    left_s = max(0, int(principal.expires_at - time.time()))
    return Me(username=principal.name, scopes=sorted(principal.scopes), expires_in=left_s)
