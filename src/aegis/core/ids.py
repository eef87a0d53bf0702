"""Ids (of tracks, of EW advice) that are never used twice, also across restarts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from aegis.core.types import Ints
from aegis.state import write_atomically

BLOCK = 4096
LAST_ID = 2**32 - 1  # the messages carry uint32


class UniqueIds:
    """Hands out ids from 1, or after the last block that an earlier run reserved.

    With a file, ids are reserved on disk a block at a time before they are used: a crash skips ids and repeats none.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Go on from `path`, or from 1 without one.

        Raises:
            ValueError: the file is not one of ours. It is not overwritten: that could repeat ids.
        """
        self._path = path
        self._next = 1
        if path is not None and path.exists():
            try:
                self._next = int(json.loads(path.read_bytes())["next_id"])
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"{path}: not an id file ({error}); move it away to begin again at 1") from error
        self._reserved = self._next

    def take(self, n: int) -> Ints:
        """Return n new ids.

        Raises:
            OverflowError: the 2^32 - 1 ids are used up.
        """
        end = self._next + n
        if end - 1 > LAST_ID:
            raise OverflowError(f"ids are used up ({LAST_ID}); remove {self._path} to begin again at 1")
        if self._path is not None and end > self._reserved:
            reserved = end + BLOCK
            write_atomically(self._path, json.dumps({"next_id": reserved}).encode())
            self._reserved = reserved
        out = np.arange(self._next, end, dtype=np.int64)
        self._next = end
        return out
