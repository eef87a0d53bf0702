# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Datagrams of Navico's radars written by hand: 8 bytes, then spokes of 24 + 512, 4 bits a cell."""

import struct

import numpy as np

CELLS = 1024


def spoke(number, angle, levels, *, range_m=1000.0, heading=0, old=False) -> bytes:
    """Return a spoke at an angle (0 to 4095); levels (1024,) of 0 to 15; `old`: as BR24 and 3G send their range."""
    levels = np.asarray(levels, np.uint8)
    data = (levels[0::2] | levels[1::2] << 4).tobytes()
    if old:
        raw = round(range_m * 2**0.5 / 10)
        head = struct.pack("<BBH4sHHIQ", 24, 2, number, b"\x00\x44\x0d\x0e", angle, heading, raw, 0)
    else:
        head = struct.pack("<BBHHHHHHHQ", 24, 2, number, 0x4400, 0x80, angle, heading, round(range_m * 4), 0, 0)
    return head + data


def packet(*spokes: bytes) -> bytes:
    return b"\x01\x00\x00\x00\x00\x20\x00\x02" + b"".join(spokes)


def velocity_track(state: int) -> bytes:
    """Return the report that says whether moving echoes are marked: 0 off, 1 both ways, 2 approaching only."""
    return b"\x08\xc4" + bytes(16) + bytes([state]) + b"\x4d\x00"


def turn(spokes=2048, per_packet=32, **more) -> list[bytes]:
    """Return the datagrams of a turn with one echo: cells 500 to 509, ahead."""
    out = []
    for first in range(0, spokes, per_packet):
        rows = []
        for k in range(first, first + per_packet):
            angle = k * 4096 // spokes
            levels = np.zeros(CELLS, np.uint8)
            if min(angle, 4096 - angle) < 30:
                levels[500:510] = 12
            rows.append(spoke(k % 4096, angle, levels, **more))
        out.append(packet(*rows))
    return out
