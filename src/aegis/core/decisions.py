# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Proofs that a decision, a command or a message comes from the graph's own nodes: an HMAC with a key that they share.

On DDS anybody who reaches the graph may call a service or publish a topic, under any node's name.
"""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict

# How old a call may be. It includes by how much the clocks of two machines may differ.
FRESH_S = 30.0
MOST_REMEMBERED = 4096  # proofs that were used, of each kind
OWN = "it does not come from a node of this graph"


class OutdatedError(ValueError):
    """What was said is of the graph, and what was said later has been taken already."""


def make_proof(key: bytes, name: str, content: bytes, now_ns: int) -> str:
    """Return the proof of a message: time, a number used once, and the HMAC over them, the name and the content.

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
        # Apart, so that what may be as old as it likes drives out nothing that may not be said again.
        self._used: dict[bool, OrderedDict[str, None]] = {True: OrderedDict(), False: OrderedDict()}
        self._newest_ns: dict[tuple[str, str], int] = {}  # by the name, and whose of several that come by it

    def check(self, name: str, content: bytes, proof: str, now_ns: int, *, fresh: bool, newest: bool = False) -> None:
        """Take a message's proof.

        Args:
            name: of the service or topic, with its namespace.
            content: the message, serialised without its proof.
            proof: as it came.
            now_ns: wall time.
            fresh: whether it has to be of now; what is latched may be older.
            newest: whether it has to be newer than all that came by this name, as what replaces what came before.

        Raises:
            OutdatedError: a newer one was taken, as of several bridges that keep the same, or it is said again by a stranger.
            ValueError: why it is not to be taken.
        """
        if not proof:
            where = (
                "decisions are taken, and commands given, on the page, or through the bridge's API" if fresh else OWN
            )
            raise ValueError(f"it has no proof: {where}")
        at_ns = self._proven_ns(name, content, proof)
        age_s = (now_ns - at_ns) * 1e-9
        if fresh and abs(age_s) > FRESH_S:
            raise ValueError(
                f"it is {age_s:.0f} s old; the bridge's clock and this one have to agree within {FRESH_S:g} s"
            )
        held_ns = self._newest_ns.get((name, ""), -1)
        if newest and at_ns < held_ns <= now_ns:  # after a clock was set back, what is held is ahead of it
            raise OutdatedError("a newer one was taken before it")
        used = self._used[fresh]
        if proof in used:
            raise ValueError("its proof was used before")
        used[proof] = None
        if len(used) > MOST_REMEMBERED:
            used.popitem(last=False)
        if newest:
            self._newest_ns[name, ""] = at_ns

    def check_latest(self, name: str, whose: str, content: bytes, proof: str, now_ns: int) -> None:
        """Take the proof of a message that comes again and again, each in the place of the one before: tracks, a status.

        Args:
            name: of the topic, with its namespace.
            whose: of several that come by that name, each of which has its own newest one; "" where there is one.
            content: the message, serialised without its proof.
            proof: as it came.
            now_ns: wall time.

        Raises:
            OutdatedError: a newer one was taken, or this one.
            ValueError: why it is not one of this graph's.
        """
        if not proof:
            raise ValueError(f"it has no proof: {OWN}")
        at_ns = self._proven_ns(name, content, proof)
        age_s = (now_ns - at_ns) * 1e-9
        if abs(age_s) > FRESH_S:
            raise ValueError(
                f"its proof is {age_s:.0f} s old; the clocks of a graph have to agree within {FRESH_S:g} s"
            )
        held_ns = self._newest_ns.get((name, whose), -1)
        if at_ns <= held_ns <= now_ns:
            raise OutdatedError("a newer one was taken before it, or the same")
        self._newest_ns[name, whose] = at_ns

    def _proven_ns(self, name: str, content: bytes, proof: str) -> int:
        """Return when a proof was made.

        Raises:
            ValueError: it is of something else, or made with another key.
        """
        head, _, mac = proof.rpartition(".")
        if not hmac.compare_digest(mac.encode(), _mac(self._key, head, name, content).encode()):
            raise ValueError(
                f"its proof is wrong: {OWN}, or that has another key (on several machines: the same AEGIS_DECISION_KEY)"
            )
        return int(head.partition(".")[0])


def _mac(key: bytes, head: str, name: str, content: bytes) -> str:
    return hmac.digest(key, b"\0".join((head.encode(), name.encode(), content)), "sha256").hex()
