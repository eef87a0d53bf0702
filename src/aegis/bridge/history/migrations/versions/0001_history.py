# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Events, threats, samples of tracks, decisions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
LOSES: dict[str, str] = {}  # before it there was nothing


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("stamp_ns", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("severity", sa.SmallInteger, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.UniqueConstraint("run_id", "stage", "epoch", "sequence", name="events_origin"),
    )
    op.create_index("events_time", "events", ["stamp_ns", "id"])
    _create_partial_index("events_alarming", "events", ["stamp_ns", "id"], "severity >= 2")
    op.create_table(
        "threats",
        sa.Column("stamp_ns", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("sensor_id", sa.Text, primary_key=True),
        sa.Column("track_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("class_id", sa.SmallInteger, nullable=False),
        sa.Column("level", sa.SmallInteger, nullable=False),
        sa.Column("score", sa.Double),
        sa.Column("time_to_cpa", sa.Double),
        sa.Column("cpa_distance", sa.Double),
        sa.Column("cpa_distance_sigma", sa.Double),
        sa.Column("time_to_impact", sa.Double),
        sa.Column("reason", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("threats_track", "threats", ["track_id", "stamp_ns"])
    _create_partial_index("threats_alarming", "threats", ["stamp_ns", "sensor_id", "track_id"], "level >= 3")
    op.create_table(
        "track_samples",
        sa.Column("stamp_ns", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("track_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("sensor_id", sa.Text, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("class_id", sa.SmallInteger, nullable=False),
        *(sa.Column(name, sa.Double) for name in ("x", "y", "z", "vx", "vy", "vz")),
        *(sa.Column(name, sa.Double) for name in ("sigma_x", "sigma_y", "sigma_z")),
        sa.Column("existence_probability", sa.Double),
        sqlite_with_rowid=False,
    )
    op.create_index("track_samples_track", "track_samples", ["track_id", "stamp_ns"])
    op.create_table(
        "decisions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("stamp_ns", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("target_id", sa.BigInteger, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("accept", sa.Boolean, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("decisions_time", "decisions", ["stamp_ns", "id"])


def _create_partial_index(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
