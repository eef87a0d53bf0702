# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The tables of bridge.db: accounts, their sessions, invites, service tokens, and the audit.

Times are seconds since 1970. Of passwords, tokens and codes there are hashes only.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, LargeBinary, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_NUMBERED = {"sqlite_autoincrement": True}  # the number of a row that was removed does not come again


class Base(DeclarativeBase):
    """All tables; `migrations/` makes them."""

    metadata = MetaData()


class User(Base):
    """A person who may log in."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)  # in lower case
    password_hash: Mapped[str] = mapped_column(String(255))  # argon2id
    role: Mapped[str] = mapped_column(String(16))
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    disabled: Mapped[bool] = mapped_column(server_default="0")
    last_login_s: Mapped[float | None]


class LoginSession(Base):
    """An open session: one login, and all tokens that came of it. A session that ends is removed."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)  # the claim `sid` of its access tokens
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_s: Mapped[float]
    used_s: Mapped[float]
    expires_s: Mapped[float]
    address: Mapped[str] = mapped_column(String(64))


class RefreshToken(Base):
    """A refresh token; those that were used stay as long as their session, so that a second use is noticed."""

    __tablename__ = "refresh_tokens"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    used: Mapped[bool] = mapped_column(server_default="0")


class Revocation(Base):
    """A session, or service token, that ended before its time. The ids grow, so that a reader sees what is new."""

    __tablename__ = "revocations"
    __table_args__ = _NUMBERED

    id: Mapped[int] = mapped_column(primary_key=True)
    session: Mapped[str] = mapped_column(String(64))
    at_s: Mapped[float]


class KnownAddress(Base):
    """An address from which an account has logged in."""

    __tablename__ = "known_addresses"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    address: Mapped[str] = mapped_column(String(64), primary_key=True)
    used_s: Mapped[float]


class Invite(Base):
    """A code with which a person may register once. One that was used is removed."""

    __tablename__ = "invites"
    __table_args__ = _NUMBERED

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    created_by: Mapped[str] = mapped_column(String(80))
    created_s: Mapped[float]
    expires_s: Mapped[float]


class ServiceToken(Base):
    """A token of a program that cannot log in."""

    __tablename__ = "service_tokens"
    __table_args__ = _NUMBERED

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created_by: Mapped[str] = mapped_column(String(80))
    created_s: Mapped[float]
    expires_s: Mapped[float]


class StoredZone(Base):
    """A zone that a person has drawn. A change makes another row: its number is the zone's version, which does not come again."""

    __tablename__ = "zones"
    __table_args__ = _NUMBERED

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    changed_by: Mapped[str] = mapped_column(String(80))
    changed_s: Mapped[float]


class AuditEntry(Base):
    """An act, or an attempt that was refused. Triggers refuse changes, and removal before the retention is over."""

    __tablename__ = "audit"
    __table_args__ = _NUMBERED

    id: Mapped[int] = mapped_column(primary_key=True)
    at_s: Mapped[float] = mapped_column(index=True)
    who: Mapped[str] = mapped_column(String(80), index=True)
    address: Mapped[str] = mapped_column(String(64))
    request_id: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64), index=True)
    target: Mapped[str] = mapped_column(String(256))
    outcome: Mapped[str] = mapped_column(String(32))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)


class AuditRetention(Base):
    """One row: for how many days the triggers keep an entry of the audit from being removed."""

    __tablename__ = "audit_retention"

    id: Mapped[int] = mapped_column(primary_key=True)
    days: Mapped[int]
