# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Login, refresh and registration."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from aegis.bridge.accounts import invites, sessions, users
from aegis.bridge.accounts.audit_table import DENIED
from aegis.bridge.accounts.login import Attempt, log_in
from aegis.bridge.accounts.scopes import Scope
from aegis.bridge.accounts.sessions import Grant, Refusal
from aegis.bridge.accounts.tokens import Principal, TokenError, bearer_token
from aegis.bridge.bridge import Bridge, bridge_of
from aegis.bridge.http.origin import origin_of
from aegis.bridge.models.accounts import (
    AccountAnswer,
    LoginAnswer,
    LoginRequest,
    Me,
    RefreshRequest,
    RegisterRequest,
    TokenAnswer,
)
from aegis.bridge.problem import ProblemError
from aegis.bridge.routes.access import audited, current_principal
from aegis.bridge.routes.answers import LIMITED, UNAVAILABLE, problem

router = APIRouter(prefix="/api/auth", tags=["accounts"])


@router.post("/login", responses={**problem(401, "wrong username or password"), **LIMITED, **UNAVAILABLE})
async def login(request: Request, who: LoginRequest) -> LoginAnswer:
    """Open a session with a username and a password: an access token, and a refresh token to get the next one with."""
    bridge = bridge_of(request)
    origin = origin_of(request)
    attempt = Attempt(who.username, who.password, who.device_token, origin.address, origin.request_id)
    grant = await log_in(bridge.accounts, bridge.throttle, bridge.devices, attempt)
    device_token = bridge.devices.issue(grant.account.name, bridge.accounts.now())
    return LoginAnswer(**_tokens(bridge, grant), device_token=device_token)


@router.post("/refresh", responses={**problem(401, "the refresh token is not good any more"), **LIMITED, **UNAVAILABLE})
async def refresh(request: Request, what: RefreshRequest) -> TokenAnswer:
    """Use a refresh token up: a new access token, and a new refresh token. One that comes twice ends its session."""
    bridge, accounts = bridge_of(request), bridge_of(request).accounts
    origin = origin_of(request)
    await bridge.throttle.refresh(origin.address)
    result = await accounts.write(
        None, sessions.refresh, what.refresh_token, origin.address, accounts.now(), accounts.settings
    )
    if isinstance(result, Refusal):
        await accounts.audit.refused(
            action="auth.refresh",
            outcome=DENIED,
            who=result.who,
            target=result.session,
            address=origin.address,
            request_id=origin.request_id,
            detail={"reason": result.reason},
        )
        raise ProblemError(401, "the refresh token is not good any more: log in")
    return TokenAnswer(**_tokens(bridge, result))


@router.post(
    "/register",
    responses={
        **problem(403, "neither an open invite, which brings its role, nor an administrator's access token"),
        **problem(409, "the username is taken"),
        **LIMITED,
        **UNAVAILABLE,
    },
)
async def register(request: Request, who: RegisterRequest) -> AccountAnswer:
    """Make an account: with an invite, which gives the role, or with an administrator's access token."""
    bridge, accounts = bridge_of(request), bridge_of(request).accounts
    await bridge.throttle.register(origin_of(request).address)
    if who.invite is None:
        administrator = _administrator(request, bridge)
        hashed = await accounts.passwords.hash_new(who.username, who.password)
        role = who.role or "viewer"
        entry = audited(request, administrator.name, "auth.register", who.username.lower(), role=role)
        account = await accounts.write(entry, users.add, who.username, hashed, role)
    elif who.role is not None:
        raise ProblemError(403, "an invite brings its own role; another one is for an administrator to give")
    else:
        invite = await accounts.read(invites.find, who.invite, accounts.now())
        hashed = await accounts.passwords.hash_new(who.username, who.password)
        name = who.username.lower()
        entry = audited(request, name, "auth.register", name, role=invite.role, invite=invite.id, by=invite.created_by)
        account = await accounts.write(entry, invites.use, who.invite, name, hashed, accounts.now())
    return AccountAnswer.model_validate({"username": account.name, "role": account.role})


@router.get("/me")
async def me(principal: Annotated[Principal, Depends(current_principal)]) -> Me:
    """Return whose token it is."""
    left_s = max(0, int(principal.expires_at - time.time()))
    return Me(username=principal.name, role=principal.role, scopes=sorted(principal.scopes), expires_in=left_s)


def _administrator(request: Request, bridge: Bridge) -> Principal:
    """Return the administrator whose token came with a request to a public route.

    Raises:
        ProblemError: 403, there is no such token.
    """
    try:
        principal = bridge.tokens.verify(bearer_token(request.headers.get("authorization", "")))
    except TokenError:
        principal = None
    if principal is None or Scope.ADMIN not in principal.scopes:
        raise ProblemError(403, "an invite or an administrator's access token is needed")
    return principal


def _tokens(bridge: Bridge, grant: Grant) -> dict[str, Any]:
    """Return the tokens of a session, as `TokenAnswer` has them."""
    account, now = grant.account, bridge.accounts.now()
    return {
        "access_token": bridge.tokens.issue(account, grant.session, grant.session_until_s),
        "expires_in": round(min(bridge.tokens.lifetime_s, grant.session_until_s - now)),
        "refresh_token": grant.refresh_token,
        "refresh_expires_in": round(grant.refresh_until_s - now),
        "role": account.role,
        "scopes": sorted(account.scopes),
    }
