"""Logging in."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from aegis.bridge.models.common import Model


class LoginRequest(Model):
    """Who wants in."""

    username: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=1024)] = Field(repr=False)


class LoginAnswer(Model):
    """An access token, to be sent as `Authorization: Bearer TOKEN`."""

    access_token: str
    token_type: str = "bearer"
    expires_in: int = Field(description="validity [s]")
    role: str
    scopes: list[str]


class Me(Model):
    """Who the token speaks for."""

    username: str
    scopes: list[str]
    expires_in: int = Field(description="what is left of the token's validity [s]")
