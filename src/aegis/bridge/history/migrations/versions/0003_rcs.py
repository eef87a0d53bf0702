# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The radar cross-section of the tracks."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
LOSES = {"track_samples.rcs_dbsm": "rcs_dbsm IS NOT NULL"}


def upgrade() -> None:
    """Add the column; it is null in earlier samples."""
    op.add_column("track_samples", sa.Column("rcs_dbsm", sa.Double))


def downgrade() -> None:
    """Remove the column."""
    op.drop_column("track_samples", "rcs_dbsm")
