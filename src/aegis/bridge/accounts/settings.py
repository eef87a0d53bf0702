# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters of accounts, tokens and sessions."""

from __future__ import annotations

from typing import Literal

from pydantic import SecretStr

from aegis.core.params import Settings, group, param


class LimitSettings(Settings):
    """Limits of attempts."""

    login_per_account_per_minute: int = param(
        10,
        "Login attempts on one account from one address or known device.",
        unit="1/min",
        ge=1,
        le=1000,
        was="login_per_account_per_minute",
    )
    login_per_address_per_minute: int = param(
        30, "Login attempts from one address.", unit="1/min", ge=1, le=10000, was="login_per_address_per_minute"
    )
    login_per_account_anywhere_per_minute: int = param(
        100,
        "Login attempts on one account from all addresses where it has not logged in within 30 days.",
        unit="1/min",
        ge=1,
        le=100000,
        was="login_per_account_anywhere_per_minute",
    )
    register_per_address_per_minute: int = param(
        10, "Registrations from one address.", unit="1/min", ge=1, le=10000, was="register_per_address_per_minute"
    )
    refresh_per_address_per_minute: int = param(
        300,
        "Refreshes of tokens from one address.",
        unit="1/min",
        ge=1,
        le=100000,
        was="refresh_per_address_per_minute",
    )


class PasswordSettings(Settings):
    """How passwords are checked."""

    workers: int = param(1, "Threads that check passwords.", ge=1, le=16, was="password_workers")
    queue: int = param(
        16,
        "Logins that may wait for such a thread; more are answered 429.",
        ge=1,
        le=1000,
        was="password_queue",
    )


class AuditSettings(Settings):
    """What is kept of who did what."""

    days: int = param(
        365,
        "How long an entry of the audit is kept, and cannot be removed.",
        unit="d",
        ge=1,
        le=3650,
        was="audit_days",
    )
    refusals_per_minute: int = param(
        120,
        "Refusals of one kind that are written to the audit; the rest is counted there.",
        unit="1/min",
        ge=4,
        le=10000,
        was="audit_refusals_per_minute",
    )


class AccountSettings(Settings):
    """Accounts, sessions and limits of attempts."""

    jwt_secret: SecretStr = param(
        SecretStr(""),
        "Key that signs access tokens; empty on loopback makes one and keeps it.",
        env="JWT_SECRET",
        was="jwt_secret",
    )
    jwt_algorithm: Literal["HS256", "HS384", "HS512"] = param(
        "HS256",
        "The one algorithm that tokens are signed with and accepted in.",
        env="JWT_ALGORITHM",
        was="jwt_algorithm",
    )
    access_token_minutes: float = param(
        15.0, "How long an access token is valid.", unit="min", gt=0, le=1440, was="access_token_minutes"
    )
    jwt_expiration_hours: float = param(
        0.0,
        "How long an access token is valid, in hours; 0 leaves it to access_token_minutes.",
        unit="h",
        ge=0,
        le=24,
        env="JWT_EXPIRATION_HOURS",
        was="jwt_expiration_hours",
    )
    session_idle_hours: float = param(
        24.0,
        "A session whose refresh token was not used for so long ends.",
        unit="h",
        gt=0,
        le=8760,
        was="session_idle_hours",
    )
    session_days: float = param(
        7.0, "A session ends so long after its login, whatever happens.", unit="d", gt=0, le=365, was="session_days"
    )
    sessions_per_account: int = param(
        1000,
        "Open sessions of one account; a login beyond it ends the one unused for longest.",
        ge=1,
        le=100000,
        was="sessions_per_account",
    )
    device_token_days: float = param(
        30.0,
        "How long a device is known after a login, so that attempts from elsewhere do not lock it out.",
        unit="d",
        gt=0,
        le=365,
        was="device_token_days",
    )
    invite_hours: float = param(
        72.0,
        "How long an invite is good for, unless it has a time of its own.",
        unit="h",
        gt=0,
        le=720,
        was="invite_hours",
    )
    limits: LimitSettings = group(LimitSettings())
    passwords: PasswordSettings = group(PasswordSettings())
    audit: AuditSettings = group(AuditSettings())

    @property
    def access_token_s(self) -> float:
        """How long an access token is valid [s]."""
        if self.jwt_expiration_hours > 0:
            return self.jwt_expiration_hours * 3600.0
        return self.access_token_minutes * 60.0
