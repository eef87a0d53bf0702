# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A PMTiles file of tiles of one zoom, by the specification (version 3), and a vector tile (MVT 2.1)."""

import struct
from itertools import pairwise
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


def write_pmtiles(
    path: Path, z: int, tiles: dict[tuple[int, int], bytes], *, kind: int = 2, compression: int = 1
) -> Path:
    """Write a file of tiles by x and y; `kind` 2 is PNG, 1 vector tiles; `compression` of the tiles 1 is none, 2 gzip."""
    numbered = sorted((tile_number(z, x, y), tile) for (x, y), tile in tiles.items())
    numbers = [number for number, _ in numbered]
    steps = [after - before for before, after in pairwise([0, *numbers])]
    lengths = [len(tile) for _, tile in numbered]
    n = len(numbered)
    directory = b"".join(map(varint, (n, *steps, *[1] * n, *lengths, 1, *[0] * (n - 1))))
    root, data = 127, 127 + len(directory) + 2
    head = struct.pack("<7sB11QBBBBBB", b"PMTiles", 3, root, len(directory), root + len(directory), 2, data, 0, data,
                       sum(lengths), n, n, n, 1, 1, compression, kind, z, z)  # fmt: skip
    head += struct.pack("<4iB2i", -(180 * 10**7), -(85 * 10**7), 180 * 10**7, 85 * 10**7, z, 0, 0)
    assert len(head) == 127
    path.write_bytes(head + directory + b"{}" + b"".join(tile for _, tile in numbered))
    return path


def _field(tag: int, value: bytes) -> bytes:
    return varint(tag << 3 | 2) + varint(len(value)) + value


def _polygon(rings: list[list[tuple[int, int]]]) -> bytes:
    """Return the geometry of a polygon: for each ring a move, lines, and its close; parameters are differences, zigzag."""
    out, at = [], (0, 0)
    for ring in rings:
        steps = []
        for corner in ring:
            steps += [2 * d if d >= 0 else -2 * d - 1 for d in (corner[0] - at[0], corner[1] - at[1])]
            at = corner
        out += [9, *steps[:2], (len(ring) - 1) << 3 | 2, *steps[2:], 15]
    return b"".join(map(varint, out))


def vector_tile(layers: dict[str, list[list[tuple[int, int]]]]) -> bytes:
    """Return a tile with a polygon in each layer, as rings of corners from (0, 0), north-west, to (4096, 4096)."""
    return b"".join(
        _field(
            3, _field(1, name.encode()) + _field(2, b"\x18\x03" + _field(4, _polygon(rings))) + b"\x78\x02\x28\x80\x20"
        )
        for name, rings in layers.items()
    )
