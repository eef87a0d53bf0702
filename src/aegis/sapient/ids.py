# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Ids as SAPIENT has them: a UUID for a node, a ULID for a report or an object (github.com/ulid/spec)."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from aegis.sapient.settings import UUID4
from aegis.state import move_aside, try_to_keep

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32
_ULID = re.compile("[0-7][0-9A-HJKMNP-TV-Z]{25}")


def ulid(time_ms: int, random: bytes) -> str:
    """Return the ULID of a Unix time [ms] and 10 octets."""
    number = (time_ms & (1 << 48) - 1) << 80 | int.from_bytes(random[:10], "big")
    return "".join(_DIGITS[number >> shift & 31] for shift in range(125, -5, -5))


def new_ulid(now_ns: int) -> str:
    """Return a ULID that nobody else has."""
    return ulid(now_ns // 1_000_000, os.urandom(10))


def is_ulid(text: str) -> bool:
    """Tell whether a text is a ULID, in either case."""
    return _ULID.fullmatch(text.upper()) is not None


@dataclass(frozen=True)
class Identity:
    """Who this node is, and when it began to be: what its objects are called follows from that, in every run."""

    node_id: str
    since_ms: int

    @classmethod
    def of(cls, node_id: str, folder: Path | None) -> Self:
        """Return the identity that is kept in a folder, made where there is none yet; `node_id` where it is not empty."""
        path = None if folder is None else folder / "sapient_node.json"
        kept = _kept(path)
        if kept is not None and node_id in ("", kept[0]):
            return cls(*kept)
        made = cls(node_id or str(uuid.uuid4()), time.time_ns() // 1_000_000)
        if path is not None:
            try_to_keep(path, json.dumps({"node_id": made.node_id, "since_ms": made.since_ms}).encode())
        return made

    def ulid_of(self, kind: str, number: int) -> str:
        """Return the ULID of a thing of ours: the same for the same number, whoever restarts."""
        return ulid(self.since_ms, hashlib.sha256(f"{self.node_id} {kind} {number}".encode()).digest())


def _kept(path: Path | None) -> tuple[str, int] | None:
    if path is None:
        return None
    try:
        given = json.loads(path.read_bytes())
        node_id, since_ms = str(given["node_id"]), int(given["since_ms"])
        if not UUID4.fullmatch(node_id):
            raise ValueError(f"node_id '{node_id}' is no UUID of version 4")
    except OSError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        move_aside(path, f"not the identity of a SAPIENT node: {error}")
        return None
    return node_id, since_ms
