# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Administration of accounts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request

from aegis.bridge.accounts import users
from aegis.bridge.accounts.account import NAME_PATTERN
from aegis.bridge.accounts.passwords import new_password
from aegis.bridge.bridge import bridge_of
from aegis.bridge.models.accounts import AccountAnswer
from aegis.bridge.models.admin import NewPassword, UserChange, UserRow, Users
from aegis.bridge.routes.access import Administrator, audited
from aegis.bridge.routes.answers import LIMITED, UNAVAILABLE, problem

Name = Annotated[str, Path(pattern=NAME_PATTERN, description="of the account", examples=["ada"])]
_NO_ACCOUNT = problem(404, "no such account")
_LAST = problem(409, "it is the last enabled administrator")

router = APIRouter(prefix="/api/users", tags=["administration"], responses=UNAVAILABLE)


@router.get("")
async def listing(request: Request, _: Administrator) -> Users:
    """List every account."""
    return Users(users=[UserRow(**vars(row)) for row in await bridge_of(request).accounts.read(users.listing)])


@router.patch("/{name}", responses={**_NO_ACCOUNT, **_LAST})
async def change(request: Request, name: Name, what: UserChange, administrator: Administrator) -> AccountAnswer:
    """Give an account another role, disable or enable it. Its sessions end where that changes anything."""
    accounts = bridge_of(request).accounts
    entry = audited(request, administrator.name, "users.change", name.lower(), **what.model_dump(exclude_none=True))
    account = await accounts.write(entry, users.change, name, accounts.now(), role=what.role, disabled=what.disabled)
    return AccountAnswer.model_validate({"username": account.name, "role": account.role})


@router.delete("/{name}", status_code=204, responses={**_NO_ACCOUNT, **_LAST})
async def remove(request: Request, name: Name, administrator: Administrator) -> None:
    """Remove an account, and end its sessions."""
    accounts = bridge_of(request).accounts
    entry = audited(request, administrator.name, "users.remove", name.lower())
    await accounts.write(entry, users.remove, name, accounts.now())


@router.post("/{name}/reset-password", responses={**_NO_ACCOUNT, **LIMITED})
async def reset_password(request: Request, name: Name, administrator: Administrator) -> NewPassword:
    """Give an account a new random password, which is shown this once, and end its sessions."""
    accounts = bridge_of(request).accounts
    password = new_password()
    hashed = await accounts.passwords.run(accounts.passwords.hash, password)
    entry = audited(request, administrator.name, "users.reset_password", name.lower())
    await accounts.write(entry, users.set_password, name, hashed, accounts.now())
    return NewPassword(username=name.lower(), password=password)
