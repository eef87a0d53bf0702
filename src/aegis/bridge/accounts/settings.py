"""Parameters of accounts, tokens and sessions."""

from __future__ import annotations

from typing import Literal

from pydantic import SecretStr

from aegis.core.params import Settings, param


class AccountSettings(Settings):
    """Who may log in, for how long, and how often somebody may try."""

    jwt_secret: SecretStr = param(
        "", "key that signs access tokens; empty on loopback makes one and keeps it", env="JWT_SECRET"
    )
    jwt_algorithm: Literal["HS256", "HS384", "HS512"] = param(
        "HS256", "the one algorithm tokens are signed with and accepted in", env="JWT_ALGORITHM"
    )
    access_token_minutes: float = param(15.0, "how long an access token is valid", unit="min", gt=0, le=1440)
    jwt_expiration_hours: float = param(
        0.0, "the same in hours; 0 leaves it to access_token_minutes", unit="h", ge=0, le=24, env="JWT_EXPIRATION_HOURS"
    )

    login_per_account_per_minute: int = param(10, "login attempts on one account", unit="1/min", ge=1, le=1000)
    login_per_address_per_minute: int = param(30, "login attempts from one address", unit="1/min", ge=1, le=10000)
    password_workers: int = param(1, "threads that check passwords", ge=1, le=16)
    password_queue: int = param(16, "logins that may wait for such a thread; more are told to come back", ge=1, le=1000)

    @property
    def access_token_s(self) -> float:
        """How long an access token is valid [s]."""
        if self.jwt_expiration_hours > 0:
            return self.jwt_expiration_hours * 3600.0
        return self.access_token_minutes * 60.0
