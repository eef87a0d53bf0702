# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Holds a database of SQLite open, so that it can be put back where somebody removes or replaces its file while it is in use."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

_log = logging.getLogger(__name__)


class Anchor:
    """One open connection, which sees what was committed also when the file has no name any more."""

    def __init__(self, path: Path) -> None:
        """Open the file, which is there.

        Raises:
            sqlite3.Error, OSError: it cannot be opened.
        """
        self._path = path
        self._hold()

    def _hold(self) -> None:
        path = self._path
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("SELECT * FROM sqlite_master LIMIT 1").fetchall()  # before it, nothing is open
        self._inode = _inode(path)

    def put_back(self) -> bool:
        """Where the file is gone or another, write all that was in it to its place; return whether that was so.

        What is there now is renamed. Whoever else has the file open must open it anew.

        Raises:
            sqlite3.Error, OSError: it cannot be written.
        """
        with suppress(FileNotFoundError):
            if _inode(self._path) == self._inode:
                return False
        path = self._path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = path.with_name(f"{path.name}.put-back")
        part.unlink(missing_ok=True)
        self._connection.execute("VACUUM INTO ?", (str(part),))
        part.chmod(0o600)
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        found = ""
        if path.exists() and path.stat().st_size:
            aside = path.with_name(f"{path.name}.replaced-{time.time_ns()}")
            path.rename(aside)
            found = f"; what was in its place is {aside.name}"
        os.replace(part, path)
        _log.error("%s was removed or replaced while it was in use; it is put back as it was%s", path, found)
        self.close()
        self._hold()
        return True

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()


def _inode(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino
