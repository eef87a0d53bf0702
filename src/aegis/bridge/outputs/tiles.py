# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A map for the page: raster tiles in one PMTiles file (version 3, github.com/protomaps/PMTiles), read by ranges."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from aegis.core.params import ConfigError

_HEAD = struct.Struct("<7sB")  # magic, version
_TYPE_AT, _HEAD_BYTES = 99, 127
_RASTER = {2: "png", 3: "jpeg", 4: "webp", 5: "avif"}
_VECTOR = 1


@dataclass(frozen=True)
class MapTiles:
    """The file, which the page reads itself."""

    path: Path

    @classmethod
    def load(cls, path: str) -> Self:
        """Look at a file.

        Raises:
            ConfigError: it cannot be read, is no PMTiles file, or has vector tiles.
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
        if kind == _VECTOR:
            raise ConfigError(f"{named} has vector tiles; raster ones ({', '.join(_RASTER.values())}) are drawn")
        if kind not in _RASTER:
            raise ConfigError(f"{named} has tiles of the unknown type {kind}; {', '.join(_RASTER.values())} are drawn")
        return cls(Path(path).absolute())
