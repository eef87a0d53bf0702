# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Sessions with refresh tokens, known addresses, invites, service tokens, and the audit with its triggers."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
_TABLES = ("refresh_tokens", "sessions", "revocations", "known_addresses", "invites", "service_tokens", "audit")
LOSES = {
    "users.disabled": "disabled",  # those who may not log in could again
    "users.last_login_s": "last_login_s IS NOT NULL",
    **dict.fromkeys(_TABLES, ""),
}

_USER = "users.id"
_REFUSALS = (
    """
    CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END
    """,
    """
    CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
    WHEN OLD.at_s > CAST(strftime('%s', 'now') AS REAL) - 86400.0 * COALESCE((SELECT max(days) FROM audit_retention), 36500)
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only: this entry is not old enough to be removed'); END
    """,
    # INSERT OR REPLACE removes a row without asking the trigger above.
    """
    CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END
    """,
)
# The same for PostgreSQL. INSERT ... ON CONFLICT DO UPDATE is an update to it.
_REFUSALS_POSTGRESQL = (
    """
    CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$
    """,
    """
    CREATE FUNCTION audit_refuse_young() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    BEGIN
      IF OLD.at_s > floor(extract(epoch FROM now())) - 86400.0 * COALESCE((SELECT max(days) FROM audit_retention), 36500) THEN
        RAISE EXCEPTION 'the audit is append-only: this entry is not old enough to be removed';
      END IF;
      RETURN OLD;
    END $$
    """,
    "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse_young()",
    "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
)


def upgrade() -> None:
    """Make the tables."""
    op.add_column("users", sa.Column("disabled", sa.Boolean, nullable=False, server_default="0"))
    op.add_column("users", sa.Column("last_login_s", sa.Double))
    _sessions()
    _invites_and_service_tokens()
    _audit()


def downgrade() -> None:
    """Remove the tables, their triggers with them, and the columns."""
    for name in (*_TABLES, "audit_retention"):
        op.drop_table(name)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_refuse_young(), audit_refuse()")
    op.drop_column("users", "last_login_s")
    op.drop_column("users", "disabled")


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey(_USER, ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("created_s", sa.Double, nullable=False),
        sa.Column("used_s", sa.Double, nullable=False),
        sa.Column("expires_s", sa.Double, nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
    )
    session = sa.ForeignKey("sessions.id", ondelete="CASCADE")
    op.create_table(
        "refresh_tokens",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("session_id", sa.String(32), session, nullable=False, index=True),
        sa.Column("used", sa.Boolean, nullable=False, server_default="0"),
    )
    op.create_table(
        "revocations",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("at_s", sa.Double, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "known_addresses",
        sa.Column("user_id", sa.Integer, sa.ForeignKey(_USER, ondelete="CASCADE"), primary_key=True),
        sa.Column("address", sa.String(64), primary_key=True),
        sa.Column("used_s", sa.Double, nullable=False),
    )


def _invites_and_service_tokens() -> None:
    op.create_table(
        "invites",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("created_by", sa.String(80), nullable=False),
        sa.Column("created_s", sa.Double, nullable=False),
        sa.Column("expires_s", sa.Double, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "service_tokens",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("created_by", sa.String(80), nullable=False),
        sa.Column("created_s", sa.Double, nullable=False),
        sa.Column("expires_s", sa.Double, nullable=False),
        sqlite_autoincrement=True,
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at_s", sa.Double, nullable=False, index=True),
        sa.Column("who", sa.String(80), nullable=False, index=True),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("action", sa.String(64), nullable=False, index=True),
        sa.Column("target", sa.String(256), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
    retention = op.create_table(
        "audit_retention", sa.Column("id", sa.Integer, primary_key=True), sa.Column("days", sa.Integer, nullable=False)
    )
    op.bulk_insert(retention, [{"id": 1, "days": 365}])
    for trigger in _REFUSALS if op.get_bind().dialect.name == "sqlite" else _REFUSALS_POSTGRESQL:
        op.execute(trigger)
