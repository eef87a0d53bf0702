# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Bodies of logging in, and of one's own account."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from aegis.bridge.accounts.account import NAME_PATTERN
from aegis.bridge.accounts.passwords import MAX_CHARACTERS, MIN_CHARACTERS
from aegis.bridge.accounts.scopes import RoleName
from aegis.bridge.models.common import Model

Role = Annotated[RoleName, Field(examples=["viewer"])]
Username = Annotated[str, StringConstraints(pattern=NAME_PATTERN), Field(examples=["ada"])]
Scopes = Annotated[list[str], Field(examples=[["radar:read", "threats:read"]])]
# In a request: what is typed is checked against what is kept, whatever it looks like.
_Typed = Annotated[str, StringConstraints(min_length=1, max_length=MAX_CHARACTERS)]
_NewPassword = Annotated[
    str,
    StringConstraints(min_length=MIN_CHARACTERS, max_length=MAX_CHARACTERS),
    Field(
        description="does not contain the username, and zxcvbn scores its first 64 characters 3 or 4",
        examples=["three herons over a grey lake"],
    ),
]
_Opaque = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Seconds = Annotated[float, Field(description="seconds since 1970", examples=[1767225600.0])]

TOKEN = "eyJhbGciOiJIUzI1NiIsImtpZCI6Ij..."
OPAQUE = "vE6mqXqfJk0m3r1y3x7c2kE0mJ4r8m1s9Qz5bWc6t1A"


class LoginRequest(Model):
    """Who wants in."""

    username: Annotated[str, StringConstraints(min_length=1, max_length=64), Field(examples=["ada"])]
    password: _Typed = Field(repr=False, examples=["three herons over a grey lake"])
    device_token: Annotated[str, StringConstraints(max_length=256)] = Field(
        "",
        repr=False,
        description="of an earlier login from this device: attempts from elsewhere cannot lock it out then",
    )


class TokenAnswer(Model):
    """An access token, to be sent as `Authorization: Bearer TOKEN`, and a refresh token for the next one."""

    access_token: str = Field(examples=[TOKEN])
    token_type: str = Field("bearer", examples=["bearer"])
    expires_in: int = Field(description="validity of the access token [s]", examples=[900])
    refresh_token: str = Field(description="good once, for POST /api/auth/refresh", examples=[OPAQUE])
    refresh_expires_in: int = Field(description="validity of the refresh token [s]", examples=[86400])
    role: Role
    scopes: Scopes


class LoginAnswer(TokenAnswer):
    """What a login gives."""

    device_token: str = Field(
        description="keep it, and send it with the next login", examples=["6b1f0c9e.1769817600.9d3c5a"]
    )


class RefreshRequest(Model):
    """A refresh token to be used up."""

    refresh_token: _Opaque = Field(repr=False, examples=[OPAQUE])


class RegisterRequest(Model):
    """A new account: with an invite, or made by an administrator."""

    username: Username
    password: _NewPassword = Field(repr=False)
    invite: _Opaque | None = Field(
        None, repr=False, description="code of an invite; its role counts", examples=[OPAQUE]
    )
    role: Role | None = Field(None, description="only by an administrator, without an invite; else viewer")


class AccountAnswer(Model):
    """An account and its role."""

    username: Username
    role: Role


class PasswordChange(Model):
    """One's own password, before and after."""

    old: _Typed = Field(repr=False, examples=["three herons over a grey lake"])
    new: _NewPassword = Field(repr=False)


class Me(Model):
    """Who the token speaks for."""

    username: str = Field(description="of a service token, service:NAME", examples=["ada"])
    role: str = Field(description="viewer, operator, admin; of a service token, service", examples=["viewer"])
    scopes: Scopes
    expires_in: int = Field(description="what is left of the token's validity [s]", examples=[893])


class SessionRow(Model):
    """One login that is still open."""

    id: str = Field(examples=["0b5f7a4e3c1d49d2a6f18c7be0935d21"])
    current: bool = Field(description="whether it is the one that asks")
    created_s: Seconds
    last_used_s: Seconds = Field(description="last login or refresh, seconds since 1970")
    expires_s: Seconds
    address: str = Field(description="of the last login or refresh", examples=["192.0.2.7"])


class Sessions(Model):
    """One's own open sessions, the last used first."""

    sessions: list[SessionRow]


class Ticket(Model):
    """Good once, as the WebSocket's first message `{"type": "auth", "ticket": TICKET}`."""

    ticket: str = Field(examples=[OPAQUE])
    expires_in: int = Field(description="validity [s]", examples=[30])
