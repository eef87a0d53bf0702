# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The table of the audit: entries are added, read page by page, and removed when their time is over.

Triggers refuse everything else, for every program that opens the file: they guard against mistakes and injected statements, not
against a person who may write the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from aegis.bridge.accounts.tables import AuditEntry, AuditRetention

CONSOLE = "console"  # who works with `aegis users` on the machine itself
BRIDGE = "bridge"  # what happens by itself
OK, FAILED, LIMITED, DENIED = "ok", "failed", "limited", "denied"
REQUESTED = "asked"  # about to be carried out; another entry has the outcome
_MARGIN_S = 60.0  # the triggers' clock counts whole seconds


@dataclass(frozen=True)
class Entry:
    """An act, or an attempt that was refused."""

    action: str  # as `subject.verb`
    who: str = ""  # account, service:NAME, console or bridge; empty where unknown
    target: str = ""
    outcome: str = OK
    address: str = ""
    request_id: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Query:
    """A selection of entries; empty and None is any."""

    limit: int
    before: int | None = None  # the id of the last entry of the page before
    who: str = ""
    action: str = ""
    since_s: float | None = None
    until_s: float | None = None


def append(session: Session, entry: Entry, now: float) -> None:
    """Add an entry; texts that are too long for their column are cut, as the client chooses their length."""
    session.execute(
        insert(AuditEntry).values(
            at_s=now,
            who=_fit(entry.who, 80),
            address=_fit(entry.address, 64),
            request_id=_fit(entry.request_id, 64),
            action=_fit(entry.action, 64),
            target=_fit(entry.target, 256),
            outcome=_fit(entry.outcome, 32),
            detail=entry.detail,
        )
    )


def page(session: Session, query: Query) -> list[AuditEntry]:
    """Return entries, the newest first, and one more than the limit where there are more."""
    chosen = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(query.limit + 1)
    if query.before is not None:
        chosen = chosen.where(AuditEntry.id < query.before)
    if query.who:
        chosen = chosen.where(AuditEntry.who == query.who)
    if query.action:
        chosen = chosen.where(AuditEntry.action == query.action)
    if query.since_s is not None:
        chosen = chosen.where(AuditEntry.at_s >= query.since_s)
    if query.until_s is not None:
        chosen = chosen.where(AuditEntry.at_s < query.until_s)
    return list(session.scalars(chosen))


def keep_for(session: Session, days: int, now: float) -> None:
    """Keep entries for so long from now on, and remove those that are older."""
    session.execute(update(AuditRetention).values(days=days))
    session.execute(delete(AuditEntry).where(AuditEntry.at_s < now - days * 86400.0 - _MARGIN_S))


def _fit(text: str, characters: int) -> str:
    """Return a text that any database takes there: not too long, without halves of surrogate pairs and without NUL."""
    return text[:characters].encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
