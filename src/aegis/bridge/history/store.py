# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A database of the history as it is written: the record on this disk, or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.dialects import postgresql, sqlite

from aegis.bridge.database import Lock, migrate, wait_for_turn
from aegis.bridge.history.records import Row
from aegis.bridge.history.tables import METADATA

MIGRATIONS = Path(__file__).parent / "migrations"


class Store:
    """Inserts rows; one that is there already stays as it is."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.prepared = False  # to be cleared where the database may have become another one
        dialect: Any = sqlite if engine.dialect.name == "sqlite" else postgresql
        self._insert = {table: dialect.insert(table).on_conflict_do_nothing() for table in METADATA.sorted_tables}
        # The same as SQLite reads it, with the names of its values.
        self._plain = {
            table: (str(statement.compile(dialect=sqlite.dialect())), table.columns.keys())
            for table, statement in self._insert.items()
        }

    def reopen(self, engine: Engine) -> None:
        """Go on with another database."""
        self.engine.dispose()
        self.engine = engine
        self.prepared = False

    def prepare(self) -> None:
        """Bring the tables to their newest form, where that has not been done yet.

        Raises:
            SQLAlchemyError: the database cannot be reached or changed.
        """
        if not self.prepared:
            migrate(self.engine, MIGRATIONS)
            self.prepared = True

    def insert(self, rows: Iterable[tuple[Table, Row]]) -> None:
        """Insert rows, all or nothing.

        Raises:
            Exception: `failures.is_refusal` distinguishes a wrong row from a failed database.
        """
        with self.engine.begin() as connection:
            # One after the other: two bridges that keep the same events would else wait for each other's rows.
            wait_for_turn(connection, Lock.HISTORY)
            self.insert_in(connection, rows)

    def insert_in(self, connection: Connection, rows: Iterable[tuple[Table, Row]]) -> None:
        """Insert rows within a transaction."""
        by_table: dict[Table, list[Row]] = {}
        for table, row in rows:
            by_table.setdefault(table, []).append(row)
        for table, values in by_table.items():
            if connection.dialect.name == "sqlite":
                # Between SQLAlchemy's values and SQLite's nothing is to be converted here, and that took most of the time.
                statement, names = self._plain[table]
                connection.exec_driver_sql(statement, [tuple(map(row.get, names)) for row in values])
            else:
                connection.execute(self._insert[table], values)
