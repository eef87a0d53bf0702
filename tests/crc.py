# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A CRC bit by bit, after the definition: an oracle for the quick ones."""


def crc(data: bytes, *, width: int, polynomial: int, start: int, final: int = 0) -> int:
    """Return the CRC, most significant bit first, nothing reflected."""
    value = start
    for bit in (byte >> i & 1 for byte in data for i in range(7, -1, -1)):
        top = value >> (width - 1)
        value = (value << 1) & ((1 << width) - 1)
        if top != bit:
            value ^= polynomial
    return value ^ final


def crc16_ccitt(data: bytes) -> int:
    return crc(data, width=16, polynomial=0x1021, start=0xFFFF)
