# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Alembic's entry: runs the migrations beside it."""

from alembic import context

from aegis.bridge.database import run_migrations

run_migrations(context)
