# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A PMTiles file of one tile, by the specification (version 3, nothing compressed)."""

import struct
from pathlib import Path


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def tile_number(z: int, x: int, y: int) -> int:
    """Return the place of a tile on the Hilbert curves of all zooms."""
    found, n = (4**z - 1) // 3, 2**z
    s = n // 2
    while s:
        rx, ry = int(x & s > 0), int(y & s > 0)
        found += s * s * ((3 * rx) ^ ry)
        if not ry:
            if rx:
                x, y = n - 1 - x, n - 1 - y
            x, y = y, x
        s //= 2
    return found


def write_pmtiles(path: Path, z: int, x: int, y: int, tile: bytes, *, kind: int = 2) -> Path:
    """Write a file with one tile; `kind` 2 is PNG, 1 vector tiles."""
    directory = b"".join(map(varint, (1, tile_number(z, x, y), 1, len(tile), 1)))
    root, data = 127, 127 + len(directory) + 2
    head = struct.pack("<7sB11QBBBBBB", b"PMTiles", 3, root, len(directory), root + len(directory), 2, data, 0, data,
                       len(tile), 1, 1, 1, 1, 1, 1, kind, z, z)  # fmt: skip
    head += struct.pack("<4iB2i", -(180 * 10**7), -(85 * 10**7), 180 * 10**7, 85 * 10**7, z, 0, 0)
    assert len(head) == 127
    path.write_bytes(head + directory + b"{}" + tile)
    return path
