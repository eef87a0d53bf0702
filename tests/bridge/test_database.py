# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Databases are changed wholly or not at all, and what is committed to SQLite is on the disk."""

import shutil
import sqlite3
import stat
from pathlib import Path

import pytest

from aegis.bridge.database import migrate, open_engine
from aegis.bridge.history.store import MIGRATIONS

BROKEN = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "broken", "0005"

def upgrade():
    op.create_table("half", sa.Column("a", sa.Integer))
    raise RuntimeError("in the middle")
"""


def test_a_migration_that_fails_in_the_middle_leaves_nothing(tmp_path: Path):
    folder = shutil.copytree(MIGRATIONS, tmp_path / "migrations")
    (folder / "versions" / "broken.py").write_text(BROKEN)
    path = tmp_path / "some.db"
    engine = open_engine(f"sqlite:///{path}")
    with pytest.raises(RuntimeError, match="in the middle"):
        migrate(engine, folder)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    migrate(engine, MIGRATIONS)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0005",)]
    engine.dispose()


def test_an_sqlite_file_is_its_owners_and_waits_for_the_disk(tmp_path: Path):
    path = tmp_path / "some.db"
    engine = open_engine(f"sqlite:///{path}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with engine.connect() as connection:
        found = {n: connection.exec_driver_sql(f"PRAGMA {n}").scalar() for n in ("journal_mode", "synchronous")}
    assert found == {"journal_mode": "wal", "synchronous": 2}
    engine.dispose()
