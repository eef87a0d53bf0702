# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Queries: from a time window and filters to a page of rows, as the JSON of the endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from sqlalchemy import Column, Connection, Row, Select, Table, select

from aegis.bridge.history.paging import Page, page
from aegis.bridge.history.runs import shown
from aegis.bridge.history.tables import (
    ALARMING_EVENTS,
    ALARMING_THREATS,
    DECISIONS,
    EVENTS,
    SIGMA_COLUMNS,
    STATE_COLUMNS,
    THREATS,
    TRACK_SAMPLES,
)
from aegis.bridge.live.columns import ASSESSMENT, join
from aegis.bridge.live.history_columns import SAMPLE, SCAN, Samples, Scans
from aegis.bridge.models.history import DecisionQuery, EventQuery, RunQuery, ThreatQuery, Window
from aegis.core.events import Severity
from aegis.core.types import Floats, Ints, ThreatLevel, Threats


@dataclass(frozen=True)
class Found:
    """A page: how many items, their JSON array, and the cursor of the next page."""

    count: int
    items: bytes
    next_cursor: str | None


def threats(connection: Connection, query: ThreatQuery) -> Found:
    """Return assessments."""
    statement = _within(THREATS, query)
    if query.track_id is not None:
        statement = statement.where(THREATS.c.track_id == query.track_id)
    if query.level:
        statement = statement.where(THREATS.c.level.in_(set(query.level)))
        if min(query.level) >= ThreatLevel.HIGH:
            statement = statement.where(ALARMING_THREATS)
    if query.class_name:
        statement = statement.where(THREATS.c.class_id.in_(set(query.class_name)))
    key = (THREATS.c.stamp_ns, THREATS.c.sensor_id, THREATS.c.track_id)
    found = page(connection, statement, key, query.cursor, query.limit)
    rows = found.rows
    assessed = assessments(rows)
    scans = Scans([row.stamp_ns / 1e9 for row in rows], [row.sensor_id for row in rows], [row.sequence for row in rows])
    return _found(found, join((ASSESSMENT, assessed), (SCAN, scans)))


def track(connection: Connection, track_id: int, query: RunQuery) -> Found:
    """Return the samples of a track."""
    statement = _within(TRACK_SAMPLES, query).where(TRACK_SAMPLES.c.track_id == track_id)
    found = page(connection, statement, (TRACK_SAMPLES.c.stamp_ns,), query.cursor, query.limit)
    return _found(found, SAMPLE.rows(samples(found.rows)))


def events(connection: Connection, query: EventQuery) -> Found:
    """Return events."""
    statement = _within(EVENTS, query)
    for column, wanted in ((EVENTS.c.stage, query.stage), (EVENTS.c.name, query.name), (EVENTS.c.site, query.site)):
        if wanted:
            statement = statement.where(column.in_(set(wanted)))
    if query.severity:
        statement = statement.where(EVENTS.c.severity.in_(set(query.severity)))
        if min(query.severity) >= Severity.WARNING:
            statement = statement.where(ALARMING_EVENTS)
    key = (EVENTS.c.stamp_ns, EVENTS.c.id)
    found = page(connection, statement, key, query.cursor, query.limit, heavy=EVENTS.c.data)
    return _found(
        found,
        [
            {
                "stamp_s": row.stamp_ns / 1e9,
                **{name: row._mapping[name] for name in ("run_id", "stage", "epoch", "sequence", "name")},
                "severity": Severity(row.severity).name,
                "site": row.site or "",
                "received_s": None if row.received_ns is None else row.received_ns / 1e9,
                "data": orjson.Fragment(row.data),
            }
            for row in found.rows
        ],
    )


def decisions(connection: Connection, query: DecisionQuery) -> Found:
    """Return decisions."""
    statement = _within(DECISIONS, query)
    filters: list[tuple[Column[Any], Any]] = [
        (DECISIONS.c.kind, query.kind),
        (DECISIONS.c.target_id, query.target_id),
        (DECISIONS.c.who, query.who),
    ]
    for column, wanted in filters:
        if wanted is not None:
            statement = statement.where(column == wanted)
    found = page(connection, statement, (DECISIONS.c.stamp_ns, DECISIONS.c.id), query.cursor, query.limit)
    return _found(
        found,
        [
            {
                "stamp_s": row.stamp_ns / 1e9,
                **{name: row._mapping[name] for name in ("id", "kind", "target_id", "who", "accept")},
                "detail": orjson.Fragment(row.detail),
            }
            for row in found.rows
        ],
    )


def assessments(rows: Sequence[Row[Any]]) -> Threats:
    """Return rows of the table of threats as the data of ASSESSMENT; stamps, sensors and sequences are each row's own."""
    return Threats(
        stamp_ns=0,
        frame_id="",
        sequence=0,
        sensor_id="",
        track_id=integers(rows, "track_id"),
        level=integers(rows, "level"),
        class_id=integers(rows, "class_id"),
        score=_numbers(rows, "score"),
        time_to_cpa=_numbers(rows, "time_to_cpa"),
        cpa_distance=_numbers(rows, "cpa_distance"),
        cpa_distance_sigma=_numbers(rows, "cpa_distance_sigma"),
        time_to_impact=_numbers(rows, "time_to_impact"),
        reason=[row.reason for row in rows],
    )


def samples(rows: Sequence[Row[Any]]) -> Samples:
    """Return rows of the table of track samples as the data of SAMPLE."""
    return Samples(
        stamp_s=[row.stamp_ns / 1e9 for row in rows],
        sensor_id=[row.sensor_id for row in rows],
        track_id=integers(rows, "track_id"),
        status=integers(rows, "status"),
        class_id=integers(rows, "class_id"),
        state=np.stack([_numbers(rows, name) for name in STATE_COLUMNS], axis=1),
        sigma=np.stack([_numbers(rows, name) for name in SIGMA_COLUMNS], axis=1),
        existence_probability=_numbers(rows, "existence_probability"),
        rcs_dbsm=_numbers(rows, "rcs_dbsm"),
    )


def _within(table: Table, window: Window) -> Select[Any]:
    """Return the rows of a table that are shown of a time window."""
    statement = select(*table.c)
    if isinstance(window, RunQuery):
        statement = statement.where(shown(table, window.run_id))
    if window.since_ns is not None:
        statement = statement.where(table.c.stamp_ns >= window.since_ns)
    if window.until_ns is not None:
        statement = statement.where(table.c.stamp_ns <= window.until_ns)
    return statement


def _numbers(rows: Sequence[Row[Any]], name: str) -> Floats:
    return np.array([row._mapping[name] for row in rows], dtype=np.float64)  # NULL is NaN


def integers(rows: Sequence[Row[Any]], name: str) -> Ints:
    """Return a column of whole numbers."""
    return np.array([row._mapping[name] for row in rows], dtype=np.int64)


def _found(found: Page, items: list[dict[str, Any]]) -> Found:
    return Found(len(items), orjson.dumps(items), found.next_cursor)
