"""Parameters of accounts, tokens and sessions."""

from __future__ import annotations

from typing import Literal

from pydantic import SecretStr

from aegis.core.params import Settings, param


class AccountSettings(Settings):
    """Who may log in, for how long, and how often somebody may try."""

    jwt_secret: SecretStr = param(
        SecretStr(""), "key that signs access tokens; empty on loopback makes one and keeps it", env="JWT_SECRET"
    )
    jwt_algorithm: Literal["HS256", "HS384", "HS512"] = param(
        "HS256", "the one algorithm tokens are signed with and accepted in", env="JWT_ALGORITHM"
    )
    access_token_minutes: float = param(15.0, "how long an access token is valid", unit="min", gt=0, le=1440)
    jwt_expiration_hours: float = param(
        0.0, "the same in hours; 0 leaves it to access_token_minutes", unit="h", ge=0, le=24, env="JWT_EXPIRATION_HOURS"
    )
    session_idle_hours: float = param(
        24.0, "a session whose refresh token was not used for so long ends", unit="h", gt=0, le=8760
    )
    session_days: float = param(7.0, "a session ends so long after its login, whatever happens", unit="d", gt=0, le=365)
    sessions_per_account: int = param(
        1000, "open sessions of one account; a login beyond it ends the one unused for longest", ge=1, le=100000
    )

    login_per_account_per_minute: int = param(
        10, "login attempts on one account from one address or known device", unit="1/min", ge=1, le=1000
    )
    login_per_address_per_minute: int = param(30, "login attempts from one address", unit="1/min", ge=1, le=10000)
    login_per_account_anywhere_per_minute: int = param(
        100,
        "login attempts on one account from all addresses where it has not logged in within 30 days",
        unit="1/min",
        ge=1,
        le=100000,
    )
    register_per_address_per_minute: int = param(10, "registrations from one address", unit="1/min", ge=1, le=10000)
    refresh_per_address_per_minute: int = param(
        300, "refreshes of tokens from one address", unit="1/min", ge=1, le=100000
    )
    device_token_days: float = param(
        30.0,
        "how long a device is known after a login, so that nobody else's attempts lock it out",
        unit="d",
        gt=0,
        le=365,
    )
    password_workers: int = param(1, "threads that check passwords", ge=1, le=16)
    password_queue: int = param(16, "logins that may wait for such a thread; more are told to come back", ge=1, le=1000)

    invite_hours: float = param(
        72.0, "how long an invite is good for where nothing else is said", unit="h", gt=0, le=720
    )
    audit_days: int = param(
        365, "how long an entry of the audit is kept, and cannot be removed", unit="d", ge=1, le=3650
    )
    audit_refusals_per_minute: int = param(
        120,
        "refusals of one kind that are written to the audit; the rest is counted there",
        unit="1/min",
        ge=4,
        le=10000,
    )

    @property
    def access_token_s(self) -> float:
        """How long an access token is valid [s]."""
        if self.jwt_expiration_hours > 0:
            return self.jwt_expiration_hours * 3600.0
        return self.access_token_minutes * 60.0
