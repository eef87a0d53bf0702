# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the history of a bridge has of a time: decisions of people, events, and where tracks were."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import URL, Connection, Engine, Row, Table, create_engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from aegis.bridge.database import open_engine, reason_of
from aegis.bridge.history.queries import assessments, samples
from aegis.bridge.history.runs import shown
from aegis.bridge.history.tables import DECISIONS, EVENTS, THREATS, TRACK_SAMPLES
from aegis.core.events import Severity
from aegis.core.params import ConfigError
from aegis.core.types import N_CLASSES, Threats, Tracks


@dataclass(frozen=True)
class Past:
    """Of one time."""

    decisions: list[dict[str, object]]  # acknowledged threats, alarms handled, notes, advice accepted and rejected
    events: list[dict[str, object]]
    pictures: list[tuple[Tracks, Threats | None]]  # about one a second
    played_events: int  # of that time too, of what was played later: none of `events`


def read_past(source: str, from_ns: int, to_ns: int) -> Past:
    """Read a history, which a bridge may be writing meanwhile: of the runs that lived then, as `history.runs.shown` has it.

    Args:
        source: history.db, or the URL of a PostgreSQL database.
        from_ns, to_ns: stamps, both included.

    Raises:
        ConfigError: it cannot be read.
    """
    if "://" in source:
        engine: Engine = open_engine(source).execution_options(postgresql_readonly=True)
    else:
        path = Path(source)
        if not path.is_file():
            raise ConfigError(f"{source} does not exist; a bridge's history.db is expected, or postgresql://...")
        engine = create_engine(
            URL.create("sqlite", database=path.absolute().as_uri(), query={"mode": "ro", "uri": "true"})
        )
    try:
        with engine.connect() as connection:
            rows = {
                table.name: _rows(connection, table, from_ns, to_ns)
                for table in (DECISIONS, EVENTS, TRACK_SAMPLES, THREATS)
            }
            when = EVENTS.c.stamp_ns
            every = select(func.count()).select_from(EVENTS).where(when >= from_ns, when <= to_ns)
            played_events = connection.execute(every).scalar_one() - len(rows[EVENTS.name])
    except SQLAlchemyError as error:
        raise ConfigError(
            f"{source} cannot be read as a history: {reason_of(error)}; one of an earlier version is brought up by its bridge"
        ) from None
    finally:
        engine.dispose()
    return Past(
        decisions=[
            {
                "time_ns": row.stamp_ns,
                **{name: row._mapping[name] for name in ("id", "kind", "target_id", "who", "accept")},
                "detail": json.loads(row.detail),
            }
            for row in rows[DECISIONS.name]
        ],
        events=[
            {
                "stamp_ns": row.stamp_ns,
                **{name: row._mapping[name] for name in ("run_id", "stage", "epoch", "sequence", "name")},
                "severity": Severity(row.severity).name,
                "data": json.loads(row.data),
            }
            for row in rows[EVENTS.name]
        ],
        pictures=_pictures(rows[TRACK_SAMPLES.name], rows[THREATS.name]),
        played_events=played_events,
    )


def _rows(connection: Connection, table: Table, from_ns: int, to_ns: int) -> Sequence[Row[Any]]:
    when = table.c.stamp_ns
    then = select(*table.c).where(when >= from_ns, when <= to_ns, shown(table))
    return connection.execute(then.order_by(when)).all()


def _pictures(tracks: Sequence[Row[Any]], threats: Sequence[Row[Any]]) -> list[tuple[Tracks, Threats | None]]:
    """Return the pictures, with what is known of errors: the history keeps sigma x, y, z. Of those played twice, the last."""
    by_stamp: dict[int, list[Row[Any]]] = {}
    for row in tracks:
        by_stamp.setdefault(row.stamp_ns, []).append(row)
    assessed: dict[int, list[Row[Any]]] = {}
    for row in threats:
        assessed.setdefault(row.stamp_ns, []).append(row)
    out = []
    for stamp_ns, of_stamp in by_stamp.items():
        received = [row.received_ns for row in of_stamp]
        last = None if None in received else max(received)  # a picture's rows were received at one time
        rows = [row for row in of_stamp if row.received_ns == last]
        found = samples(rows)
        n = len(rows)
        covariance = np.full((n, 6, 6), np.nan)
        covariance[:, :3, :3] = 0.0
        covariance[:, range(3), range(3)] = found.sigma**2
        nothing = np.full(n, np.nan)
        tracks_then = Tracks(
            stamp_ns=stamp_ns, frame_id="map", sequence=0, sensor_id=found.sensor_id[0], track_id=found.track_id,
            status=found.status, state=found.state, covariance=covariance, class_id=found.class_id,
            class_probability=np.full((n, N_CLASSES), np.nan), existence_probability=found.existence_probability,
            rcs_dbsm=nothing, age=nothing, time_since_update=nothing, hits=np.zeros(n, dtype=np.int64),
        )  # fmt: skip
        ids = set(found.track_id.tolist())
        of_them = [row for row in assessed.get(stamp_ns, []) if row.track_id in ids]
        out.append((tracks_then, assessments(of_them) if of_them else None))
    return out
