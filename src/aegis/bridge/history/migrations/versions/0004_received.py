# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""When a message was received, where that is another time than its stamp: of a recording that is played."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
_TABLES = ("events", "threats", "track_samples")
LOSES = {f"{table}.received_ns": "received_ns IS NOT NULL" for table in _TABLES}


def upgrade() -> None:
    """Add the columns; they are null in earlier rows, which count as received at their stamp, as before."""
    for table in _TABLES:
        op.add_column(table, sa.Column("received_ns", sa.BigInteger))
        where = sa.text("received_ns IS NOT NULL")
        op.create_index(f"{table}_received", table, ["received_ns"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Remove the columns."""
    for table in _TABLES:
        op.drop_index(f"{table}_received", table)
        op.drop_column(table, "received_ns")
