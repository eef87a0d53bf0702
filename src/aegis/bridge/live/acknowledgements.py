# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Acknowledged threats, by track."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aegis.core.types import ThreatLevel

KEPT = 1000  # the newest; track ids are never used again, so an old entry only takes memory


@dataclass(frozen=True)
class Acknowledgement:
    """A person's acknowledgement of a threat. It holds while the threat is at this level or below."""

    level: ThreatLevel
    who: str
    at_s: float  # seconds since 1970


class Acknowledgements(Mapping[int, Acknowledgement]):
    """Track id to its acknowledgement; the decisions of the history are the record. Any thread may add and read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_track: dict[int, Acknowledgement] = {}  # replaced at a change, never changed

    def add(self, entries: Mapping[int, Acknowledgement]) -> None:
        """Take acknowledgements; of too many, the newest are kept."""
        with self._lock:
            merged = {**self._by_track, **entries}
            newest = sorted(merged, key=lambda one: merged[one].at_s)[-KEPT:]
            self._by_track = {one: merged[one] for one in newest}

    def __getitem__(self, track_id: int) -> Acknowledgement:
        return self._by_track[track_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._by_track)

    def __len__(self) -> int:
        return len(self._by_track)
