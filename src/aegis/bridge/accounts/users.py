# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Who may log in: names, password hashes and roles. Each function works within the caller's transaction."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aegis.bridge.accounts import sessions
from aegis.bridge.accounts.account import NAME_PATTERN, Account, Credentials
from aegis.bridge.accounts.addresses import subscriber
from aegis.bridge.accounts.scopes import ROLES
from aegis.bridge.accounts.tables import KnownAddress, LoginSession, User
from aegis.bridge.problem import ProblemError


@dataclass(frozen=True)
class Row:
    """An account as administrators see it; times in seconds since 1970."""

    username: str
    role: str
    disabled: bool
    created_s: float
    last_login_s: float | None
    sessions: int


def add(session: Session, name: str, password_hash: str, role: str) -> Account:
    """Add an account.

    Raises:
        ValueError: a name or role that is not allowed.
        ProblemError: 409, a name that is taken, whatever the case of its letters.
    """
    if not re.fullmatch(NAME_PATTERN, name):
        raise ValueError(f"account name '{name}': 1 to 64 letters, digits, dots, dashes and underscores are allowed")
    check_role(role)
    if _find(session, name):
        raise ProblemError(409, f"account '{name}' exists already")
    session.add(User(name=name.lower(), password_hash=password_hash, role=role, created=datetime.now(UTC)))
    return Account(name.lower(), role)


def check_role(role: str) -> None:
    """Refuse a role that does not exist.

    Raises:
        ValueError: naming those that do.
    """
    if role not in ROLES:
        raise ValueError(f"role '{role}': {', '.join(ROLES)} are known")


def count(session: Session) -> int:
    """Return how many accounts there are."""
    return session.scalar(select(func.count()).select_from(User)) or 0


def credentials(session: Session, name: str, address: str, now: float) -> Credentials | None:
    """Return what a login is checked against; None for a name that does not exist."""
    user = _find(session, name)
    home = session.get(KnownAddress, (user.id if user else 0, subscriber(address)))
    if user is None:
        return None
    at_home = home is not None and home.used_s > now - sessions.HOME_S
    return Credentials(Account(user.name, user.role), user.password_hash, user.disabled, at_home)


def listing(session: Session) -> list[Row]:
    """Return every account, by name."""
    open_sessions = select(LoginSession.user_id, func.count().label("n")).group_by(LoginSession.user_id).subquery()
    found = session.execute(
        select(User, open_sessions.c.n).outerjoin(open_sessions, open_sessions.c.user_id == User.id).order_by(User.name)
    )
    return [
        Row(user.name, user.role, user.disabled, _seconds(user.created), user.last_login_s, n or 0) for user, n in found
    ]


def change(
    session: Session, name: str, now: float, *, role: str | None = None, disabled: bool | None = None
) -> Account:
    """Change what an account may do, and end its sessions where that changed; None leaves it as it is.

    Raises:
        ProblemError: 404, no such account; 409, it is the last enabled administrator.
        ValueError: no such role.
    """
    user = get(session, name)
    before = (user.role, user.disabled)
    if role is not None:
        check_role(role)
        user.role = role
    if disabled is not None:
        user.disabled = disabled
    _keep_an_administrator(session)
    if (user.role, user.disabled) != before:
        sessions.revoke_all(session, user, now)
    return Account(user.name, user.role)


def remove(session: Session, name: str, now: float) -> None:
    """Remove an account and end its sessions.

    Raises:
        ProblemError: 404, no such account; 409, it is the last enabled administrator.
    """
    user = get(session, name)
    sessions.revoke_all(session, user, now)
    session.delete(user)
    _keep_an_administrator(session)


def set_password(session: Session, name: str, password_hash: str, now: float) -> None:
    """Replace a password, and end all sessions of the account.

    Raises:
        ProblemError: 404, no such account.
    """
    user = get(session, name)
    user.password_hash = password_hash
    sessions.revoke_all(session, user, now)


def change_own_password(session: Session, checked: Credentials, password_hash: str, now: float, keep: str) -> None:
    """Replace a password that was checked, and end all sessions of the account but `keep`.

    Raises:
        ProblemError: 409, the account was removed or given another password meanwhile.
    """
    user = _find(session, checked.account.name)
    if user is None or user.password_hash != checked.password_hash:
        raise ProblemError(409, "the account has changed meanwhile")
    user.password_hash = password_hash
    sessions.revoke_all(session, user, now, keep=keep)


def get(session: Session, name: str) -> User:
    """Return an account's row.

    Raises:
        ProblemError: 404, no such account.
    """
    user = _find(session, name)
    if user is None:
        raise ProblemError(404, f"no account '{name}'")
    return user


def _find(session: Session, name: str) -> User | None:
    if "\0" in name:  # PostgreSQL would refuse the question
        return None
    return session.scalar(select(User).where(User.name == name.lower()))


def _keep_an_administrator(session: Session) -> None:
    session.flush()
    if not session.scalar(select(func.count()).where(User.role == "admin", User.disabled.is_(False))):
        raise ProblemError(409, "this is the last enabled administrator: make another one first")


def _seconds(moment: datetime) -> float:
    """Return seconds since 1970; SQLite gives back times in UTC without their zone."""
    return moment.replace(tzinfo=UTC).timestamp()
