# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Brings the tables of a database back to the form of an earlier release, and says what that would lose.

Each migration that adds something names it in LOSES: a table, or a column as table.column, and the condition of the rows that have
something there (empty: all rows). What would lose rows is refused unless it is named.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import URL, Connection, Engine, make_url, text

from aegis.bridge.accounts.file import MIGRATIONS as ACCOUNT_MIGRATIONS
from aegis.bridge.accounts.server import SCHEMA
from aegis.bridge.accounts.store import DATABASE_FILE
from aegis.bridge.database import APPLICATION, config_of, file_url, in_use, migrating, open_engine
from aegis.bridge.history.history import places
from aegis.bridge.history.store import MIGRATIONS as HISTORY_MIGRATIONS
from aegis.bridge.replicas.settings import shared_accounts

HISTORY, ACCOUNTS = "history", "accounts"
_STATEMENT_S = 3600.0  # that PostgreSQL has for one
_CLOSED_WITHIN_S, _LOOK_S = 1.0, 0.05


class RevisionError(Exception):
    """Nothing was changed; the message says why, and what would be right."""


@dataclass(frozen=True)
class Database:
    """A database of a bridge: where it is, and the migrations of its tables."""

    label: str  # without its password
    url: str | URL
    migrations: Path
    schema: str = ""  # of PostgreSQL, where it is not the usual one

    @property
    def file(self) -> Path | None:
        """The file of an SQLite."""
        url = make_url(self.url)
        return Path(url.database or "") if url.get_backend_name() == "sqlite" else None

    @property
    def is_there(self) -> bool:
        """Tell whether there is a file; of a server, that it may be asked."""
        return self.file is None or self.file.exists()

    @contextmanager
    def open(self) -> Iterator[Engine]:
        """Give its engine until the end of the block.

        Raises:
            ConfigError: the package for PostgreSQL is not there.
        """
        options = {"search_path": self.schema} if self.schema else None
        engine = open_engine(self.url, statement_timeout_s=_STATEMENT_S, options=options)
        try:
            yield engine
        finally:
            engine.dispose()


def databases(state_dir: Path, environ: Mapping[str, str], part: str) -> list[Database]:
    """Return the databases that have a bridge's history or accounts: of the history a file, and the PostgreSQL that is fed from it.

    Args:
        state_dir: of the bridge.
        environ: the environment, with DATABASE_URL and REDIS_URL as the bridge has them.
        part: HISTORY or ACCOUNTS.

    Raises:
        ConfigError: DATABASE_URL is no URL of a database.
    """
    if part == ACCOUNTS:
        server = shared_accounts(environ)
        return [_database(server or file_url(state_dir / DATABASE_FILE), ACCOUNT_MIGRATIONS, SCHEMA)]
    path, server = places(environ.get("DATABASE_URL", ""), state_dir)
    urls: list[str | URL] = [file_url(path), server] if server else [file_url(path)]
    return [_database(url, HISTORY_MIGRATIONS, "") for url in urls]


def _database(url: str | URL, migrations: Path, schema: str) -> Database:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return Database(str(parsed.database), url, migrations)
    return Database(parsed.render_as_string(hide_password=True), url, migrations, schema)


@dataclass(frozen=True)
class Revision:
    """One form of the tables."""

    name: str
    doc: str  # what it has added


def revisions(migrations: Path) -> list[Revision]:
    """Return the revisions of a folder of migrations, the first one first."""
    return [Revision(one.revision, one.doc) for one in reversed(_scripts(migrations))]


def revision_of(connection: Connection) -> str:
    """Return the revision of a database's tables; empty where it has none."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def losses(connection: Connection, migrations: Path, to: str) -> dict[str, int]:
    """Return what going back to a revision loses: how many rows have something there, by table or table.column.

    Raises:
        RevisionError: there is no such earlier revision, or a newer release has made the tables.
    """
    found = {}
    for script in _between(connection, migrations, to):
        loses: Mapping[str, str] = script.module.LOSES
        for what, condition in loses.items():
            table = what.partition(".")[0]
            where = f" WHERE {condition}" if condition else ""
            rows: int = connection.execute(text(f"SELECT count(*) FROM {table}{where}")).scalar_one()
            if rows:
                found[what] = rows
    return found


def downgrade(engine: Engine, migrations: Path, to: str, lose: Collection[str] = ()) -> dict[str, int]:
    """Bring the tables back to an earlier revision, in one transaction; return what was lost.

    Args:
        engine: of the database, which nobody else works with.
        migrations: the folder of its migrations.
        to: the revision.
        lose: what may be lost, of what `losses` names.

    Raises:
        RevisionError: there is no such earlier revision, somebody works with the database, or something would be lost that is not
            named.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached or changed.
    """
    engine.dispose()  # of its own connections none is left
    if reason := _users_of(engine):
        raise RevisionError(f"it is in use ({reason}): stop the bridge first")
    with migrating(engine, migrations) as config:
        connection: Connection = config.attributes["connection"]
        lost = refuse_loss(connection, migrations, to, lose)
        command.downgrade(config, to)
    return lost


def refuse_loss(connection: Connection, migrations: Path, to: str, lose: Collection[str]) -> dict[str, int]:
    """Return what going back loses, as `losses` does, where all of it is named.

    Raises:
        RevisionError: there is no such earlier revision, or something would be lost that is not named.
    """
    lost = losses(connection, migrations, to)
    if unnamed := [what for what in lost if what not in lose]:
        raise RevisionError(
            f"going back to {to} would lose {', '.join(f'{what} ({lost[what]} rows)' for what in unnamed)}; to lose that, say "
            + " ".join(f"--lose {what}" for what in unnamed)
        )
    return lost


def _scripts(migrations: Path) -> list[Script]:
    """Return the migrations, the newest first."""
    return list(ScriptDirectory.from_config(config_of(migrations)).walk_revisions())


def _between(connection: Connection, migrations: Path, to: str) -> list[Script]:
    """Return the migrations to take back, the newest first."""
    scripts, now = _scripts(migrations), revision_of(connection)
    names = [script.revision for script in scripts]
    if now not in names:
        made = f"are at {now}, which a newer release has made" if now else "are not there"
        raise RevisionError(f"its tables {made}; this one knows {', '.join(reversed(names))}")
    earlier = names[names.index(now) + 1 :]
    if to not in earlier:
        there = f"there are: {', '.join(reversed(earlier))}" if earlier else "there is none"
        raise RevisionError(f"'{to}' is no revision before {now}, at which its tables are; {there}")
    return scripts[names.index(now) : names.index(to)]


def _users_of(engine: Engine) -> str:
    """Return who else works with a database: a bridge would go on with tables that are no more. Empty where nobody does."""
    if engine.dialect.name == "sqlite":
        return in_use(Path(str(engine.url.database)))
    statement = text(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = :name AND datname = current_database()"
        " AND pid <> pg_backend_pid()"
    )
    end_s = time.monotonic() + _CLOSED_WITHIN_S  # the server lists a connection for a moment after it was closed
    while True:
        with engine.connect() as connection:
            others: int = connection.execute(statement, {"name": APPLICATION}).scalar_one()
        if not others:
            return ""
        if time.monotonic() > end_s:
            return f"connections of bridges: {others}"
        time.sleep(_LOOK_S)
