"""The proofs of decisions on messages: whatever has a field `proof` is taken from the graph's own bridge only."""

from __future__ import annotations

import json
import time
from typing import Protocol, TypeGuard

from rclpy.serialization import deserialize_message, serialize_message

from aegis.core.decisions import ProofChecker, make_proof
from aegis.ros.messages.fields import Message


class Proven(Message, Protocol):
    """A message that carries a person's decision."""

    proof: str


def has_proof(message: object) -> TypeGuard[Proven]:
    """Tell whether a message carries a person's decision."""
    return hasattr(message, "proof")


def prove(message: Proven, name: str, key: bytes) -> None:
    """Write the proof into a message that goes to `name`, a full name of a topic or service."""
    message.proof = make_proof(key, name, _content(message), time.time_ns())


def check_proof(message: Proven, name: str, checker: ProofChecker, *, fresh: bool) -> None:
    """Check the proof of a message that came on `name`.

    Raises:
        ValueError: why it is not to be taken.
    """
    checker.check(name, _content(message), message.proof, time.time_ns(), fresh=fresh)


def _content(message: Proven) -> bytes:
    """Return what a message says without its proof, the same before and after its way over DDS.

    The bytes on the wire will not do: rclpy leaves their padding as it was in memory. The way there and back rounds float32.
    """
    arrived = deserialize_message(serialize_message(message), type(message))
    said = _plain(arrived)
    assert isinstance(said, dict)
    del said["proof"]
    return json.dumps(said).encode()


def _plain(value: object) -> object:
    """Return fields and elements as JSON knows them."""
    if isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if hasattr(value, "get_fields_and_field_types"):
        return {name: _plain(getattr(value, name)) for name in value.get_fields_and_field_types()}
    assert hasattr(value, "__iter__"), type(value)
    return [_plain(one.item() if hasattr(one, "item") else one) for one in value]
