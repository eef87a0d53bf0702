# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The table of accounts, as the first releases made it without Alembic: theirs is taken over as it is."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
LOSES: dict[str, str] = {}  # before it there was nothing


def upgrade() -> None:
    """Make the table where there is none yet."""
    if sa.inspect(op.get_bind()).has_table("users"):
        return
    op.create_table(
        "users",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
    )
