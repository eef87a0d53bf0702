"""Proofs that a person's decision comes from the graph's own bridge: an HMAC with a key that its nodes share.

On DDS anybody who reaches the graph may call a service or publish a topic, under any node's name.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict

# How old a call may be. It includes by how much the clocks of two machines may differ.
FRESH_S = 30.0
MOST_REMEMBERED = 4096  # proofs that were used


def make_proof(key: bytes, name: str, content: bytes, now_ns: int) -> str:
    """Return the proof of a decision: time, a number used once, and the HMAC over them, the name and the content.

    Args:
        key: that the graph's nodes share.
        name: of the service or topic, with its namespace.
        content: the message, serialised without its proof.
        now_ns: wall time.
    """
    head = f"{now_ns}.{secrets.token_hex(8)}"
    return f"{head}.{_mac(key, head, name, content)}"


class ProofChecker:
    """Checks proofs; each is good once."""

    def __init__(self, key: bytes) -> None:
        """Check with a key that the graph's nodes share."""
        self._key = key
        self._used: OrderedDict[str, None] = OrderedDict()

    def check(self, name: str, content: bytes, proof: str, now_ns: int, *, fresh: bool) -> None:
        """Take a decision's proof.

        Args:
            name: of the service or topic, with its namespace.
            content: the message, serialised without its proof.
            proof: as it came.
            now_ns: wall time.
            fresh: whether it has to be of now; what is latched may be older.

        Raises:
            ValueError: why the decision is not to be taken.
        """
        if not proof:
            raise ValueError("it has no proof: decisions are taken on the page, or through the bridge's API")
        head, _, mac = proof.rpartition(".")
        if not hmac.compare_digest(mac.encode(), _mac(self._key, head, name, content).encode()):
            raise ValueError(
                "its proof is wrong: it does not come from this graph's bridge, or that has another key (on several machines:"
                " the same AEGIS_DECISION_KEY)"
            )
        age_s = (now_ns - int(head.partition(".")[0])) * 1e-9
        if fresh and abs(age_s) > FRESH_S:
            raise ValueError(
                f"it is {age_s:.0f} s old; the bridge's clock and this one have to agree within {FRESH_S:g} s"
            )
        if proof in self._used:
            raise ValueError("its proof was used before")
        self._used[proof] = None
        if len(self._used) > MOST_REMEMBERED:
            self._used.popitem(last=False)


def _mac(key: bytes, head: str, name: str, content: bytes) -> str:
    return hmac.new(key, b"\0".join((head.encode(), name.encode(), content)), hashlib.sha256).hexdigest()
