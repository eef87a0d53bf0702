# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Service tokens: for programs that cannot log in and refresh. Each function works within the caller's transaction."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from aegis.bridge.accounts import sessions
from aegis.bridge.accounts.account import NAME_PATTERN
from aegis.bridge.accounts.opaque import digest, new_token
from aegis.bridge.accounts.scopes import GRANTABLE
from aegis.bridge.accounts.tables import ServiceToken
from aegis.bridge.accounts.tokens import SERVICE, Principal
from aegis.bridge.problem import ProblemError

PREFIX = "aegis_"


@dataclass(frozen=True)
class Row:
    """A service token as administrators see it; times in seconds since 1970."""

    id: int
    name: str
    scopes: list[str]
    created_by: str
    created_s: float
    expires_s: float


def make(session: Session, name: str, scopes: Iterable[str], by: str, now: float, lifetime_s: float) -> tuple[Row, str]:
    """Make a service token; return it with the token itself, which is kept nowhere.

    Raises:
        ValueError: a name or scope that is not allowed.
        ProblemError: 409, a name that is taken.
    """
    wanted = sorted(set(scopes))
    if not re.fullmatch(NAME_PATTERN, name):
        raise ValueError(f"token name '{name}': 1 to 64 letters, digits, dots, dashes and underscores are allowed")
    if not wanted or not GRANTABLE.issuperset(wanted):
        raise ValueError(f"scopes '{' '.join(wanted)}': one or more of {', '.join(sorted(GRANTABLE))} are allowed")
    if session.scalar(select(ServiceToken).where(ServiceToken.name == name.lower())):
        raise ProblemError(409, f"service token '{name}' exists already")
    token = new_token(PREFIX)
    row = ServiceToken(
        name=name.lower(),
        digest=digest(token),
        scopes=wanted,
        created_by=by,
        created_s=now,
        expires_s=now + lifetime_s,
    )
    session.add(row)
    session.flush()
    return _row(row), token


def listing(session: Session) -> list[Row]:
    """Return all service tokens by name, also those that have expired."""
    return [_row(row) for row in session.scalars(select(ServiceToken).order_by(ServiceToken.name))]


def remove(session: Session, token_id: int, now: float) -> None:
    """Revoke a service token.

    Raises:
        ProblemError: 404, no such token.
    """
    row = session.get(ServiceToken, token_id)
    if row is None:
        raise ProblemError(404, f"no service token {token_id}")
    sessions.note_revoked(session, _session_of(row), now)
    session.delete(row)


def principals(session: Session) -> dict[bytes, Principal]:
    """Return the services by the digests of their tokens."""
    return {
        row.digest: Principal(
            name=f"service:{row.name}",
            role=SERVICE,
            scopes=frozenset(row.scopes),
            expires_at=row.expires_s,
            session=_session_of(row),
            kind=SERVICE,
        )
        for row in session.scalars(select(ServiceToken))
    }


def _session_of(row: ServiceToken) -> str:
    return f"service:{row.id}"


def _row(row: ServiceToken) -> Row:
    return Row(row.id, row.name, list(row.scopes), row.created_by, row.created_s, row.expires_s)
