# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What goes over the line: keys of zenoh, a header beside each message, pages of the record. Messages are CDR, as DDS has them.

aegis/SITE/live/TOPIC      a message; its attachment is the header
aegis/SITE/state           what the site's record holds, once a second: JSON
aegis/SITE/record/TOPIC    asked with `from`: a page of what is recorded from that number on
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from backports import zstd

ROOT = "aegis"
MOST_BYTES = 16 * 2**20  # of a message, unpacked
PAGE_BYTES = 32 * 1024  # of messages in a page, but for one that is larger itself: an alarm waits for no more than that
_PACKED_FROM_BYTES = 512
_LEVEL = 3
_HEADER = struct.Struct("<QQB")  # record or run, number, whether it is packed
_ENTRY = struct.Struct("<QI")  # number, bytes
_CDR_STAMP = {
    0: struct.Struct(">iI"),
    1: struct.Struct("<iI"),
}  # by the encapsulation: after it, every message has a header's stamp
_CDR_HEADER_BYTES = 4


class WireError(ValueError):
    """What came over the line is not what another uplink sends."""


class Message(NamedTuple):
    """A message as it was sent."""

    run: int  # of what is recorded, the record's identity; else the sending process's
    sequence: int
    data: bytes  # CDR


@dataclass(frozen=True)
class SiteState:
    """What a site says of itself."""

    record: int
    run: int
    kept: dict[str, list[int]]  # of each recorded topic the first and last number; first = last + 1: none

    def encoded(self) -> bytes:
        """Return it for the line."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decoded(cls, data: bytes) -> SiteState:
        """Read it.

        Raises:
            WireError: it is not one.
        """
        try:
            said = json.loads(data)
            kept = {str(topic): [int(first), int(last)] for topic, (first, last) in said["kept"].items()}
            return cls(int(said["record"]), int(said["run"]), kept)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise WireError(f"not the state of a site: {error!r}") from None


def live_key(site: str, topic: str) -> str:
    """Return where messages of a topic go."""
    return f"{ROOT}/{site}/live/{topic}"


def state_key(site: str) -> str:
    """Return where a site's state goes."""
    return f"{ROOT}/{site}/state"


def record_key(site: str, topic: str) -> str:
    """Return where a site's record is asked."""
    return f"{ROOT}/{site}/record/{topic}"


def packed(message: Message) -> tuple[bytes, bytes]:
    """Return (payload, attachment)."""
    data, squeezed = message.data, False
    if len(data) >= _PACKED_FROM_BYTES:
        smaller = zstd.compress(data, _LEVEL)
        if len(smaller) < len(data):
            data, squeezed = smaller, True
    return data, _HEADER.pack(message.run, message.sequence, squeezed)


def unpacked(payload: bytes, attachment: bytes | None) -> Message:
    """Return what was packed.

    Raises:
        WireError: it is not what `packed` gives, or too large.
    """
    if attachment is None or len(attachment) != _HEADER.size:
        raise WireError("a message without its header")
    run, sequence, squeezed = _HEADER.unpack(attachment)
    return Message(run, sequence, _unsqueezed(payload) if squeezed else payload)


def page_of(record: int, messages: Iterable[tuple[int, bytes]]) -> tuple[bytes, bytes]:
    """Return (payload, attachment) of numbered messages of a record."""
    body = b"".join(_ENTRY.pack(sequence, len(data)) + data for sequence, data in messages)
    return packed(Message(record, 0, body))


def messages_of(payload: bytes, attachment: bytes | None) -> tuple[int, Sequence[tuple[int, bytes]]]:
    """Return a page's record and its messages.

    Raises:
        WireError: it is no page.
    """
    page = unpacked(payload, attachment)
    out, at = [], 0
    while at < len(page.data):
        if at + _ENTRY.size > len(page.data):
            raise WireError("a page that ends within an entry")
        sequence, size = _ENTRY.unpack_from(page.data, at)
        at += _ENTRY.size
        if at + size > len(page.data):
            raise WireError("a page that ends within a message")
        out.append((sequence, page.data[at : at + size]))
        at += size
    return page.run, out


def stamp_of_cdr(data: bytes) -> int:
    """Return the header stamp of a message in CDR, in nanoseconds; it begins with a header, as every topic's does.

    Raises:
        WireError: it is too short, or in another encoding.
    """
    if len(data) < _CDR_HEADER_BYTES + 8 or data[0] or data[1] not in _CDR_STAMP:
        raise WireError("not CDR with a header")
    seconds, nanoseconds = _CDR_STAMP[data[1]].unpack_from(data, _CDR_HEADER_BYTES)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)


def _unsqueezed(payload: bytes) -> bytes:
    try:
        data = zstd.ZstdDecompressor().decompress(payload, max_length=MOST_BYTES + 1)
    except zstd.ZstdError as error:
        raise WireError(f"not zstd: {error}") from None
    if len(data) > MOST_BYTES:
        raise WireError(f"a message of more than {MOST_BYTES} bytes")
    return data
