# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Opens a database, SQLite or PostgreSQL, and brings its tables to the state that the code expects."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, inspect, make_url, select
from sqlalchemy.exc import ArgumentError

from aegis.core.params import ConfigError

if TYPE_CHECKING:  # alembic and what it loads take 10 MB; it is imported where tables are to be changed
    from alembic.config import Config

SQLITE_BUSY_S = 10.0
CONNECT_TIMEOUT_S = 5
_IN_USE_S = 2.0
# Execution options of a transaction that reads before it writes: SQLite then locks at its begin, where it can still wait.
IMMEDIATE = {"sqlite_begin": "IMMEDIATE"}
# A server that vanished without a word is given up after about so long, and not after TCP's quarter of an hour.
_TCP = {"tcp_user_timeout": 20_000, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 2}
APPLICATION = "aegis"  # what connections of ours are called at a server
_migrating = threading.Lock()  # Alembic's own context is one for the whole process


class Lock(IntEnum):
    """What one transaction at a time does; the number is that of PostgreSQL's advisory lock, among those of a whole database."""

    MIGRATION = 0x41656770
    ACCOUNTS = 0x41656769
    HISTORY = int.from_bytes(b"history", "big")


class MigrationError(Exception):
    """The tables cannot be brought to the form that the code expects: a newer release has made them."""


@dataclass(frozen=True)
class State:
    """The state of a database."""

    up: bool
    since_s: float  # since 1970
    reason: str = ""  # why it is away


def reason_of(error: BaseException) -> str:
    """Return what went wrong in one line, without the statement and its values."""
    cause = getattr(error, "orig", None) or error
    return " ".join(f"{type(cause).__name__}: {cause}".split())


def file_url(path: Path) -> URL:
    """Return the URL of a file of SQLite; as a text, one with ? or % in its path would be another file's."""
    return URL.create("sqlite", database=str(path))


def open_engine(
    url: str | URL, *, statement_timeout_s: float = 30.0, options: Mapping[str, str] | None = None
) -> Engine:
    """Return an engine; nothing is connected yet.

    SQLite keeps a write-ahead log and waits for the disk at every commit (synchronous=FULL): what was committed outlives a power
    failure. Its file is made for its owner alone.

    Args:
        url: of SQLAlchemy, `sqlite:////path` or `postgresql://user:password@host/name`.
        statement_timeout_s: a PostgreSQL that does not answer a statement for so long has failed.
        options: further settings of PostgreSQL for each connection, none with spaces.

    Raises:
        ConfigError: another kind of database, not a URL, or the driver of PostgreSQL is not installed.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:  # its text repeats the URL, and with it a password
        raise ConfigError("not a URL of a database; 'sqlite:////path' or 'postgresql://...' is expected") from None
    name = parsed.get_backend_name()
    if name == "sqlite":
        return _open_sqlite(parsed, parsed.database)
    if name != "postgresql":
        raise ConfigError(f"databases of '{name}' are not supported; sqlite or postgresql is")
    given = {"statement_timeout": str(round(statement_timeout_s * 1000)), **(options or {})}
    words = " ".join(f"-c {name}={value}" for name, value in given.items())
    try:
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT_S,
                "application_name": APPLICATION,
                "options": words,
                **_TCP,
            },
        )
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"a PostgreSQL database needs a package that is not there ({error}): pip install 'aegis[postgresql]'"
        ) from error


def _open_sqlite(url: URL, path: str | None) -> Engine:
    if path and path != ":memory:" and not Path(path).exists():
        with suppress(OSError):  # SQLite says the same, when it is first used
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    engine = create_engine(url, connect_args={"timeout": SQLITE_BUSY_S, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        # Left alone, the driver begins at the first row that changes: what was read before, and new tables, stay outside.
        connection.isolation_level = None
        for pragma in ("auto_vacuum=INCREMENTAL", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


def in_use(path: Path) -> str:
    """Return why a file of SQLite cannot be had for oneself: a process has it open. Empty where it can, or is none."""
    if not path.exists():
        return ""
    try:
        with closing(sqlite3.connect(path, timeout=_IN_USE_S, isolation_level=None)) as connection:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        return str(error)
    except sqlite3.DatabaseError:
        return ""  # damaged: nobody works with it
    return ""


def give_pages_back(engine: Engine, *, spare: int, most: int) -> bool:
    """Return free pages of an SQLite file to the file system; return whether there are more.

    Args:
        engine: of the file.
        spare: free pages that it may keep for what comes next.
        most: pages to return now.

    Raises:
        sqlalchemy.exc.SQLAlchemyError, sqlite3.Error: it could not be done.
    """
    with engine.connect() as connection:
        free: int = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
        if free > spare:
            # Not `execute`: it takes one step of a statement without columns, and each step returns one page.
            raw: Any = connection.connection.driver_connection
            raw.executescript(f"PRAGMA incremental_vacuum({most})")
    return free - most > spare


def wait_for_turn(connection: Connection, which: Lock) -> None:
    """Wait until no other transaction has this lock, and keep it to the end of this one.

    SQLite has one writer at a time: a transaction that is begun as IMMEDIATE has waited already.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the others take too long.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(which.value)))


def migrate(engine: Engine, migrations: Path) -> None:
    """Bring the tables to the newest revision of a folder of Alembic migrations, in one transaction.

    Its `env.py` calls `run_migrations(context)`, and the file of a revision is called REVISION_WHAT.py.

    Raises:
        MigrationError: a newer release has made the tables.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached or changed; nothing is changed then.
    """
    newest = max(path.name.partition("_")[0] for path in (migrations / "versions").glob("[0-9]*.py"))
    with _alone(engine) as connection:
        if _revision(connection) == newest:
            return
        from alembic import command
        from alembic.util.exc import CommandError

        try:
            command.upgrade(_config_with(connection, migrations), "head")
        except CommandError as error:
            raise MigrationError(str(error)) from error


def _revision(connection: Connection) -> str:
    """Return the revision of a database's tables as Alembic keeps it; empty where it has none."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() or "")


@contextmanager
def migrating(engine: Engine, migrations: Path) -> Iterator[Config]:
    """Begin the transaction of a migration, alone among all processes; give what Alembic's commands take."""
    with _alone(engine) as connection:
        yield _config_with(connection, migrations)


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """Begin a transaction that no other process migrates beside: several bridges may start at a time."""
    with _migrating, engine.execution_options(**IMMEDIATE).begin() as connection:
        wait_for_turn(connection, Lock.MIGRATION)
        yield connection


def _config_with(connection: Connection, migrations: Path) -> Config:
    config = config_of(migrations)
    config.attributes["connection"] = connection
    return config


def config_of(migrations: Path) -> Config:
    """Return what Alembic has to know of a folder of migrations."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    return config


def run_migrations(context: Any) -> None:
    """Be the `env.py` of a folder of migrations: run them on the connection that `migrating` holds."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, render_as_batch=connection.dialect.name == "sqlite")
    with context.begin_transaction():
        context.run_migrations()
