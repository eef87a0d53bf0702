# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Packets of TI's mmWave SDK out-of-box demo (SDK 3.x), decoded.

A packet (TI, "Understanding the Out of Box Demo Data Output") is a header of 40 bytes, which begins with a magic word, and
records of type, length, value, padded to a multiple of 32 bytes; little endian, without a checksum.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from aegis.drivers.frames import FormatError

MAGIC = bytes((2, 1, 4, 3, 6, 5, 8, 7))
# After the magic word: version, total length, platform, frame number, time in CPU cycles, objects, records, subframe.
_HEADER = struct.Struct("<8I")
HEADER_BYTES = len(MAGIC) + _HEADER.size
MAX_PACKET_BYTES = 1 << 17  # the largest heat maps fit, and it is more than a second of the line
_RECORD = struct.Struct("<II")  # type, length of the value
MAX_RECORDS = 32

_POINTS, _STATS, _SIDE_INFO, _TEMPERATURE = 1, 6, 7, 9
# Range profile, noise profile, azimuth, range-Doppler and azimuth-elevation heat map: known, and of no use here.
_MAPS = (2, 3, 4, 5, 8)
_STATS_RECORD = struct.Struct("<6I")
_STATS_NAMES = (
    "interframe_processing_time_us", "transmit_output_time_us", "interframe_processing_margin_us",
    "interchirp_processing_margin_us", "active_frame_cpu_load_percent", "interframe_cpu_load_percent",
)  # fmt: skip
_TEMPERATURE_RECORD = struct.Struct("<iI10h")  # 0 where it is valid, ms since power-on, degrees Celsius
_TEMPERATURE_NAMES = ("rx1", "rx2", "rx3", "rx4", "tx1", "tx2", "tx3", "pm", "digital1", "digital2")


@dataclass
class DemoPacket:
    """One packet: a frame, or a subframe of it."""

    frame_number: int
    subframe: int
    cpu_cycles: int  # when it was made, modulo 2^32
    points: NDArray[
        np.float32
    ]  # (N, 4): x, y, z [m] in TI's axes (x right, y forward, z up), Doppler [m/s] positive receding
    snr_noise: NDArray[np.int16] | None = None  # (N, 2) [0.1 dB]
    values: dict[str, int] = field(default_factory=dict)  # load and temperatures
    processing_us: int = 0  # between the end of the frame's chirps and this packet; 0 is unknown
    unknown_records: int = 0


def packet_length(begin: bytes | bytearray) -> int:
    """Return the length of the packet whose first HEADER_BYTES these are."""
    return int(_HEADER.unpack_from(begin, len(MAGIC))[1])


def decode_packet(raw: bytes) -> DemoPacket:
    """Decode a packet of the length that it says.

    Raises:
        FormatError: it contradicts itself.
    """
    _, _, _, number, cycles, objects, records, subframe = _HEADER.unpack_from(raw, len(MAGIC))
    if records > MAX_RECORDS:
        raise FormatError("too many records")
    packet = DemoPacket(number, subframe, cycles, np.zeros((0, 4), "<f4"))
    begin = HEADER_BYTES
    for _ in range(records):
        if begin + _RECORD.size > len(raw):
            raise FormatError("record beyond the packet")
        kind, length = _RECORD.unpack_from(raw, begin)
        begin += _RECORD.size
        if begin + length > len(raw):
            raise FormatError("record beyond the packet")
        _read_record(packet, kind, raw[begin : begin + length], objects)
        begin += length
    if len(packet.points) != objects:
        raise FormatError("other number of points")
    return packet


def _read_record(packet: DemoPacket, kind: int, value: bytes, objects: int) -> None:
    expected = {
        _POINTS: 16 * objects,
        _SIDE_INFO: 4 * objects,
        _STATS: _STATS_RECORD.size,
        _TEMPERATURE: _TEMPERATURE_RECORD.size,
    }
    if len(value) != expected.get(kind, len(value)):
        raise FormatError("wrong length of a record")
    if kind == _POINTS:
        packet.points = np.frombuffer(value, "<f4").reshape(-1, 4)
    elif kind == _SIDE_INFO:
        packet.snr_noise = np.frombuffer(value, "<i2").reshape(-1, 2)
    elif kind == _STATS:
        stats = _STATS_RECORD.unpack(value)
        packet.values |= dict(zip(_STATS_NAMES, stats, strict=True))
        packet.processing_us = stats[0]
    elif kind == _TEMPERATURE:
        invalid, _, *degrees = _TEMPERATURE_RECORD.unpack(value)
        if not invalid:
            packet.values |= {f"temperature_{k}_c": v for k, v in zip(_TEMPERATURE_NAMES, degrees, strict=True)}
    elif kind not in _MAPS:
        packet.unknown_records += 1
