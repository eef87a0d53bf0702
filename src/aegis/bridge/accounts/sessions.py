# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Sessions: one login, kept open by a refresh token that changes at every use.

Each function works within the caller's transaction. A refresh token that comes a second time has been copied, by whom cannot
be known: the whole session ends (RFC 9700 section 4.14.2).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from aegis.bridge.accounts.account import Account, Credentials
from aegis.bridge.accounts.addresses import subscriber
from aegis.bridge.accounts.opaque import digest, new_token
from aegis.bridge.accounts.settings import AccountSettings
from aegis.bridge.accounts.tables import KnownAddress, LoginSession, RefreshToken, Revocation, User
from aegis.bridge.problem import ProblemError

DAY_S = 86400.0
# An access token lives no longer (its parameter's bound), after it a revocation of its session is of no use.
REVOCATION_KEPT_S = DAY_S + 3600.0
HOME_S = 30 * DAY_S  # for so long an address stays one from which the account logs in


@dataclass(frozen=True)
class Grant:
    """What a login or a refresh gives; times in seconds since 1970."""

    account: Account
    session: str
    refresh_token: str = field(repr=False)
    refresh_until_s: float  # the refresh token is good until then, if it is not used before
    session_until_s: float


@dataclass(frozen=True)
class Refusal:
    """Why a refresh token is not accepted: unknown, reused, expired."""

    reason: str
    who: str = ""
    session: str = ""


@dataclass(frozen=True)
class Row:
    """An open session as its owner sees it; times in seconds since 1970."""

    id: str
    created_s: float
    last_used_s: float
    expires_s: float
    address: str


def begin(session: Session, checked: Credentials, address: str, now: float, settings: AccountSettings) -> Grant:
    """Open a session for an account whose password was right.

    Raises:
        ProblemError: 409, the account was disabled, removed or given another password or role meanwhile.
    """
    user = session.scalar(select(User).where(User.name == checked.account.name))
    if (
        user is None
        or user.disabled
        or (user.password_hash, user.role) != (checked.password_hash, checked.account.role)
    ):
        raise ProblemError(409, "the account has changed meanwhile")
    user.last_login_s = now
    session.merge(KnownAddress(user_id=user.id, address=subscriber(address), used_s=now))
    row = LoginSession(
        id=secrets.token_hex(16),
        user_id=user.id,
        created_s=now,
        used_s=now,
        expires_s=now + settings.session_days * DAY_S,
        address=address,
    )
    session.add(row)
    session.flush()
    oldest = select(LoginSession.id).where(LoginSession.user_id == user.id).order_by(LoginSession.used_s.desc())
    _revoke(session, list(session.scalars(oldest.offset(settings.sessions_per_account))), now)
    return _grant(session, user, row, now, settings)


def refresh(session: Session, token: str, address: str, now: float, settings: AccountSettings) -> Grant | Refusal:
    """Take a refresh token and give the next one; a token that was used before ends its session."""
    used = session.get(RefreshToken, digest(token))
    if used is None:
        return Refusal("unknown")
    row = session.get_one(LoginSession, used.session_id)
    user = session.get_one(User, row.user_id)
    if used.used:
        _revoke(session, [row.id], now)
        return Refusal("reused", user.name, row.id)
    if now >= min(row.expires_s, row.used_s + settings.session_idle_hours * 3600.0):
        _revoke(session, [row.id], now)
        return Refusal("expired", user.name, row.id)
    used.used = True
    row.used_s = now
    row.address = address
    return _grant(session, user, row, now, settings)


def _grant(session: Session, user: User, row: LoginSession, now: float, settings: AccountSettings) -> Grant:
    token = new_token()
    session.add(RefreshToken(digest=digest(token), session_id=row.id))
    until_s = min(row.expires_s, now + settings.session_idle_hours * 3600.0)
    return Grant(Account(user.name, user.role), row.id, token, until_s, row.expires_s)


def listing(session: Session, name: str) -> list[Row]:
    """Return an account's open sessions, the last used first."""
    found = session.scalars(
        select(LoginSession).join(User).where(User.name == name).order_by(LoginSession.used_s.desc())
    )
    return [Row(row.id, row.created_s, row.used_s, row.expires_s, row.address) for row in found]


def end(session: Session, name: str, session_id: str, now: float) -> None:
    """End one session of an account.

    Raises:
        ProblemError: 404, it has no such session.
    """
    if not session.scalar(select(LoginSession.id).join(User).where(User.name == name, LoginSession.id == session_id)):
        raise ProblemError(404, "no such session")
    log_out(session, session_id, now)


def log_out(session: Session, session_id: str, now: float) -> None:
    """End a session; where it is over already, its access token may still be good, and is not any more."""
    _revoke(session, [session_id], now)


def revoke_all(session: Session, user: User, now: float, *, keep: str = "") -> int:
    """End all sessions of an account but `keep`; return how many."""
    chosen = select(LoginSession.id).where(LoginSession.user_id == user.id, LoginSession.id != keep)
    ids = list(session.scalars(chosen))
    _revoke(session, ids, now)
    return len(ids)


def note_revoked(session: Session, session_id: str, now: float) -> None:
    """Let every bridge on this database know that tokens of a session are no longer good."""
    session.add(Revocation(session=session_id, at_s=now))


def purge(session: Session, now: float, settings: AccountSettings) -> None:
    """Remove expired sessions, old revocations and old addresses."""
    idle_since = now - settings.session_idle_hours * 3600.0
    session.execute(delete(LoginSession).where(or_(LoginSession.expires_s <= now, LoginSession.used_s <= idle_since)))
    session.execute(delete(Revocation).where(Revocation.at_s < now - REVOCATION_KEPT_S))
    session.execute(delete(KnownAddress).where(KnownAddress.used_s < now - HOME_S))


def _revoke(session: Session, ids: list[str], now: float) -> None:
    for session_id in ids:
        note_revoked(session, session_id, now)
    session.execute(delete(LoginSession).where(LoginSession.id.in_(ids)))
