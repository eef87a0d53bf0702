# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Sees that a process does not go on: it is stopped (SIGSTOP), one of its loops stays in one callback, or none begins."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aegis.heartbeat import Heartbeats, Loop

HANG_AFTER_S = 3.0
# A callback that takes longer may hang. It is said, and no more: it may as well work, or wait for a disk.
LONG_AFTER_S = 0.2
# Without messages a loop of ROS goes round once a second, for the status: less cannot be asked of it.
LEAST_HANG_AFTER_S, MOST_HANG_AFTER_S = 2.0, 3600.0
# A start may take so many times as long as a callback: imports, models, databases and DDS's discovery.
START_TIMES = 10.0


def hang_after_s(text: str | float) -> float:
    """Return after how many seconds a loop hangs, 0 for never, as it is given to a command.

    Raises:
        ValueError: it is no such number.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if seconds != 0.0 and not LEAST_HANG_AFTER_S <= seconds <= MOST_HANG_AFTER_S:
        raise ValueError(f"'{text}': 0 (never), or {LEAST_HANG_AFTER_S:g} to {MOST_HANG_AFTER_S:g} seconds")
    return seconds


@dataclass
class _Standing:
    """A loop's beat that has not been followed by another yet."""

    beat_ns: int
    seen: bool = False  # a second time, or in a callback
    waited_ns: int = 0  # what its thread had waited for a processor by then, since its start


class Watchdog:
    """Watches the loops of one process. Time in which a thread could run and got no processor is not held against it."""

    def __init__(self, heartbeats: Heartbeats, hang_after_s: float) -> None:
        """Prepare.

        Args:
            heartbeats: of the process.
            hang_after_s: how long a loop may take to go round; 0 looks at nothing.
        """
        self._heartbeats = heartbeats
        self._hang_after_s = hang_after_s
        self._standing: dict[Loop, _Standing] = {}
        self._began_ns = 0

    def begin(self) -> None:
        """Begin anew, with a process that is about to start."""
        self._heartbeats.clear()
        self._standing.clear()
        self._began_ns = time.monotonic_ns()

    @property
    def is_starting(self) -> bool:
        """Whether no loop has begun to go round."""
        return all(self._heartbeats.last(loop) is None for loop in Loop)

    def hangs_for_s(self, pid: int, now_ns: int, awake_since_ns: int) -> float | None:
        """Return how long the process's slowest loop has not gone round, or its start has taken, where that is too long.

        Args:
            pid: of the process.
            now_ns: of the monotonic clock.
            awake_since_ns: since when this process itself has looked without a gap: what stops both stops no loop.
        """
        if not self._hang_after_s:
            return None
        if self.is_starting:
            limit_s = START_TIMES * self._hang_after_s
            age_ns = now_ns - max(self._began_ns, awake_since_ns)
            if age_ns > limit_s * 1e9:
                age_ns -= _waited_ns(pid, pid)
            return age_ns * 1e-9 if age_ns > limit_s * 1e9 else None
        longest = max(self._age_s(pid, loop, now_ns, awake_since_ns, self._hang_after_s) for loop in Loop)
        return longest if longest > self._hang_after_s else None

    def works_for_s(self, pid: int, now_ns: int, awake_since_ns: int) -> float | None:
        """Return how long the process has been in one callback, where that is long; the arguments are as above.

        Of the bridge's event loop that is not known: it says when it goes round, and not when it rests.
        """
        working = [loop for loop in Loop if self._heartbeats.works(loop)]
        found = [self._age_s(pid, loop, now_ns, awake_since_ns, LONG_AFTER_S) for loop in working]
        longest = max(found, default=0.0)
        return longest if longest > LONG_AFTER_S else None

    def _age_s(self, pid: int, loop: Loop, now_ns: int, awake_since_ns: int, limit_s: float) -> float:
        """Return how long ago a loop has gone round: beyond the limit without what its thread has waited for a processor."""
        last = self._heartbeats.last(loop)
        if last is None:
            return 0.0
        beat_ns, thread = last
        standing = self._standing.get(loop)
        if standing is None or standing.beat_ns != beat_ns:
            works = self._heartbeats.works(loop)
            self._standing[loop] = _Standing(beat_ns, works, _waited_ns(pid, thread) if works else 0)
            return 0.0
        if not standing.seen:
            standing.seen, standing.waited_ns = True, _waited_ns(pid, thread)
        age_ns = now_ns - max(beat_ns, awake_since_ns)
        if age_ns > limit_s * 1e9:
            age_ns -= _waited_ns(pid, thread) - standing.waited_ns
        return age_ns * 1e-9


def _waited_ns(pid: int, thread: int) -> int:
    """Return how long a thread has waited for a processor since its start; 0 where the kernel does not count that."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/task/{thread}/schedstat").read_text().split()[1])
    return 0
