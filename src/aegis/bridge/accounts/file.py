# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Opens the database of accounts, whatever has become of its file or disk."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError, SQLAlchemyError
from sqlalchemy.orm import Session

from aegis.bridge.anchor import Anchor
from aegis.bridge.database import MigrationError, file_url, migrate, open_engine
from aegis.core.params import ConfigError
from aegis.state import move_aside, note_not_kept

_log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).with_name("migrations")
_DAMAGED = {11, 26}  # SQLITE_CORRUPT, SQLITE_NOTADB
_NO_DISK = {8, 10, 13, 14}  # SQLITE_READONLY, IOERR, FULL, CANTOPEN
_BESIDE = ("", "-wal", "-shm")  # what belongs to a database of SQLite
_MEMORY = Path("/dev/shm")


class AccountsFile:
    """The open database. The bridge starts whatever it finds: what is damaged is moved aside, and no accounts vanish unsaid."""

    def __init__(self, path: Path, *, rescue: bool) -> None:
        """Open it, and make or migrate its tables.

        Args:
            path: of the file.
            rescue: move it aside where it is damaged; where it cannot be written, work in a copy in memory, which ends with the
                process.

        Raises:
            ConfigError: a newer release has made it; without `rescue`, also where it is damaged or cannot be written.
        """
        self._temporary: Path | None = None
        self._lock = threading.Lock()
        if rescue and path.exists() and path.stat().st_size == 0:
            _move_aside(path, "it is empty")
        try:
            self.engine = _opened(path)
        except (SQLAlchemyError, MigrationError, OSError) as error:
            code = _sqlite_code(error)
            if rescue and code in _DAMAGED:
                _move_aside(path, "it is no database any more")
                self.engine = _opened(path)
            elif rescue and (code in _NO_DISK or isinstance(error, OSError)):
                self._temporary = _copy(path)
                self.engine = _opened(self._temporary / path.name)
                why = str(getattr(error, "orig", error))
                note_not_kept(path, why)
                _log.error(
                    "%s cannot be written (%s): accounts are as it has them; what is changed now, and who logs in, is"
                    " forgotten when the bridge ends",
                    path,
                    why,
                )
            else:
                raise ConfigError(f"{path}: cannot be used as the database of accounts: {error}") from error

        self._anchor = Anchor(Path(str(self.engine.url.database)))

    def begin_writing(self, _session: Session) -> None:
        """Do nothing: SQLite has locked the file at the transaction's begin."""

    def put_back(self) -> None:
        """Where the file was removed or replaced, put it back as it was.

        Raises:
            sqlite3.Error, OSError: it cannot be written.
        """
        with self._lock:
            if self._anchor.put_back():
                self.engine.dispose()

    def close(self) -> None:
        """Close it."""
        self._anchor.close()
        self.engine.dispose()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)


def _opened(path: Path) -> Engine:
    engine = open_engine(file_url(path))
    try:
        migrate(engine, MIGRATIONS)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _sqlite_code(error: Exception) -> int | None:
    code = getattr(error.orig, "sqlite_errorcode", None) if isinstance(error, DatabaseError) else None
    return None if code is None else code & 0xFF  # the rest says what exactly


def _move_aside(path: Path, why: str) -> None:
    for ending in _BESIDE:
        if path.with_name(path.name + ending).exists():
            move_aside(path.with_name(path.name + ending), f"{why}: all accounts were in it" if not ending else why)


def _copy(path: Path) -> Path:
    """Return a folder in memory, or else on some other disk, with a copy of the database as far as it can be read."""
    folder = Path(tempfile.mkdtemp(prefix="aegis-accounts-", dir=_MEMORY if _MEMORY.is_dir() else None))
    for ending in _BESIDE[:2]:
        with suppress(OSError):
            shutil.copyfile(path.with_name(path.name + ending), folder / (path.name + ending))
    return folder
