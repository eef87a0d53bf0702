"""Run by Alembic."""

from alembic import context

from aegis.bridge.database import run_migrations

run_migrations(context)
