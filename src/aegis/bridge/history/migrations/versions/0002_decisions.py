# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where a decision came from, and in which order they were committed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
LOSES = {
    "decisions.number": "number IS NOT NULL",
    "decisions.address": "address IS NOT NULL",
    "decisions.request_id": "request_id IS NOT NULL",
}


def upgrade() -> None:
    """Add the columns; they are null in earlier decisions."""
    op.add_column("decisions", sa.Column("number", sa.BigInteger))
    op.add_column("decisions", sa.Column("address", sa.Text))
    op.add_column("decisions", sa.Column("request_id", sa.Text))
    op.create_index("decisions_number", "decisions", ["number"])


def downgrade() -> None:
    """Remove the columns. The guard that names them goes too, which the bridge makes when it opens the file."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER IF EXISTS decisions_no_replace")
    op.drop_index("decisions_number", "decisions")
    for name in ("request_id", "address", "number"):
        op.drop_column("decisions", name)
