# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A file that gets whole lines only, and is put aside when it is full."""

from __future__ import annotations

import os
from pathlib import Path


class RotatedFile:
    """Appends to `FILE`; the older ones are `FILE.1`, `FILE.2`, ... All are their owner's alone."""

    def __init__(self, path: Path, max_bytes: int, kept: int) -> None:
        """Prepare; the file, and its folder, are made by the first line.

        Args:
            path: of the current file.
            max_bytes: size that it does not grow beyond, unless by a single line.
            kept: how many older ones stay.
        """
        self._path = path
        self._max_bytes = max_bytes
        self._kept = kept
        self._file: int | None = None
        self._size = 0

    def append(self, line: bytes) -> None:
        """Write a line, whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        content = line + b"\n"
        file = self._open() if self._file is None else self._file
        if self._size and self._size + len(content) > self._max_bytes:
            file = self._rotate()
        written = 0
        try:
            while written < len(content):
                written += os.write(file, content[written:])
        except OSError:
            if written:
                os.ftruncate(file, os.fstat(file).st_size - written)
            raise
        self._size += written

    def close(self) -> None:
        """Close the file; another line opens it again."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> int:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(file, 0o600)  # one that was there already may have been open to others
            self._size = os.fstat(file).st_size
        except OSError:
            os.close(file)
            raise
        self._file = file
        return file

    def _rotate(self) -> int:
        self.close()
        for number in range(self._kept, 0, -1):
            younger = self._path if number == 1 else self._aside(number - 1)
            if younger.exists():
                os.replace(younger, self._aside(number))
        return self._open()

    def _aside(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
