# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs the callbacks of nodes: at once while somebody waits for what they give, else those of a moment together."""

from __future__ import annotations

import time
from collections.abc import Callable

from rclpy.executors import Executor

GATHER_S = 0.05  # less than a person notices who asks through REST or begins to look
_WAITED_S = 0.01  # a round that took longer has waited, or called something slow


def spin(executor: Executor, *, is_watched: Callable[[], bool], is_over: Callable[[], bool]) -> None:
    """Run callbacks until it is over.

    Waking up costs rclpy a third of a millisecond, however many topics have something then. While nobody watches, what
    comes after the first message of a scan is left to gather; for half of the time at most, as callbacks may be slow.

    Raises:
        ExternalShutdownException: the executor's context was shut down.
    """
    gathered_at = 0.0
    while not is_over():
        before = time.monotonic()
        executor.spin_once()
        now = time.monotonic()
        if now - before > _WAITED_S and now - gathered_at > GATHER_S and not is_watched():
            time.sleep(GATHER_S)
            gathered_at = time.monotonic()
