# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Packets as a smartmicro UMRR sends them, put together byte by byte after the layout."""

import struct

from crc import crc16_ccitt

CLIENT = 206_560
FLOATS_A = "range speed_radial azimuth elevation range_variance speed_variance azimuth_variance elevation_variance"
FLOATS_B = "rcs false_alarm_probability"


def target(order: str, **fields: float) -> bytes:
    """Return the 56 bytes of a target; absent fields are 0."""
    out = b"".join(struct.pack(order + "f", fields.get(name, 0.0)) for name in f"{FLOATS_A} {FLOATS_B}".split())
    out += struct.pack(order + "I", int(fields.get("flags", 0)))
    out += struct.pack(order + "ff", fields.get("power", 0.0), fields.get("noise", 0.0))
    return out + struct.pack(order + "HH", int(fields.get("peak_index", 0)), 0)


def port(
    targets: list[dict[str, float]],
    *,
    version: int = 1,
    order: str = ">",
    created: int = 100 << 32,
    cycle_s: float = 0.0625,
    acquisition_start: int = 0,
) -> bytes:
    """Return a target list port; the header of the port is big endian whatever `order` is."""
    body = struct.pack(order + "fH", cycle_s, len(targets))
    if version <= 2:
        body += struct.pack(order + "H", 49)
    else:
        body += bytes([1, 2, 3, 4]) + bytes(2) + struct.pack(order + "f", 31.5)
    if version == 4:
        body += struct.pack(order + "Q", acquisition_start)
    body += b"".join(target(order, **fields) for fields in targets)
    head = struct.pack(">IHHQ", 66, version, 0, created)
    return head + struct.pack(">I", 24 + len(body)) + bytes([1 if order == ">" else 2, 0, 2, 0]) + body


def cut(data: bytes, counter: int, *, size: int = 1366, client: int = CLIENT, protocol: int = 8) -> list[bytes]:
    """Return a port as the transport cuts it."""
    parts = [data[i : i + size] for i in range(0, len(data), size)]
    out = []
    for index, part in enumerate(parts):
        head = bytes([0x7E, 1, 22]) + struct.pack(">HBI", len(part), protocol, 0x6D)
        head += struct.pack(">HIHH", index, client, counter % (1 << 16), len(parts))
        out.append(head + struct.pack(">H", crc16_ccitt(head)) + part)
    return out


def log(text: str, counter: int = 7, *, protocol: int = 6) -> bytes:
    """Return a message that is not cut; its payload has a CRC of its own behind it."""
    payload = text.encode()
    head = bytes([0x7E, 1, 18]) + struct.pack(">HBI", len(payload), protocol, 0x09)
    head += struct.pack(">HI", counter, CLIENT)
    return head + struct.pack(">H", crc16_ccitt(head)) + payload + struct.pack(">H", crc16_ccitt(payload))
