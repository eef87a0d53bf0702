# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Limits of attempts that several bridges count together."""

from __future__ import annotations

from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter

from aegis.bridge.accounts.throttle import MemoryWindow
from aegis.bridge.replicas.line import AwayError, Line


class SharedWindow:
    """Counts in Redis; where that is away, each bridge counts by itself: what they let pass together is as many times more."""

    def __init__(self, line: Line, url: str, timeout_s: float) -> None:
        """Prepare; nothing is connected yet."""
        self._line = line
        self._alone = MemoryWindow()
        storage = RedisStorage(
            f"async+{url}",
            implementation="redispy",
            key_prefix=f"{line.prefix}limits",
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
        )
        self._limiter = MovingWindowRateLimiter(storage)

    async def hit(self, item: RateLimitItemPerMinute, *key: str) -> float | None:
        """Count an attempt; return None where it may go on, else when another one may, in seconds since 1970."""
        try:
            if await self._line.ask(lambda _: self._limiter.hit(item, *key)):
                return None
            return (await self._line.ask(lambda _: self._limiter.get_window_stats(item, *key))).reset_time
        except AwayError:
            return await self._alone.hit(item, *key)

    async def clear(self, item: RateLimitItemPerMinute, *key: str) -> None:
        """Forget the attempts of a key."""
        await self._alone.clear(item, *key)
        try:
            await self._line.ask(lambda _: self._limiter.clear(item, *key))
        except AwayError:
            return  # the window is over in a minute
