# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Messages on a TCP stream: 4 octets of length, little-endian, then the protobuf (BSI Flex 335 v2; Apex's message_io.py)."""

from __future__ import annotations

import struct

LENGTH = struct.Struct("<I")
MAX_MESSAGE_BYTES = 1 << 20  # as Apex's messageMaxSizeKb


class FramingError(ValueError):
    """The stream cannot be divided into messages any more."""


def framed(message: bytes) -> bytes:
    """Return a message with its length before it."""
    return LENGTH.pack(len(message)) + message


class Deframer:
    """Divides what comes in into messages; keeps one message at most."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that are complete.

        Raises:
            FramingError: a length is 0 or longer than any message; nothing can be read after it.
        """
        buffer = self._buffer
        buffer += data
        out, at = [], 0
        while len(buffer) - at >= LENGTH.size:
            (length,) = LENGTH.unpack_from(buffer, at)
            if not 0 < length <= MAX_MESSAGE_BYTES:
                raise FramingError(f"a message of {length} octets; 1 to {MAX_MESSAGE_BYTES} are expected")
            if len(buffer) - at < LENGTH.size + length:
                break
            out.append(bytes(buffer[at + LENGTH.size : at + LENGTH.size + length]))
            at += LENGTH.size + length
        del buffer[:at]
        return out
