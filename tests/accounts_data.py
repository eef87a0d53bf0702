# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Accounts in a database of their own, with a clock that a test moves."""

from aegis.bridge.accounts import sessions, users
from aegis.bridge.accounts.settings import AccountSettings
from aegis.bridge.accounts.store import Accounts

PASSWORD = "a good long password"


class Clock:
    """Seconds since 1970, moved by hand."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def log_in(accounts: Accounts, name: str, address: str = "192.0.2.1") -> sessions.Grant:
    """Open a session for an account, as a login with the right password does."""
    now = accounts.now()
    checked = accounts.read_now(users.credentials, name, address, now)
    return accounts.write_now(None, sessions.begin, checked, address, now, accounts.settings)


def refresh(accounts: Accounts, token: str, address: str = "192.0.2.1") -> sessions.Grant | sessions.Refusal:
    """Use a refresh token."""
    settings: AccountSettings = accounts.settings
    return accounts.write_now(None, sessions.refresh, token, address, accounts.now(), settings)


def verify(accounts: Accounts, name: str, password: str) -> users.Account | None:
    """Return the account when the password is right."""
    checked = accounts.read_now(users.credentials, name, "192.0.2.1", accounts.now())
    right = accounts.passwords.verify(password, checked.password_hash if checked else None)
    return checked.account if checked and right else None
