# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The database of accounts that several bridges share, on a PostgreSQL server."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from aegis.bridge.accounts.file import MIGRATIONS
from aegis.bridge.database import Lock, MigrationError, migrate, open_engine, wait_for_turn
from aegis.bridge.patience import Patience
from aegis.core.params import ConfigError

SCHEMA = "bridge_accounts"  # beside history's tables, with a revision of its own
STATEMENT_S, ANSWER_S = 5.0, 6.0
_IDLE_S = 10  # after which the server ends the transaction of a bridge that has stopped within it


class AccountsServer:
    """The open database.

    Transactions that write go one after another, as in SQLite: what is checked in one still holds at its end, and revocations
    become visible in the order of their numbers.
    """

    def __init__(self, url: str) -> None:
        """Open it, and make or migrate its tables.

        Raises:
            ConfigError: a newer release has made it.
            sqlalchemy.exc.SQLAlchemyError: it is away.
        """
        schema = open_engine(url, statement_timeout_s=STATEMENT_S)
        Patience(schema, ANSWER_S)
        try:
            with schema.begin() as connection:
                wait_for_turn(connection, Lock.ACCOUNTS)
                connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        finally:
            schema.dispose()
        # Times come back without their zone from SQLite, and are taken as UTC.
        options = {"search_path": SCHEMA, "timezone": "UTC", "idle_in_transaction_session_timeout": f"{_IDLE_S}s"}
        self.engine = open_engine(url, statement_timeout_s=STATEMENT_S, options=options)
        Patience(self.engine, ANSWER_S)
        try:
            migrate(self.engine, MIGRATIONS)
        except MigrationError as error:
            raise ConfigError(f"accounts in PostgreSQL: {error}") from error

    def begin_writing(self, session: Session) -> None:
        """Wait for the other writers.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: they take too long.
        """
        wait_for_turn(session.connection(), Lock.ACCOUNTS)

    def put_back(self) -> None:
        """Do nothing: there is no file."""

    def close(self) -> None:
        """Close it."""
        self.engine.dispose()
