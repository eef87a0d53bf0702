# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The key that signs access tokens: given and strong, or made at the first start and kept."""

from __future__ import annotations

import secrets
from pathlib import Path

from aegis.bridge.accounts.settings import AccountSettings
from aegis.core.params import ConfigError
from aegis.state import move_aside, try_to_keep

SECRET_FILE = "jwt_secret"
MADE_BYTES = 64
# RFC 7518 section 3.2: a key is at least as long as the hash.
MIN_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
MIN_DISTINCT_CHARACTERS = 10
# Words of placeholders, and keys that stand in public documentation (FastAPI's tutorial, jwt.io).
_PLACEHOLDERS = (
    "change",
    "secret-key",
    "secret_key",
    "secretkey",
    "your-",
    "your_",
    "example",
    "password",
    "a-string-secret",
)
_PUBLISHED = {"09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7"}


def load_secret(settings: AccountSettings, state_dir: Path, *, reachable_on: str = "") -> bytes:
    """Return the signing key.

    Args:
        settings: of the accounts.
        state_dir: where a key that was made is kept.
        reachable_on: the host on which other machines can reach the bridge; empty where they cannot.

    Raises:
        ConfigError: it is too short or well known, its file can be read by others, or it is missing where other machines
            can reach the bridge.
    """
    given = settings.jwt_secret.get_secret_value()
    minimum = MIN_BYTES[settings.jwt_algorithm]
    if given:
        _check(given, minimum, "JWT_SECRET")
        return given.encode()
    if reachable_on:
        raise ConfigError(
            f"bridge: JWT_SECRET is missing; on host '{reachable_on}' it must be given: at least {minimum} random bytes,"
            " for example from `openssl rand -hex 32`"
        )
    path = state_dir / SECRET_FILE
    if path.exists() and _is_damaged(path, minimum):
        move_aside(path, "not a signing key of ours; who is logged in has to log in again")
    if not path.exists():
        made = secrets.token_hex(MADE_BYTES)
        if not try_to_keep(path, made.encode()):
            return made.encode()  # of this process: who is logged in has to log in again after it
    if path.stat().st_mode & 0o077:
        raise ConfigError(f"{path}: others can read the signing key; `chmod 600` it, or delete it to get a new one")
    kept = path.read_text(encoding="utf-8").strip()
    _check(kept, minimum, str(path))
    return kept.encode()


def _is_damaged(path: Path, minimum: int) -> bool:
    """Return whether a kept key is empty, cut off or no text, as after a full disk; a key of one's own is looked at by `_check`."""
    try:
        kept = path.read_bytes().strip()
    except OSError:
        return False
    return len(kept) < minimum or not kept.isascii() or not kept.decode("ascii").isprintable()


def _check(secret: str, minimum: int, where: str) -> None:
    """Refuse a weak key, without repeating it."""
    if len(secret.encode()) < minimum:
        raise ConfigError(f"{where}: the signing key has {len(secret.encode())} bytes; at least {minimum} are needed")
    lowered = secret.lower()
    if lowered in _PUBLISHED or any(word in lowered for word in _PLACEHOLDERS):
        raise ConfigError(f"{where}: the signing key is a known placeholder; take a random one: `openssl rand -hex 32`")
    if len(set(secret)) < MIN_DISTINCT_CHARACTERS:
        raise ConfigError(f"{where}: the signing key repeats few characters; take a random one: `openssl rand -hex 32`")
