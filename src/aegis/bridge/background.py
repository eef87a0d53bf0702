# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tasks that run beside others for as long as a block lasts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

_log = logging.getLogger(__name__)

_AGAIN_S = 1.0  # after which what has not ended is cancelled again


@asynccontextmanager
async def running(*works: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Run coroutines as tasks until the end of the block, where they are cancelled and waited for."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        waiting = set(tasks)
        while waiting:
            # Again and again: a cancellation may be lost in a library, as now and then in what waits for Redis.
            for task in waiting:
                task.cancel()
            waiting = (await asyncio.wait(waiting, timeout=_AGAIN_S))[1]
            for task in waiting:
                _log.warning("%s goes on after it was cancelled, and is cancelled again", task.get_coro())
        for task in tasks:
            error = None if task.cancelled() else task.exception()
            if error is not None:
                _log.error("%s failed", task.get_coro(), exc_info=error)
