# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""For how long each source has said nothing, by the clocks of the others: whose own clock that is does not matter, nor a leap."""

from __future__ import annotations

LONGEST_STEP_S = (
    15.0  # that counts of a source from one message to the next: the rest is a pause, or a clock that leapt
)


class Silence:
    """Counts for each source the time that passes for another one while it is silent."""

    def __init__(self) -> None:
        """Know no source."""
        self._last_ns: dict[str, int] = {}
        self._silent_ns: dict[str, dict[str, int]] = {}  # by source, by whose clock

    def hear(self, source: str, stamp_ns: int) -> None:
        """Take a message of a source."""
        passed_ns = min(max(stamp_ns - self._last_ns.get(source, stamp_ns), 0), round(LONGEST_STEP_S * 1e9))
        self._last_ns[source] = stamp_ns
        self._silent_ns.setdefault(source, {}).clear()
        for other, by in self._silent_ns.items():
            if other != source:
                by[source] = by.get(source, 0) + passed_ns

    def silent_s(self, source: str) -> float:
        """Return for how long a source has been silent, by the clock that says most [s]; 0 of one that was never heard."""
        return max(self._silent_ns.get(source, {}).values(), default=0) * 1e-9

    def forget(self, source: str) -> None:
        """Forget a source."""
        self._last_ns.pop(source, None)
        self._silent_ns.pop(source, None)
        for by in self._silent_ns.values():
            by.pop(source, None)
