# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where a decision came from, and in which order they were committed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; they are null in earlier decisions."""
    op.add_column("decisions", sa.Column("number", sa.BigInteger))
    op.add_column("decisions", sa.Column("address", sa.Text))
    op.add_column("decisions", sa.Column("request_id", sa.Text))
    op.create_index("decisions_number", "decisions", ["number"])
