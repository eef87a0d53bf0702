# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Spokes of Garmin's xHD, Raymarine's Quantum and of ASTERIX CAT240, written by hand."""

import math
import struct
import zlib

import numpy as np
from asterix_bytes import time_of_day

LEVELS = np.zeros(240, np.uint8)
LEVELS[100:110] = 200


def garmin_spoke(number: int, levels=LEVELS, *, range_m=1440, angles=1440) -> bytes:
    body = struct.pack(
        "<HHHHIIHHHHI", 1, 0, number % angles * 8, 0, range_m, range_m, 0, len(levels), 0x108, len(levels), 0
    )
    return struct.pack("<II", 0x998, len(body) + len(levels)) + body + levels.tobytes()


def garmin_report(kind: int, value: int) -> bytes:
    return struct.pack("<IIB", kind, 1, value)


def packed(levels) -> bytes:
    """Return a Quantum's cells: 0x5C, n, v for runs, and for cells that are 0x5C themselves."""
    out, i = bytearray(), 0
    while i < len(levels):
        n = 1
        while i + n < len(levels) and levels[i + n] == levels[i] and n < 255:
            n += 1
        if n > 3 or levels[i] == 0x5C:
            out += bytes([0x5C, n, levels[i]])
        else:
            out += bytes([levels[i]]) * n
        i += n
    return bytes(out)


def quantum_spoke(number: int, levels=LEVELS, *, in_range=120, spokes=250) -> bytes:
    data = packed(levels)
    return (
        struct.pack("<IHHHHHHHH", 0x280003, number, 257, len(levels), spokes, 8, in_range, number % spokes, len(data))
        + data
    )


def quantum_status(state=1, index=3) -> bytes:
    ranges = (
        31,
        63,
        125,
        250,
        375,
        500,
        750,
        1000,
        1500,
        2000,
        3000,
        4000,
        6000,
        8000,
        12000,
        16000,
        24000,
        32000,
        48000,
        64000,
    )
    head = struct.pack("<IB15xB", 0x280002, state, index)
    return head.ljust(148, b"\0") + struct.pack("<20I", *ranges) + bytes(32)


def cat240(
    angle: float, cells, *, bits=8, cell_ns=100, first=0, seconds=None, compressed=False, kind=2, sac=1, volume="050"
) -> bytes:
    """Return a record; `angle` [rad] is the begin of 1/1024 turn; cells are packed already."""
    begin = round(angle / 2 / math.pi * 65536) % 65536
    count = len(cells) * 8 // bits
    data = zlib.compress(bytes(cells)) if compressed else bytes(cells)
    resolution = {1: 1, 2: 2, 4: 3, 8: 4, 16: 5, 32: 6}[bits]
    block = {"050": 4, "051": 64, "052": 256}[volume]
    volume_data = data + bytes(-len(data) % block)
    items = [
        bytes([sac, 2]),
        bytes([kind]),
        struct.pack(">I", 7),
        struct.pack(">HHII", begin, (begin + 64) % 65536, first, cell_ns),
        bytes([0x80 * compressed, resolution]),
        struct.pack(">H", len(data)) + count.to_bytes(3, "big"),
        bytes([len(volume_data) // block]) + volume_data,
    ]
    octet2 = {"050": 0x40, "051": 0x20, "052": 0x10}[volume] | 0x80  # I240/049 and the volume
    if seconds is not None:
        items.append(time_of_day(seconds))
        octet2 |= 0x08
    # 010 000 020 - 040 - 048 FX
    return bytes([0b11101011, octet2]) + b"".join(items)
