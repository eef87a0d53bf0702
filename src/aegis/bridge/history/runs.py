# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Of which run a row of the past is, and whether that run lived then or played a recording of then later.

A row whose receipt was about at its stamp (`received_ns` is null) is of a run that lived then. Events name their run; a picture and
its assessments are of the run whose tracker said so by an event of the same stamp.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, FromClause, Table, and_, literal, or_, select

from aegis.bridge.history.tables import DECISIONS, EVENTS
from aegis.core.events import TrackingUpdated

NEAR_NS = 12_000_000_000  # a sensor that scans more slowly leaves gaps
_TOGETHER_NS = 10_000_000_000  # within which a picture and the event on it are received
_UPDATE = EVENTS.alias("an_update")  # of the tracks, by this site's tracker
_OF_TRACKER = and_(_UPDATE.c.name == TrackingUpdated.name, _UPDATE.c.site.is_(None))
_run = _UPDATE.c.run_id.concat("")  # not the column itself: its index would have all of the run read


def shown(table: Table, run_id: str | None = None) -> ColumnElement[bool]:
    """Return the condition of the rows that are shown of a time: those of a run that lived then.

    What was played later is shown where no run lived then, from 12 s before its stamp to 12 s after it. Late events of the run that
    lived then are its own: they waited for the bridge. So are events that an uplink has brought.

    Args:
        table: of the history.
        run_id: show what is of this run, whenever it was received.
    """
    if table is DECISIONS:  # people decide when they do
        return literal(True)
    if run_id is not None:
        return table.c.run_id == run_id if table is EVENTS else _of_run(table, run_id)
    lived = (
        select(1)
        .select_from(_UPDATE)
        .where(
            _OF_TRACKER,
            _UPDATE.c.received_ns.is_(None),
            _UPDATE.c.stamp_ns >= table.c.stamp_ns - NEAR_NS,
            _UPDATE.c.stamp_ns <= table.c.stamp_ns + NEAR_NS,
        )
        .correlate(table)
    )
    on_time = table.c.received_ns.is_(None)
    if table is not EVENTS:
        return or_(on_time, ~lived.exists())
    its_own = lived.where(_run == table.c.run_id)
    return or_(on_time, table.c.site.is_not(None), ~lived.exists(), its_own.exists())


def runs_of(connection: Connection, from_ns: int, to_ns: int) -> list[str]:
    """Return the runs whose trackers have something on record of a time, in the order of their names."""
    when = _UPDATE.c.stamp_ns
    found = select(_UPDATE.c.run_id).where(_OF_TRACKER, when >= from_ns, when <= to_ns).distinct()
    return sorted(connection.execute(found).scalars())


def run_of(connection: Connection, stamp_ns: int, received_ns: int | None) -> str | None:
    """Return the run of a picture; None where no event tells it."""
    same = _UPDATE.c.stamp_ns == stamp_ns
    found = select(_UPDATE.c.run_id).where(_OF_TRACKER, same, together(_UPDATE, received_ns))
    return connection.execute(found.order_by(_UPDATE.c.id.desc()).limit(1)).scalar()


def together(table: FromClause, received_ns: int | None) -> ColumnElement[bool]:
    """Return the condition of the rows, all of one stamp, that were received together with one of that time of receipt."""
    received = table.c.received_ns
    if received_ns is None:
        return received.is_(None)
    return received.between(received_ns - _TOGETHER_NS, received_ns + _TOGETHER_NS)


def _of_run(table: Table, run_id: str) -> ColumnElement[bool]:
    theirs, ours = _UPDATE.c.received_ns, table.c.received_ns
    received = or_(and_(theirs.is_(None), ours.is_(None)), theirs.between(ours - _TOGETHER_NS, ours + _TOGETHER_NS))
    same = and_(_UPDATE.c.stamp_ns == table.c.stamp_ns, _run == run_id, received)
    return select(1).select_from(_UPDATE).where(_OF_TRACKER, same).correlate(table).exists()
