# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the API shows of alarms."""

from __future__ import annotations

from collections.abc import Sequence

from aegis.bridge.live.columns import Table, each
from aegis.bridge.live.encoded import EncodedRows
from aegis.core.types import Alarm

ALARM: Table[Sequence[Alarm]] = Table(
    each("id", "integer", lambda a: a.id, example=7),
    each("rule", "text", lambda a: a.rule, "name of the rule that is broken", "no_drones"),
    each("zone", "text or null", lambda a: a.zone or None, "of its zone or asset", "harbour"),
    each("track_id", "integer", lambda a: a.track_id, example=41),
    each("state", "text", lambda a: a.state.name, "ACTIVE, ENDED", "ACTIVE"),
    each("priority", "integer", lambda a: a.priority, "1 is most urgent", 2),
    each("raised_s", "known number", lambda a: round(a.raised_ns / 1e9, 3), "seconds since 1970, in the graph's time"),
    each("ended_s", "number", lambda a: _seconds(a.ended_ns), "null while it is on"),
    each("text", "text", lambda a: a.text, "as it was when it was raised", "inside 'harbour'; DRONE (0.91); 14.2 m/s"),
    each("acknowledged_by", "text or null", lambda a: a.acknowledged_by or None),
    each("shelved_until_s", "number", lambda a: _seconds(a.shelved_until_ns), "null: it is not shelved"),
    each("shelved_by", "text or null", lambda a: a.shelved_by or None),
    each("shelf_reason", "text or null", lambda a: a.shelf_reason or None),
    each("note", "text or null", lambda a: a.note or None, "and who has written it"),
)


def _seconds(stamp_ns: int) -> float | None:
    return round(stamp_ns / 1e9, 3) if stamp_ns else None


def alarm_rows(alarms: Sequence[Alarm]) -> EncodedRows:
    """Return the alarms, those that are on first."""
    return EncodedRows(lambda: ALARM.rows(alarms))
