# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Zones that people draw."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
LOSES = {"zones": ""}


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "zones",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("changed_by", sa.String(80), nullable=False),
        sa.Column("changed_s", sa.Double, nullable=False),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("zones")
