# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tokens and codes that mean nothing but themselves: 256 random bits, of which only the SHA-256 is kept.

So many random bits need no slow hash: they cannot be guessed.
"""

from __future__ import annotations

import hashlib
import secrets


def new_token(prefix: str = "") -> str:
    """Return a random token of 256 bits, in characters that an URL or a header takes."""
    return prefix + secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """Return what is kept of a token, 32 bytes."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
