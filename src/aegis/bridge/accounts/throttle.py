"""How often somebody may try to log in."""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter


class LoginThrottle:
    """Counts login attempts per account and per address, in a window of one minute."""

    def __init__(self, per_account: int, per_address: int) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._account = RateLimitItemPerMinute(per_account, namespace="account")
        self._address = RateLimitItemPerMinute(per_address, namespace="address")

    def attempt(self, account: str, address: str) -> int:
        """Count one attempt; return 0 when it may go on, else the seconds to wait."""
        for item, key in ((self._address, address), (self._account, account.lower())):
            if not self._limiter.hit(item, key):
                reset_at = self._limiter.get_window_stats(item, key).reset_time
                return max(1, math.ceil(reset_at - time.time()))
        return 0

    def succeeded(self, account: str) -> None:
        """Forget an account's attempts: its owner is in."""
        self._limiter.clear(self._account, account.lower())
