# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The proofs of messages: whatever has a field `proof` is taken from the graph's own nodes only."""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Protocol, TypeGuard

import numpy as np

from aegis.core.decisions import ProofChecker, make_proof
from aegis.ros.messages.fields import PROOF, Message

Encoder = Callable[[Any], bytes]

_ARRAY = re.compile(r"sequence<(.+?)(?:, \d+)?>|(.+)\[\d+\]")
_COUNT = struct.Struct("<Q")
# By the type of a field: how struct and numpy write it. float is rounded here as on its way over DDS.
_NUMBERS = {
    "boolean": "?", "float": "f", "double": "d", "int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i",
    "uint32": "I", "int64": "q", "uint64": "Q",
}  # fmt: skip


class Proven(Message, Protocol):
    """A message that carries a proof of where it comes from."""

    proof: str


def has_proof(message: object) -> TypeGuard[Proven]:
    """Tell whether a message is of a type that carries a proof."""
    return hasattr(message, PROOF)


def prove(message: Proven, name: str, key: bytes) -> None:
    """Write the proof into a message that goes to `name`, a full name of a topic or service."""
    message.proof = make_proof(key, name, _content(message), time.time_ns())


def check_proof(message: Proven, name: str, checker: ProofChecker, *, fresh: bool, newest: bool = False) -> None:
    """Check the proof of a message that came on `name`; `fresh` and `newest` as in `ProofChecker.check`.

    Raises:
        ValueError: why it is not to be taken.
    """
    checker.check(name, _content(message), message.proof, time.time_ns(), fresh=fresh, newest=newest)


def _content(message: Message) -> bytes:
    """Return what a message says without its proof, the same before and after its way over DDS.

    The bytes on the wire will not do: rclpy leaves their padding as it was in memory.
    """
    return b"".join(encode(getattr(message, name)) for name, encode in _fields(type(message)))


@cache
def _fields(kind: type[Message]) -> tuple[tuple[str, Encoder], ...]:
    return tuple((name, _encoder(of)) for name, of in kind.get_fields_and_field_types().items() if name != PROOF)


def _encoder(of: str) -> Encoder:
    """Return what writes a field's value so that no other value is written alike."""
    if array := _ARRAY.fullmatch(of):
        return _many(array[1] or array[2])
    if code := _NUMBERS.get(of):
        return struct.Struct(f"<{code}").pack
    if of.startswith(("string", "wstring")):
        return _text
    return bytes if of == "octet" else _content


def _many(of: str) -> Encoder:
    if code := _NUMBERS.get(of):
        dtype = np.dtype(code).newbyteorder("<")
        return lambda values: _COUNT.pack(len(values)) + np.asarray(values, dtype).tobytes()
    one = _encoder(of)

    def write(values: Iterable[Any]) -> bytes:
        written = [one(value) for value in values]
        return _COUNT.pack(len(written)) + b"".join(written)

    return write


def _text(value: str) -> bytes:
    text = value.encode("utf-8", "surrogatepass")
    return _COUNT.pack(len(text)) + text
