"""The history database as it is written."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table
from sqlalchemy.dialects import postgresql, sqlite

from aegis.bridge.database import migrate
from aegis.bridge.history.journal import Row
from aegis.bridge.history.records import decode
from aegis.bridge.history.tables import METADATA

MIGRATIONS = Path(__file__).parent / "migrations"


class Store:
    """Inserts what the journal holds; a row that is there already stays as it is."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.prepared = False  # to be cleared where the database may have become another one
        dialect: Any = sqlite if engine.dialect.name == "sqlite" else postgresql
        self._insert = {table: dialect.insert(table).on_conflict_do_nothing() for table in METADATA.sorted_tables}

    def prepare(self) -> None:
        """Bring the tables to their newest form, where that has not been done yet.

        Raises:
            SQLAlchemyError: the database cannot be reached or changed.
        """
        if not self.prepared:
            migrate(self.engine, MIGRATIONS)
            self.prepared = True

    def insert(self, messages: Iterable[Row]) -> None:
        """Insert what the messages become, all or nothing.

        Raises:
            Exception: `failures.is_refusal` tells whether one of the messages is at fault, or the database.
        """
        rows: dict[Table, list[dict[str, Any]]] = {}
        for message in messages:
            table, new = decode(message.kind, message.payload)
            rows.setdefault(table, []).extend(new)
        with self.engine.begin() as connection:
            for table, values in rows.items():
                connection.execute(self._insert[table], values)
