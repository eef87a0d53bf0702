# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A map for the page: tiles in one PMTiles file (version 3, github.com/protomaps/PMTiles), read by ranges."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from aegis.core.params import ConfigError

_HEAD = struct.Struct("<7sB")  # magic, version
_COMPRESSIONS_AT, _TYPE_AT, _HEAD_BYTES = 97, 99, 127
_DRAWN = {1: "vector tiles (MVT)", 2: "png", 3: "jpeg", 4: "webp", 5: "avif"}
_NOT_UNPACKED = {3: "brotli", 4: "zstd"}  # by browsers


@dataclass(frozen=True)
class MapTiles:
    """The file, which the page reads itself."""

    path: Path

    @classmethod
    def load(cls, path: str) -> Self:
        """Look at a file.

        Raises:
            ConfigError: it cannot be read, is no PMTiles file, or has tiles that the page cannot draw.
        """
        named = f"bridge: outputs.tiles '{path}'"
        try:
            with Path(path).open("rb") as file:
                head = file.read(_HEAD_BYTES)
        except OSError as error:
            raise ConfigError(f"{named} cannot be read: {error.strerror or error}") from error
        magic, version = _HEAD.unpack_from(head) if len(head) == _HEAD_BYTES else (b"", 0)
        if magic != b"PMTiles" or version != 3:
            raise ConfigError(f"{named} is no PMTiles file of version 3")
        kind = head[_TYPE_AT]
        if kind not in _DRAWN:
            raise ConfigError(f"{named} has tiles of the unknown type {kind}; {', '.join(_DRAWN.values())} are drawn")
        for compression in head[_COMPRESSIONS_AT:_TYPE_AT]:  # of its directories, of its tiles
            if compression in _NOT_UNPACKED:
                raise ConfigError(f"{named} is compressed by {_NOT_UNPACKED[compression]}; gzip or none can be read")
        return cls(Path(path).absolute())
