# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Service tokens: for programs that cannot log in and refresh, such as a Prometheus server."""

from __future__ import annotations

from fastapi import APIRouter, Request

from aegis.bridge.accounts import service_tokens
from aegis.bridge.bridge import bridge_of
from aegis.bridge.models.admin import ServiceTokenMade, ServiceTokenRequest, ServiceTokenRow, ServiceTokens
from aegis.bridge.routes.access import Administrator, RowId, audited
from aegis.bridge.routes.answers import UNAVAILABLE, problem

router = APIRouter(prefix="/api/service-tokens", tags=["administration"], responses=UNAVAILABLE)


@router.post("", status_code=201, responses=problem(409, "the name is taken"))
async def make(request: Request, what: ServiceTokenRequest, administrator: Administrator) -> ServiceTokenMade:
    """Make a service token, which is shown this once. It is good for REST and as the WebSocket's token."""
    accounts = bridge_of(request).accounts
    entry = audited(
        request,
        administrator.name,
        "service_tokens.make",
        what.name.lower(),
        scopes=sorted(what.scopes),
        valid_days=what.valid_days,
    )
    row, token = await accounts.write(
        entry,
        service_tokens.make,
        what.name,
        what.scopes,
        administrator.name,
        accounts.now(),
        what.valid_days * 86400.0,
    )
    return ServiceTokenMade(**vars(row), token=token)


@router.get("")
async def listing(request: Request, _: Administrator) -> ServiceTokens:
    """List every service token, without the tokens themselves."""
    rows = await bridge_of(request).accounts.read(service_tokens.listing)
    return ServiceTokens(service_tokens=[ServiceTokenRow(**vars(row)) for row in rows])


@router.delete("/{token_id}", status_code=204, responses=problem(404, "no such service token"))
async def revoke(request: Request, token_id: RowId, administrator: Administrator) -> None:
    """Revoke a service token: it is refused from now on, and its WebSockets are closed."""
    accounts = bridge_of(request).accounts
    entry = audited(request, administrator.name, "service_tokens.revoke", str(token_id))
    await accounts.write(entry, service_tokens.remove, token_id, accounts.now())
