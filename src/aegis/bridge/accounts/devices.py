# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Device tokens: what a client keeps from a login to show at the next one that it has been here before.

OWASP's "device cookies": a login with such a token is counted by its device alone, so that attempts from elsewhere do not lock
its owner out, not even from the owner's own address. The token is no credential: it opens nothing without the password.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets


class Devices:
    """Makes and recognises device tokens, `ID.EXPIRY.MAC`: the MAC covers the account too."""

    def __init__(self, secret: bytes, lifetime_s: float) -> None:
        """Prepare.

        Args:
            secret: that signs access tokens; the key is derived from it.
            lifetime_s: how long a device is known.
        """
        self._key = hmac.new(secret, b"aegis device token", hashlib.sha256).digest()
        self._lifetime_s = lifetime_s

    def issue(self, account: str, now: float) -> str:
        """Return a token for a new device; `now` in seconds since 1970."""
        device, expiry = secrets.token_hex(16), str(int(now + self._lifetime_s))
        return f"{device}.{expiry}.{self._mac(device, expiry, account)}"

    def recognise(self, token: str, account: str, now: float) -> str | None:
        """Return the device of an account's token; None where it is not one of ours, another account's or too old."""
        device, _, rest = token.partition(".")
        expiry, _, mac = rest.partition(".")
        expected = self._mac(device, expiry, account)
        if not hmac.compare_digest(mac.encode("utf-8", "replace"), expected.encode()):
            return None
        return device if now < int(expiry) else None

    def _mac(self, device: str, expiry: str, account: str) -> str:
        signed = "\0".join((device, expiry, account.lower()))
        return hmac.new(self._key, signed.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
