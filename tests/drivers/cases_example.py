# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Packets of the example radar."""

import struct

from driver_case import DriverCase


def _datagram(scan: int, last: int, points: list[tuple[float, float, float, float]]) -> bytes:
    header = b"EXMP" + struct.pack("<HBBQ", scan, last, len(points), 1_000_000 + 50_000 * scan)
    return header + b"".join(struct.pack("<4f", *point) for point in points)


def _packets() -> list[bytes]:
    """Return five scans: of two datagrams, of one, and of one without points."""
    scans = []
    for scan in range(5):
        if scan != 3:
            scans.append(_datagram(scan, 0, [(100.0 + scan, 30.0, -5.0, 20.0)] * 12))
        scans.append(_datagram(scan, 1, [] if scan == 4 else [(250.0, -45.0 + scan, 3.0, 12.5)] * 3))
    return scans


CASES = [DriverCase("example", _packets, frames=5, line="udp")]
