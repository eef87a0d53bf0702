# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A token bucket: how much may be sent over a line of bounded rate. Times are of one steady clock, handed in."""

from __future__ import annotations

BURST_S = 0.25  # of the rate, that may be sent at once after silence
OVERDRAFT_S = 1.0  # of the rate: so much of it what is urgent may take before its time


class TokenBucket:
    """Refills at a rate; what is sent takes from it, and may leave it owing."""

    def __init__(self, rate_bytes_s: float, now_s: float) -> None:
        """Begin full.

        Args:
            rate_bytes_s: long-term bound [B/s]; 0: none.
            now_s: the time.
        """
        self._rate = rate_bytes_s
        self._tokens = BURST_S * rate_bytes_s
        self._at_s = now_s

    def wait_s(self, now_s: float, *, urgent: bool = False) -> float:
        """Return after how long the next message may be sent; 0 for now.

        When nothing is owed any more; what is urgent need not wait for what was sent before it, up to a debt of OVERDRAFT_S.
        """
        if not self._rate:
            return 0.0
        self._refill(now_s)
        needed = -OVERDRAFT_S * self._rate if urgent else 0.0
        return max(0.0, needed - self._tokens) / self._rate

    def take(self, size: int, now_s: float) -> None:
        """Take what is sent."""
        if self._rate:
            self._refill(now_s)
            self._tokens -= size

    def _refill(self, now_s: float) -> None:
        self._tokens = min(self._tokens + (now_s - self._at_s) * self._rate, BURST_S * self._rate)
        self._at_s = now_s
