# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""An account, as the rest of the bridge sees it."""

from __future__ import annotations

from dataclasses import dataclass, field

from aegis.bridge.accounts.scopes import ROLES, Scope

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"


@dataclass(frozen=True)
class Account:
    """One person or service that may log in."""

    name: str
    role: str

    @property
    def scopes(self) -> frozenset[Scope]:
        """What the role allows."""
        return ROLES[self.role]


@dataclass(frozen=True)
class Credentials:
    """What a login is checked against."""

    account: Account
    password_hash: str = field(repr=False)
    disabled: bool
    at_home: bool  # the account has logged in from this address lately
