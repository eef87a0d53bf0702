# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""bridge.db: the first administrator, what is in the file, older files, transactions, and a disk that is full."""

import asyncio
import importlib.util
import logging
import sqlite3
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

import argon2
import pytest
from accounts_data import PASSWORD, log_in, verify
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from problems import refused
from sqlalchemy import DateTime, String, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from aegis.bridge.accounts import audit_table, users
from aegis.bridge.accounts.audit_table import Entry, Query
from aegis.bridge.accounts.file import MIGRATIONS
from aegis.bridge.accounts.scopes import Scope
from aegis.bridge.accounts.store import DATABASE_FILE, Accounts
from aegis.bridge.accounts.tables import Base
from aegis.bridge.database import migrate, open_engine
from aegis.core.params import ConfigError


def test_the_first_administrator_is_made_once(accounts):
    password = accounts.ensure_administrator()
    assert password is not None
    assert len(password) >= 16
    assert accounts.ensure_administrator() is None
    account = verify(accounts, "admin", password)
    assert account is not None
    assert account.scopes == frozenset(Scope)
    assert verify(accounts, "admin", password + "x") is None


def test_the_database_is_its_owners_and_holds_an_argon2id_hash_only(accounts, tmp_path: Path):
    password = accounts.ensure_administrator()
    grant = log_in(accounts, "admin")
    for path in tmp_path.glob(f"{DATABASE_FILE}*"):  # the write-ahead log too
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        content = path.read_bytes()
        assert password.encode() not in content
        assert grant.refresh_token.encode() not in content
    with sqlite3.connect(tmp_path / DATABASE_FILE) as database:
        (stored,) = database.execute("select password_hash from users").fetchone()
    # The reference library reads the parameters and agrees on the password.
    parameters = argon2.extract_parameters(stored)
    assert (parameters.type, parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (
        argon2.Type.ID,
        19 * 1024,
        2,
        1,
    )
    assert argon2.PasswordHasher().verify(stored, password)


class OldBase(DeclarativeBase):
    pass


class OldUser(OldBase):
    """The table as the first releases had it."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16))
    created: Mapped[object] = mapped_column(DateTime(timezone=True))


def test_a_database_from_before_migrations_is_taken_over_unchanged(tmp_path: Path):
    hashed = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    engine = create_engine(f"sqlite:///{tmp_path / DATABASE_FILE}")
    OldBase.metadata.create_all(engine)
    with Session(engine) as session:
        for name, role in (("admin", "admin"), ("eve", "viewer")):
            session.add(OldUser(name=name, password_hash=hashed, role=role, created=datetime(2026, 1, 2, tzinfo=UTC)))
        session.commit()
    engine.dispose()

    def rows() -> list:
        with sqlite3.connect(tmp_path / DATABASE_FILE) as database:
            return database.execute("select id, name, password_hash, role, created from users order by id").fetchall()

    before = rows()
    accounts = Accounts(tmp_path)
    assert rows() == before
    assert accounts.ensure_administrator() is None
    assert verify(accounts, "eve", PASSWORD) == users.Account("eve", "viewer")
    (admin, eve) = accounts.read_now(users.listing)
    assert (admin.created_s, eve.created_s) == (1767312000.0,) * 2  # 2026-01-02 in UTC
    assert (eve.disabled, eve.last_login_s) == (False, None)
    log_in(accounts, "eve")
    accounts.close()
    again = Accounts(tmp_path)  # and the next start finds nothing more to do
    assert [row.sessions for row in again.read_now(users.listing)] == [0, 1]
    again.close()


def test_the_migrations_make_the_tables_that_the_code_declares(tmp_path: Path):
    engine = open_engine(f"sqlite:///{tmp_path / 'x.db'}")
    migrate(engine, MIGRATIONS)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    engine.dispose()
    assert differences == []


def test_a_database_of_a_newer_release_is_left_alone(tmp_path: Path):
    Accounts(tmp_path).close()
    with sqlite3.connect(tmp_path / DATABASE_FILE) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match=r"cannot be used as the database of accounts.*9999"):
        Accounts(tmp_path)


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path: Path):
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / "migrations" / "env.py").write_text((MIGRATIONS / "env.py").read_text())
    (versions / "0001_broken.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\nrevision, down_revision = '1', None\n"
        "def upgrade():\n    op.create_table('half', sa.Column('id', sa.Integer))\n    raise RuntimeError('in the middle')\n"
    )
    engine = open_engine(f"sqlite:///{tmp_path / 'x.db'}")
    with pytest.raises(RuntimeError, match="in the middle"):
        migrate(engine, tmp_path / "migrations")
    engine.dispose()
    with sqlite3.connect(tmp_path / "x.db") as database:
        assert database.execute("select name from sqlite_master").fetchall() == []


def test_every_migration_follows_the_one_before(tmp_path: Path):
    last = None
    for path in sorted((MIGRATIONS / "versions").glob("*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        assert (path.stem[:4], module.down_revision) == (module.revision, last)
        last = module.revision


def test_work_and_its_audit_entry_are_one(accounts):
    accounts.add("ada", PASSWORD, "viewer")

    def entries() -> list:
        return [row.action for row in accounts.read_now(audit_table.page, Query(100))]

    before = entries()
    with refused(404):
        accounts.write_now(Entry("users.remove", "admin", "nobody"), users.remove, "nobody", 0.0)
    assert entries() == before
    with pytest.raises(Exception, match="JSON serializable"):  # the entry cannot be written, so the act does not happen
        accounts.write_now(Entry("x", detail={"x": object()}), users.set_password, "ada", "not a hash", 0.0)
    assert verify(accounts, "ada", PASSWORD) is not None


def fill_the_disk(accounts: Accounts) -> None:
    """Let SQLite find no more room, as on a full disk."""
    accounts._engine.dispose()

    @event.listens_for(accounts._engine, "connect")
    def no_room(connection, _record):
        connection.execute("PRAGMA max_page_count = 1")  # no less than it has: not one page more


def test_a_full_disk_loses_no_request_but_is_counted_and_refuses_what_must_be_audited(accounts, caplog):
    accounts.ensure_administrator()
    fill_the_disk(accounts)

    async def write() -> None:
        for _ in range(50):  # some fit into the pages that are there
            await accounts.audit.record(Entry("test.something", "admin", detail={"text": "x" * 500}))
        assert accounts.audit.counts()["audit_lost"] > 0
        with refused(503):
            await accounts.audit.record_or_fail(Entry("ew.acknowledge", "admin", detail={"text": "x" * 500}))
        with refused(503):
            await accounts.write(None, audit_table.append, Entry("y", detail={"text": "x" * 5000}), 0.0)
        assert await accounts.read(users.count) == 1  # reading goes on

    with caplog.at_level(logging.CRITICAL, "aegis"):
        asyncio.run(write())


def test_the_database_is_used_in_its_own_threads(accounts):
    names = set()

    def note(_session) -> None:
        names.add(threading.current_thread().name.rsplit("_", 1)[0])

    async def both() -> None:
        await accounts.read(note)
        await accounts.write(None, note)

    asyncio.run(both())
    assert names == {"accounts"}
