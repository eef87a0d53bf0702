# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Navico's marine radars (BR24, 3G, 4G, HALO): datagrams to spokes, reports and announcements.

The format is not published. What is here was taken from what is publicly known of it and held against recorded bytes: a datagram
has 8 bytes and up to 32 spokes of 24 + 512; a cell is 4 bits, the low nibble first; of 4096 angles a turn every second is sent.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aegis.core.types import Floats

CELLS = 1024
ANGLES = 4096
FRAME_HEADER, SPOKE_HEADER, SPOKE = 8, 24, 24 + CELLS // 2
MOST_SPOKES = 120
BAR_CELLS = 6  # the radar draws a bar there, whatever it sees
FULL_SCALE = 15
FULL_SCALE_MARKED = 13  # with VelocityTrack on, what is above are marks
APPROACHING, RECEDING = 15, 14
ALL_BITS = 0xFFFF
HEADING_TRUE, HEADING_BITS = 0x4000, 0x0FFF
MARK_3G = b"\x00\x44\x0d\x0e"  # of a spoke of BR24 and 3G, which state their range otherwise
LARGE_RANGE_UNUSED = 0x80
METRES_3G = 10.0 / 2**0.5
LONGEST_M = 200_000.0
MODELS = {0x00: "HALO", 0x01: "4G", 0x08: "3G", 0x0E: "BR24", 0x0F: "BR24"}
ANNOUNCEMENT = b"\x01\xb2"
NKOE = b"NKOE"  # of datagrams that carry a message of NMEA 2000
_SPOKES_DATA, _REPORTS = 0x10, 0x12  # kinds of addresses in an announcement

_HEADER = np.dtype(
    {
        "names": ["length", "status", "number", "mark", "large", "angle", "heading", "small", "range_3g"],
        "formats": ["u1", "u1", "<u2", "S4", "<u2", "<u2", "<u2", "<u2", "<u4"],
        "offsets": [0, 1, 2, 4, 6, 8, 10, 12, 12],
        "itemsize": SPOKE_HEADER,
    }
)


@dataclass
class SpokePacket:
    """The spokes of a datagram, N."""

    angles: Floats  # (N,) clockwise from the bow [rad]
    headings: Floats  # (N,) [rad]; NaN: not told
    true: NDArray[np.bool_]  # (N,) whether the heading is from true north
    range_m: Floats  # (N,) of the far edge of the last cell
    codes: NDArray[np.uint8]  # (N, CELLS)
    numbers: NDArray[np.uint16]  # (N,) of the spokes, which the radar counts
    broken: int  # spokes that are none


def is_spokes(packet: bytes) -> bool:
    """Tell whether a datagram is of spokes."""
    size = len(packet) - FRAME_HEADER
    return packet[:1] == b"\x01" and 0 < size <= MOST_SPOKES * SPOKE and size % SPOKE == 0


def read_spokes(packet: bytes) -> SpokePacket:
    """Return the spokes of a datagram; see `is_spokes`."""
    rows = np.frombuffer(packet, np.uint8, offset=FRAME_HEADER).reshape(-1, SPOKE)
    head = np.ascontiguousarray(rows[:, :SPOKE_HEADER]).view(_HEADER)[:, 0]
    old = head["mark"] == MARK_3G
    large, small = head["large"].astype(np.float64), head["small"].astype(np.float64)
    range_m = np.where(head["large"] == LARGE_RANGE_UNUSED, small / 4.0, large * small / 512.0)
    range_m = np.where(old, (head["range_3g"] & 0xFFFFFF) * METRES_3G, range_m)
    good = (head["length"] == SPOKE_HEADER) & (head["angle"] < ANGLES) & (range_m > 0.0) & (range_m < LONGEST_M)
    good &= old | (head["small"] != ALL_BITS)
    rows, head, range_m = rows[good], head[good], range_m[good]
    codes = np.empty((len(rows), CELLS), np.uint8)
    codes[:, 0::2] = rows[:, SPOKE_HEADER:] & 15
    codes[:, 1::2] = rows[:, SPOKE_HEADER:] >> 4
    codes[:, :BAR_CELLS] = 0
    heading = head["heading"]
    told = ((heading & ~np.uint16(HEADING_TRUE | HEADING_BITS)) == 0) & (heading != 0)
    radians = 2.0 * np.pi / ANGLES
    return SpokePacket(
        angles=head["angle"] * radians,
        headings=np.where(told, (heading & HEADING_BITS) * radians, np.nan),
        true=(heading & HEADING_TRUE) != 0,
        range_m=range_m,
        codes=codes,
        numbers=head["number"],
        broken=int((~good).sum()),
    )


def velocity_track(packet: bytes) -> bool | None:
    """Return whether a HALO marks moving echoes, by its report 08C4; None of another datagram."""
    if packet[:2] != b"\x08\xc4" or len(packet) < 21:
        return None
    return packet[18] in (1, 2)  # both directions, or approaching only


def model(packet: bytes) -> str | None:
    """Return which radar it is, by its report 03C4; None of another datagram."""
    if packet[:2] != b"\x03\xc4" or len(packet) != 129:
        return None
    return MODELS.get(packet[2], f"model {packet[2]:#04x}")


def transmits(packet: bytes) -> bool | None:
    """Return whether the radar transmits, by its report 01C4; None of another datagram."""
    return packet[2] == 2 if packet[:2] == b"\x01\xc4" and len(packet) == 18 else None


@dataclass(frozen=True)
class Channel:
    """Where a radar sends one of its pictures."""

    spokes: tuple[str, int]  # multicast group and port
    reports: tuple[str, int]


def announced(packet: bytes) -> tuple[str, list[Channel]]:
    """Return a radar's serial number and its channels, of its announcement; empty of another datagram.

    An announcement is a list of addresses (4 bytes and a port, big endian), each after 4 bytes that say its kind: 0x10 of spokes,
    0x11 of commands, 0x12 of reports, in this order where a channel has all three.
    """
    if packet[:2] != ANNOUNCEMENT or len(packet) < 36:
        return "", []
    serial = packet[2:18].split(b"\0")[0].decode("ascii", "replace")
    found: list[tuple[int, tuple[str, int]]] = []
    at = 18
    while at + 10 <= len(packet):
        kind = packet[at : at + 4]
        if kind[0] in (0x10, 0x11, 0x12) and kind[1:] == b"\0\0\0" and 224 <= packet[at + 4] < 240:
            group = ".".join(map(str, packet[at + 4 : at + 8]))
            found.append((kind[0], (group, struct.unpack_from(">H", packet, at + 8)[0])))
            at += 10
        else:
            at += 1
    out = [
        Channel(spokes, reports)
        for (a, spokes), (b, _), (c, reports) in zip(found, found[1:], found[2:], strict=False)
        if (a, b, c) == (_SPOKES_DATA, 0x11, _REPORTS)
    ]
    return serial, list(dict.fromkeys(out))
