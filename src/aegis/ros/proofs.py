# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The proofs of messages: whatever has a field `proof` is taken from the graph's own nodes only."""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, Protocol, TypeGuard

import numpy as np
from rclpy.serialization import deserialize_message

from aegis.core.decisions import OutdatedError, ProofChecker, make_proof
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


def is_to_be_proven(kind: type[Any]) -> bool:
    """Tell whether messages of a type carry a proof."""
    return hasattr(kind, PROOF)


def prove(message: Proven, name: str, key: bytes) -> None:
    """Write the proof into a message that goes to `name`, a full name of a topic or service."""
    message.proof = make_proof(key, name, _content(message), time.time_ns())


def proven_again(data: bytes, kind: type[Any], name: str, key: bytes) -> Proven:
    """Return a message that comes on the wire, with the proof of this graph in the place of its own.

    Raises:
        RuntimeError: it is of another definition than `kind` (RMWError, which rclpy does not export).
    """
    message: Proven = deserialize_message(data, kind)
    prove(message, name, key)
    return message


def check_proof(message: Proven, name: str, checker: ProofChecker, *, fresh: bool, newest: bool = False) -> None:
    """Check the proof of a message that came on `name`; `fresh` and `newest` as in `ProofChecker.check`.

    Raises:
        ValueError: why it is not to be taken.
    """
    checker.check(name, _content(message), message.proof, time.time_ns(), fresh=fresh, newest=newest)


class Regular:
    """What comes with each scan or each second, and has a proof: tracks, threats, status.

    A user's own tracker has no key, and may stand in the place of ours. So what has no proof is taken too, but only as long as no
    node of this graph was heard there, and only where its plan has none.
    """

    def __init__(self, checker: ProofChecker, planned: str) -> None:
        """Begin.

        Args:
            checker: has the graph's key.
            planned: what nodes of this graph publish, as the environment variable PROVEN_BY_PLAN says it: topics, and of a
                topic with several publishers `TOPIC:WHOSE`.
        """
        self._checker = checker
        self._planned = frozenset(planned.split(","))
        self._heard: set[tuple[str, str]] = set()  # topics, and whose messages were proven there

    def is_first(self, message: Proven, at: str, name: str, whose: Sequence[str]) -> bool:
        """Tell whether a message, which is to be taken, is the first that is proven: then who was taken before is a stranger.

        Args:
            message: with its proof.
            at: by which name of the graph's table it is heard.
            name: the full name of that.
            whose: which of several that come there; of a status the stages of its rows.

        Raises:
            OutdatedError: it is of this graph, and older than what was taken.
            ValueError: why it is not of this graph, where a node of that was heard, or is planned.
        """
        content = _content(message) if message.proof else b""
        try:
            self._checker.check_latest(name, ",".join(whose), content, message.proof, time.time_ns())
        except OutdatedError:
            raise
        except ValueError:
            if at in self._planned or any((at, one) in self._heard or f"{at}:{one}" in self._planned for one in whose):
                raise
            return False
        before = len(self._heard)
        self._heard.update((at, one) for one in whose)
        return len(self._heard) > before


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
    if one is _text:  # all of them at once: a picture has one for each track
        return lambda texts: (
            _COUNT.pack(len(texts)) + _text(",".join([str(len(t)) for t in texts])) + _text("".join(texts))
        )

    def write(values: Iterable[Any]) -> bytes:
        written = [one(value) for value in values]
        return _COUNT.pack(len(written)) + b"".join(written)

    return write


def _text(value: str) -> bytes:
    text = value.encode("utf-8", "surrogatepass")
    return _COUNT.pack(len(text)) + text
