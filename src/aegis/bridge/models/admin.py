# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What administrators see and change: accounts, invites, service tokens, the audit."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from aegis.bridge.models.accounts import OPAQUE, Role, Scopes, Seconds, Username
from aegis.bridge.models.common import Model

# All scopes but admin.
ServiceScope = Literal[
    "radar:read", "threats:read", "metrics:read", "controller:write", "ew:acknowledge", "zones:write"
]


class UserRow(Model):
    """An account."""

    username: Username
    role: Role
    disabled: bool
    created_s: Seconds
    last_login_s: Seconds | None = Field(description="seconds since 1970; null before the first")
    sessions: int = Field(description="that are open", examples=[1])


class Users(Model):
    """Every account, by name."""

    users: list[UserRow]


class UserChange(Model):
    """What is to change; what is absent or null stays."""

    role: Role | None = None
    disabled: bool | None = Field(None, examples=[True])

    @model_validator(mode="after")
    def _something(self) -> UserChange:
        if self.role is None and self.disabled is None:
            raise ValueError("give role, disabled or both")
        return self


class NewPassword(Model):
    """A password that was made; it is shown this once."""

    username: Username
    password: str = Field(examples=["Uo4kq0l1mJ8z3XcVbN5w"])


class InviteRequest(Model):
    """Whom to invite."""

    role: Role = "viewer"
    valid_hours: float | None = Field(None, gt=0, le=720, description="null takes invite_hours", examples=[72])


class InviteRow(Model):
    """An open invite."""

    id: int = Field(examples=[7])
    role: Role
    created_by: str = Field(examples=["admin"])
    created_s: Seconds
    expires_s: Seconds


class InviteMade(InviteRow):
    """A new invite with its code, which is shown this once."""

    invite: str = Field(description="for POST /api/auth/register", examples=[OPAQUE])


class Invites(Model):
    """The open invites, the newest first."""

    invites: list[InviteRow]


class ServiceTokenRequest(Model):
    """A token for a program."""

    name: Username = Field(examples=["prometheus"])
    scopes: list[ServiceScope] = Field(min_length=1, max_length=16, examples=[["metrics:read"]])
    valid_days: float = Field(90, gt=0, le=3650, examples=[90])


class ServiceTokenRow(Model):
    """A service token; an expired one stays listed until it is removed."""

    id: int = Field(examples=[3])
    name: str = Field(examples=["prometheus"])
    scopes: Scopes
    created_by: str = Field(examples=["admin"])
    created_s: Seconds
    expires_s: Seconds


class ServiceTokenMade(ServiceTokenRow):
    """A new service token, which is shown this once."""

    token: str = Field(examples=[f"aegis_{OPAQUE}"])


class ServiceTokens(Model):
    """Every service token, by name."""

    service_tokens: list[ServiceTokenRow]


class AuditRow(Model):
    """An act, or an attempt that was refused."""

    id: int = Field(description="negative: of a decision, which the history has", examples=[4711])
    time_s: Seconds
    who: str = Field(description="account, service:NAME, console or bridge; empty where unknown", examples=["admin"])
    address: str = Field(examples=["192.0.2.7"])
    request_id: str = Field(description="of the request in the logs; empty where there is none", examples=[""])
    action: str = Field(examples=["users.change"])
    target: str = Field(examples=["ada"])
    outcome: str = Field(description="ok, failed, limited, denied", examples=["ok"])
    detail: dict[str, Any] = Field(examples=[{"role": "operator"}])


class AuditPage(Model):
    """A page of the audit, the newest entry first."""

    entries: list[AuditRow]
    next_cursor: int | None = Field(description="`cursor` of the next page; null on the last", examples=[4711])
