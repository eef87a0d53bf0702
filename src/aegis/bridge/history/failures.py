# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Kinds of database errors, and when to try again."""

from __future__ import annotations

import random
import sqlite3

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from aegis.core.backoff import Backoff

_SHORTEST_S, _LONGEST_S = 0.1, 5.0
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
# SQLSTATE classes of PostgreSQL that mean the values: data exception, constraint violation, a limit of the program exceeded.
_REFUSALS = ("22", "23", "54")


def database_backoff() -> Backoff:
    """Return the pauses between attempts to reach a database."""
    return Backoff(_SHORTEST_S, _LONGEST_S, random.Random())


def is_corrupt(error: BaseException) -> bool:
    """Return whether SQLite reports that a file is damaged, or no database."""
    code = getattr(getattr(error, "orig", None) or error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _CORRUPT  # the upper bits are those of an extended code


def is_refusal(error: BaseException) -> bool:
    """Return whether the row is at fault, so that another attempt would fail too."""
    if isinstance(error, DataError | IntegrityError):
        return True
    if isinstance(error, DBAPIError):
        return str(getattr(error.orig, "sqlstate", None) or "")[:2] in _REFUSALS
    # A value that the driver could not even bind; anything else of SQLAlchemy is about connections.
    return isinstance(error, StatementError) or not isinstance(error, SQLAlchemyError | OSError)


def corrupt_error(found: str) -> sqlite3.DatabaseError:
    """Return the error of a file that was found corrupt."""
    error = sqlite3.DatabaseError(found)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error
