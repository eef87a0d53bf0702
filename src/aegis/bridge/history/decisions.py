# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Decisions in history.db: acknowledgements of threats, entries of the audit, and triggers against changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select

from aegis.bridge.history.records import Decision
from aegis.bridge.history.tables import DECISIONS
from aegis.bridge.live.acknowledgements import KEPT, Acknowledgement
from aegis.core.types import ThreatLevel

THREAT = "threat"  # the kind of a decision by which a person acknowledges a threat
DAYS = "decision_days"  # for how long none can be removed; in the table `state`
_SAME_NS = 60 * 10**9  # the stamps of an imported acknowledgement and of its decision are no farther apart
# As for the audit of accounts: against mistakes and injected statements, not against a person who may write the file.
GUARDS = (
    """
    CREATE TRIGGER IF NOT EXISTS decisions_no_update BEFORE UPDATE ON decisions
    BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END
    """,
    f"""
    CREATE TRIGGER IF NOT EXISTS decisions_no_delete BEFORE DELETE ON decisions
    WHEN OLD.stamp_ns / 1000000000 > CAST(strftime('%s', 'now') AS INTEGER)
      - 86400 * COALESCE((SELECT CAST(CAST(value AS TEXT) AS REAL) FROM state WHERE name = '{DAYS}'), 36500)
    BEGIN SELECT RAISE(ABORT, 'decisions are append-only: this one is not old enough to be removed'); END
    """,
    # INSERT OR REPLACE removes a row without asking the trigger above.
    """
    CREATE TRIGGER IF NOT EXISTS decisions_no_replace BEFORE INSERT ON decisions
    WHEN EXISTS (
      SELECT 1 FROM decisions WHERE id = NEW.id AND (stamp_ns, kind, target_id, who, accept, detail, address, request_id)
        IS NOT (NEW.stamp_ns, NEW.kind, NEW.target_id, NEW.who, NEW.accept, NEW.detail, NEW.address, NEW.request_id)
    )
    BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END
    """,
)


def acknowledgement_of(detail: str, who: str, stamp_ns: int) -> Acknowledgement | None:
    """Return the acknowledgement in a decision on a threat; None where it has no level."""
    content = orjson.loads(detail)
    level = ThreatLevel.__members__.get(str(content.get("level"))) if isinstance(content, dict) else None
    return None if level is None else Acknowledgement(level, who, stamp_ns / 1e9)


def acknowledgements(connection: Connection, since_ns: int = 0) -> dict[int, Acknowledgement]:
    """Return the newest acknowledgements of threats, by track; of those that are not before a time."""
    statement = (
        select(DECISIONS)
        .where(DECISIONS.c.kind == THREAT, DECISIONS.c.accept, DECISIONS.c.stamp_ns >= since_ns)
        .order_by(DECISIONS.c.stamp_ns.desc(), DECISIONS.c.id.desc())
        .limit(KEPT)
    )
    found: dict[int, Acknowledgement] = {}
    for row in connection.execute(statement):
        acknowledgement = acknowledgement_of(row.detail, row.who, row.stamp_ns)
        if acknowledgement:
            found.setdefault(row.target_id, acknowledgement)
    return found


def is_kept(connection: Connection, decision: Decision) -> bool:
    """Return whether an imported acknowledgement is among the decisions already."""
    about = DECISIONS.c.stamp_ns.between(decision.stamp_ns - _SAME_NS, decision.stamp_ns + _SAME_NS)
    statement = select(DECISIONS.c.id).where(
        DECISIONS.c.kind == decision.kind,
        DECISIONS.c.target_id == decision.target_id,
        DECISIONS.c.who == decision.who,
        about,
    )
    return connection.execute(statement).first() is not None


def audited(
    connection: Connection,
    *,
    before: int | None,
    limit: int,
    who: str = "",
    since_s: float | None = None,
    until_s: float | None = None,
) -> Sequence[Row[Any]]:
    """Return the acknowledgements of threats for the audit, the newest first: those with an address.

    Args:
        connection: to the record on this disk.
        before: the number of the last one of the page before.
        limit: how many at most.
        who: of one person; empty for all.
        since_s, until_s: not before, and before, in seconds since 1970.
    """
    time_s = DECISIONS.c.stamp_ns / 1e9  # as it is shown, to the last bit
    chosen = select(DECISIONS).where(DECISIONS.c.kind == THREAT, DECISIONS.c.address.is_not(None))
    if before is not None:
        chosen = chosen.where(DECISIONS.c.number < before)
    if who:
        chosen = chosen.where(DECISIONS.c.who == who)
    if since_s is not None:
        chosen = chosen.where(time_s >= since_s)
    if until_s is not None:
        chosen = chosen.where(time_s < until_s)
    return connection.execute(chosen.order_by(DECISIONS.c.number.desc()).limit(limit)).all()
