# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""One's own account: sessions, password, tickets for the WebSocket."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from aegis.bridge.accounts import sessions, tickets, users
from aegis.bridge.accounts.tokens import Principal
from aegis.bridge.bridge import bridge_of
from aegis.bridge.http.origin import origin_of
from aegis.bridge.models.accounts import PasswordChange, SessionRow, Sessions, Ticket
from aegis.bridge.problem import ProblemError
from aegis.bridge.routes.access import Person, audited, current_principal
from aegis.bridge.routes.answers import LIMITED, UNAVAILABLE, problem

router = APIRouter(prefix="/api/auth", tags=["accounts"], responses=UNAVAILABLE)
_PERSON = problem(403, "it is a service token, which has no session")


@router.post("/logout", status_code=204, responses=_PERSON)
async def logout(request: Request, person: Person) -> None:
    """End this session: its tokens are refused from now on, and its WebSockets closed."""
    accounts = bridge_of(request).accounts
    entry = audited(request, person.name, "auth.logout", person.session)
    await accounts.write(entry, sessions.log_out, person.session, accounts.now())


@router.post(
    "/password",
    status_code=204,
    responses={
        **problem(403, "the old password is wrong, or it is a service token"),
        **problem(409, "the account has changed meanwhile"),
        **LIMITED,
    },
)
async def change_password(request: Request, person: Person, change: PasswordChange) -> None:
    """Change one's own password, and end all other sessions."""
    bridge, accounts = bridge_of(request), bridge_of(request).accounts
    address, now = origin_of(request).address, accounts.now()
    await bridge.throttle.attempt(person.name, address)
    current = await accounts.read(users.credentials, person.name, address, now)
    hashed = current.password_hash if current else None
    right = await accounts.passwords.run(accounts.passwords.verify, change.old, hashed)
    if current is None or not right:
        raise ProblemError(403, "the old password is wrong")
    new = await accounts.passwords.hash_new(person.name, change.new)
    entry = audited(request, person.name, "auth.password", person.name)
    await accounts.write(entry, users.change_own_password, current, new, now, person.session)
    await bridge.throttle.succeeded(person.name, address)


@router.get("/sessions", responses=_PERSON)
async def own_sessions(request: Request, person: Person) -> Sessions:
    """List one's own open sessions."""
    found = await bridge_of(request).accounts.read(sessions.listing, person.name)
    return Sessions(sessions=[SessionRow(**vars(row), current=row.id == person.session) for row in found])


@router.delete(
    "/sessions/{session_id}", status_code=204, responses={**_PERSON, **problem(404, "no such session of one's own")}
)
async def end_session(
    request: Request, person: Person, session_id: Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
) -> None:
    """End one of one's own sessions."""
    accounts = bridge_of(request).accounts
    entry = audited(request, person.name, "auth.end_session", session_id)
    await accounts.write(entry, sessions.end, person.name, session_id, accounts.now())


@router.post("/ws-ticket", responses=LIMITED)
async def ws_ticket(request: Request, principal: Annotated[Principal, Depends(current_principal)]) -> Ticket:
    """Give a ticket for the WebSocket, good once and for 30 s: for clients that must not keep the token at hand."""
    ticket = await bridge_of(request).tickets.issue(principal)
    return Ticket(ticket=ticket, expires_in=round(tickets.LIFETIME_S))
