# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Invites: codes with which a person may register once. Each function works within the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from aegis.bridge.accounts import users
from aegis.bridge.accounts.account import Account
from aegis.bridge.accounts.opaque import digest, new_token
from aegis.bridge.accounts.tables import Invite
from aegis.bridge.problem import ProblemError


@dataclass(frozen=True)
class Row:
    """An open invite; times in seconds since 1970."""

    id: int
    role: str
    created_by: str
    created_s: float
    expires_s: float


def make(session: Session, role: str, by: str, now: float, lifetime_s: float) -> tuple[Row, str]:
    """Make an invite; return it with its code, which is kept nowhere.

    Raises:
        ValueError: no such role.
    """
    users.check_role(role)
    code = new_token()
    invite = Invite(digest=digest(code), role=role, created_by=by, created_s=now, expires_s=now + lifetime_s)
    session.add(invite)
    session.flush()
    return _row(invite), code


def listing(session: Session, now: float) -> list[Row]:
    """Return the open invites, the newest first."""
    found = session.scalars(select(Invite).where(Invite.expires_s > now).order_by(Invite.id.desc()))
    return [_row(invite) for invite in found]


def find(session: Session, code: str, now: float) -> Row:
    """Return the open invite of a code.

    Raises:
        ProblemError: 403, there is none.
    """
    return _row(_get(session, code, now))


def use(session: Session, code: str, name: str, password_hash: str, now: float) -> Account:
    """Make the account of an invited person; the invite is used up.

    Raises:
        ProblemError: 403, there is no open invite with that code; 409, a name that is taken.
        ValueError: a name that is not allowed.
    """
    invite = _get(session, code, now)
    session.delete(invite)
    return users.add(session, name, password_hash, invite.role)


def remove(session: Session, invite_id: int) -> None:
    """Withdraw an invite.

    Raises:
        ProblemError: 404, it is not there any more.
    """
    found = session.get(Invite, invite_id)
    if found is None:
        raise ProblemError(404, f"no open invite {invite_id}")
    session.delete(found)


def purge(session: Session, now: float) -> None:
    """Remove the invites that have expired."""
    session.execute(delete(Invite).where(Invite.expires_s <= now))


def _get(session: Session, code: str, now: float) -> Invite:
    found = session.scalar(select(Invite).where(Invite.digest == digest(code), Invite.expires_s > now))
    if found is None:
        raise ProblemError(403, "there is no open invite with that code")
    return found


def _row(invite: Invite) -> Row:
    return Row(invite.id, invite.role, invite.created_by, invite.created_s, invite.expires_s)
