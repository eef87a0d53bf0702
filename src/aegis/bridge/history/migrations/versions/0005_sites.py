# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Events of other sites, which an uplink has brought."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
LOSES = {"events.site": "site IS NOT NULL"}  # their stages begin with it all the same


def upgrade() -> None:
    """Add the column; it is null in the events of this site."""
    op.add_column("events", sa.Column("site", sa.Text))
    where = sa.text("site IS NOT NULL")
    op.create_index("events_site", "events", ["site", "stamp_ns", "id"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Remove the column."""
    op.drop_index("events_site", "events")
    op.drop_column("events", "site")
