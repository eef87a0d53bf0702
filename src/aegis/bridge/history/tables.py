# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The tables of the history, as the newest migration leaves them, and those of history.db alone.

Measurements are stored in the order of time, in which they are inserted and deleted: SQLite keeps such a table in its primary key
(WITHOUT ROWID). The rows of a message that comes twice have the same key, and are stored once.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from aegis.core.events import Severity
from aegis.core.types import ThreatLevel

METADATA = MetaData()
# What people look for among much else has an index of its own. As text, because SQLite takes such an index only where a query
# repeats its condition to the letter.
ALARMING_EVENTS = text(f"severity >= {int(Severity.WARNING)}")
ALARMING_THREATS = text(f"level >= {int(ThreatLevel.HIGH)}")
RECEIVED_LATE = text("received_ns IS NOT NULL")
OF_ANOTHER_SITE = text("site IS NOT NULL")

EVENTS = Table(
    "events",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),  # each database has its own
    Column("run_id", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("stamp_ns", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("data", Text, nullable=False),  # JSON
    Column("received_ns", BigInteger),  # in this and other tables null where it was about at the stamp
    Column("site", Text),  # that an uplink has brought it from; null: this one
    UniqueConstraint("run_id", "stage", "epoch", "sequence", name="events_origin"),
)
Index("events_time", EVENTS.c.stamp_ns, EVENTS.c.id)
Index(
    "events_alarming",
    EVENTS.c.stamp_ns,
    EVENTS.c.id,
    sqlite_where=ALARMING_EVENTS,
    postgresql_where=ALARMING_EVENTS,
)
Index(
    "events_site",
    EVENTS.c.site,
    EVENTS.c.stamp_ns,
    EVENTS.c.id,
    sqlite_where=OF_ANOTHER_SITE,
    postgresql_where=OF_ANOTHER_SITE,
)

THREATS = Table(
    "threats",
    METADATA,
    Column("stamp_ns", BigInteger, primary_key=True, autoincrement=False),
    Column("sensor_id", Text, primary_key=True),
    Column("track_id", BigInteger, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
    Column("class_id", SmallInteger, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("score", Double),
    Column("time_to_cpa", Double),
    Column("cpa_distance", Double),
    Column("cpa_distance_sigma", Double),
    Column("time_to_impact", Double),
    Column("reason", Text, nullable=False),
    Column("received_ns", BigInteger),
    sqlite_with_rowid=False,
)
Index("threats_track", THREATS.c.track_id, THREATS.c.stamp_ns)
Index(
    "threats_alarming",
    THREATS.c.stamp_ns,
    THREATS.c.sensor_id,
    THREATS.c.track_id,
    sqlite_where=ALARMING_THREATS,
    postgresql_where=ALARMING_THREATS,
)

STATE_COLUMNS = ("x", "y", "z", "vx", "vy", "vz")
SIGMA_COLUMNS = ("sigma_x", "sigma_y", "sigma_z")
TRACK_SAMPLES = Table(
    "track_samples",
    METADATA,
    Column("stamp_ns", BigInteger, primary_key=True, autoincrement=False),
    Column("track_id", BigInteger, primary_key=True, autoincrement=False),
    Column("sensor_id", Text, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("class_id", SmallInteger, nullable=False),
    *(Column(name, Double) for name in (*STATE_COLUMNS, *SIGMA_COLUMNS)),
    Column("existence_probability", Double),
    Column("rcs_dbsm", Double),  # null in samples of earlier versions
    Column("received_ns", BigInteger),
    sqlite_with_rowid=False,
)
Index("track_samples_track", TRACK_SAMPLES.c.track_id, TRACK_SAMPLES.c.stamp_ns)
for _table in (EVENTS, THREATS, TRACK_SAMPLES):
    Index(
        f"{_table.name}_received",
        _table.c.received_ns,
        sqlite_where=RECEIVED_LATE,
        postgresql_where=RECEIVED_LATE,
    )

# What people decided. `number` counts the commits; `address` and `request_id` are those of the request. All three are null in
# decisions of earlier versions, which are in the audit of accounts too.
DECISIONS = Table(
    "decisions",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("stamp_ns", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("target_id", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("accept", Boolean, nullable=False),
    Column("detail", Text, nullable=False),  # JSON
    Column("number", BigInteger),
    Column("address", Text),
    Column("request_id", Text),
    sqlite_with_rowid=False,
)
Index("decisions_time", DECISIONS.c.stamp_ns, DECISIONS.c.id)
Index("decisions_number", DECISIONS.c.number)

# In history.db alone.
LOCAL = MetaData()
# The messages that PostgreSQL does not have yet, with the keys of their rows. Ids are never used twice.
OUTBOX = Table(
    "outbox",
    LOCAL,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("at_ns", Integer, nullable=False),  # when it was taken
    Column("bytes", Integer, nullable=False),
    Column("key", Text, nullable=False),  # JSON
    sqlite_autoincrement=True,
)
# The last messages that a database refused, for a person to look at.
REFUSED = Table(
    "refused",
    LOCAL,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("at_ns", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),  # JSON
    Column("reason", Text, nullable=False),
)
STATE = Table("state", LOCAL, Column("name", Text, primary_key=True), Column("value", LargeBinary, nullable=False))
