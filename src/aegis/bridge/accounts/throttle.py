# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Limits of attempts to log in, register or refresh."""

from __future__ import annotations

import math
import time
from typing import Protocol

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from aegis.bridge.accounts.addresses import subscriber
from aegis.bridge.accounts.settings import LimitSettings
from aegis.bridge.problem import ProblemError

_MIN_KEYS = 10_000


class Window(Protocol):
    """Counts attempts within the last minute, by key."""

    async def hit(self, item: RateLimitItemPerMinute, *key: str) -> float | None:
        """Count an attempt; return None where it may go on, else when another one may, in seconds since 1970."""

    async def clear(self, item: RateLimitItemPerMinute, *key: str) -> None:
        """Forget the attempts of a key."""


class MemoryWindow:
    """Counts in the memory of this process."""

    def __init__(self) -> None:
        self.storage = MemoryStorage()
        self._limiter = MovingWindowRateLimiter(self.storage)
        self.most_keys = _MIN_KEYS

    async def hit(self, item: RateLimitItemPerMinute, *key: str) -> float | None:
        """Count an attempt; return None where it may go on, else when another one may, in seconds since 1970."""
        self._forget()
        return None if self._limiter.hit(item, *key) else self._limiter.get_window_stats(item, *key).reset_time

    async def clear(self, item: RateLimitItemPerMinute, *key: str) -> None:
        """Forget the attempts of a key."""
        self._limiter.clear(item, *key)

    def _forget(self) -> None:
        """Remove expired keys: the storage empties them, but keeps them for ever."""
        events = self.storage.events
        if len(events) > self.most_keys:
            for key in [key for key, hits in events.items() if not hits]:
                del events[key]
            self.most_keys = max(_MIN_KEYS, 2 * len(events))


class Throttle:
    """Counts attempts in windows of one minute.

    A login is counted for its address, and for its account at that address; an account cannot be locked from elsewhere. Guessing
    at one account from very many addresses is bounded for the account as a whole, but for addresses where it has logged in
    lately. A login from a known device is counted for that device, and for nothing else.
    """

    def __init__(self, settings: LimitSettings, window: Window | None = None) -> None:
        """Count, in the memory of this process where no other window is given."""
        self._window = window or MemoryWindow()
        per_minute = RateLimitItemPerMinute
        self._address = per_minute(settings.login_per_address_per_minute, namespace="address")
        self._account = per_minute(settings.login_per_account_per_minute, namespace="account")
        self._device = per_minute(settings.login_per_account_per_minute, namespace="device")
        self._anywhere = per_minute(settings.login_per_account_anywhere_per_minute, namespace="anywhere")
        self._register = per_minute(settings.register_per_address_per_minute, namespace="register")
        self._refresh = per_minute(settings.refresh_per_address_per_minute, namespace="refresh")

    async def attempt(self, account: str, address: str, device: str | None = None) -> None:
        """Count a login from an address or a known device.

        Raises:
            ProblemError: 429, too many.
        """
        if device is not None:
            await self._hit(self._device, device)
            return
        where = subscriber(address)
        await self._hit(self._address, where)
        await self._hit(self._account, where, account.lower())

    async def attempt_anywhere(self, account: str) -> None:
        """Count a login that `attempt` let pass and that comes from nowhere known.

        Raises:
            ProblemError: 429, too many.
        """
        await self._hit(self._anywhere, account.lower())

    async def succeeded(self, account: str, address: str, device: str | None = None) -> None:
        """Forget the attempts of who is in now."""
        if device is not None:
            await self._window.clear(self._device, device)
        else:
            await self._window.clear(self._account, subscriber(address), account.lower())

    async def register(self, address: str) -> None:
        """Count a registration.

        Raises:
            ProblemError: 429, too many.
        """
        await self._hit(self._register, subscriber(address))

    async def refresh(self, address: str) -> None:
        """Count a refresh.

        Raises:
            ProblemError: 429, too many.
        """
        await self._hit(self._refresh, subscriber(address))

    async def _hit(self, item: RateLimitItemPerMinute, *key: str) -> None:
        reset_at = await self._window.hit(item, *key)
        if reset_at is not None:
            raise ProblemError(429, "too many attempts", retry_after=max(1, math.ceil(reset_at - time.time())))
