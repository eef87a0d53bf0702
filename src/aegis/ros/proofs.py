"""The proofs of decisions on messages: whatever has a field `proof` is taken from the graph's own bridge only."""

from __future__ import annotations

import time
from typing import Any

from rclpy.serialization import serialize_message

from aegis.core.decisions import ProofChecker, make_proof


def has_proof(message: Any) -> bool:
    """Tell whether a message carries a person's decision."""
    return hasattr(message, "proof")


def prove(message: Any, name: str, key: bytes) -> None:
    """Write the proof into a message that goes to `name`, a full name of a topic or service."""
    message.proof = make_proof(key, name, _content(message), time.time_ns())


def check_proof(message: Any, name: str, checker: ProofChecker, *, fresh: bool) -> None:
    """Check the proof of a message that came on `name`.

    Raises:
        ValueError: why it is not to be taken.
    """
    checker.check(name, _content(message), message.proof, time.time_ns(), fresh=fresh)


def _content(message: Any) -> bytes:
    proof, message.proof = message.proof, ""
    try:
        return bytes(serialize_message(message))
    finally:
        message.proof = proof
