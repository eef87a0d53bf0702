# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A page of memory in which the loops of a process say that they go round. Who started it reads it there, at no cost.

A loop that has not begun says nothing, so that a slow start is no hang. Between two beats lies a callback that works, or hangs; the
loop of ROS says when it rests, too.
"""

from __future__ import annotations

import mmap
import threading
import time
from enum import IntEnum

# Of each loop: time of the last beat [ns, of the monotonic clock], the thread that it runs in, whether it has worked since.
_FIELDS = 3


class Loop(IntEnum):
    """The loops that are looked after; a process has one of them, or both."""

    EXECUTOR = 0  # of ROS: at the latest once a second, for the status
    SERVER = 1  # the bridge's event loop


class Heartbeats:
    """The page. A process that is forked after it was made shares it."""

    def __init__(self) -> None:
        self._page = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("q")

    def beat(self, loop: Loop, *, works: bool = False) -> bool:
        """Say that a loop goes round, and whether it begins a callback; called in its thread. Return whether it was in one."""
        at = loop * _FIELDS
        worked = bool(self._page[at + 2])
        self._page[at + 1] = threading.get_native_id()
        self._page[at] = time.monotonic_ns()
        self._page[at + 2] = works
        return worked

    def clear(self) -> None:
        """Begin anew: no loop runs."""
        for at in range(len(Loop) * _FIELDS):
            self._page[at] = 0

    def last(self, loop: Loop) -> tuple[int, int] | None:
        """Return the time of a loop's last beat [ns, of the monotonic clock] and its thread; None where it does not run."""
        at = loop * _FIELDS
        beat, thread = self._page[at], self._page[at + 1]
        return (beat, thread) if beat else None

    def works(self, loop: Loop) -> bool:
        """Tell whether a loop says that it has been in a callback since its last beat."""
        return bool(self._page[loop * _FIELDS + 2])


_own = Heartbeats()  # of this process; read by nobody unless it is given another


def report_to(heartbeats: Heartbeats) -> None:
    """Let this process's loops say to another page that they go round."""
    global _own
    _own = heartbeats


def beat(loop: Loop, *, works: bool = False) -> bool:
    """Say that a loop of this process goes round, and whether it begins a callback. Return whether it was in one."""
    return _own.beat(loop, works=works)
