# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Invites: who may register."""

from __future__ import annotations

from fastapi import APIRouter, Request

from aegis.bridge.accounts import invites
from aegis.bridge.bridge import bridge_of
from aegis.bridge.models.admin import InviteMade, InviteRequest, InviteRow, Invites
from aegis.bridge.routes.access import Administrator, RowId, audited
from aegis.bridge.routes.answers import UNAVAILABLE, problem

router = APIRouter(prefix="/api/invites", tags=["administration"], responses=UNAVAILABLE)


@router.post("", status_code=201)
async def make(request: Request, what: InviteRequest, administrator: Administrator) -> InviteMade:
    """Make an invite: its code lets a person register once, with its role."""
    accounts = bridge_of(request).accounts
    hours = accounts.settings.invite_hours if what.valid_hours is None else what.valid_hours
    entry = audited(request, administrator.name, "invites.make", role=what.role, valid_hours=hours)
    row, code = await accounts.write(entry, invites.make, what.role, administrator.name, accounts.now(), hours * 3600.0)
    return InviteMade(**vars(row), invite=code)


@router.get("")
async def listing(request: Request, _: Administrator) -> Invites:
    """List the open invites, without their codes."""
    accounts = bridge_of(request).accounts
    rows = await accounts.read(invites.listing, accounts.now())
    return Invites(invites=[InviteRow(**vars(row)) for row in rows])


@router.delete("/{invite_id}", status_code=204, responses=problem(404, "no such open invite"))
async def withdraw(request: Request, invite_id: RowId, administrator: Administrator) -> None:
    """Withdraw an invite."""
    entry = audited(request, administrator.name, "invites.withdraw", str(invite_id))
    await bridge_of(request).accounts.write(entry, invites.remove, invite_id)
