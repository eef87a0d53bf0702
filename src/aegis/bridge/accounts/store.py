"""Who may log in: names, argon2id hashes and roles, in SQLite."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import DateTime, String, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from aegis.bridge.accounts.scopes import ROLES, Scope

DATABASE_FILE = "bridge.db"
ADMINISTRATOR = "admin"
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
# OWASP's password storage cheat sheet for argon2id; 22 ms where the library's default takes 180.
ARGON2_MEMORY_KIB, ARGON2_TIME, ARGON2_PARALLELISM = 19 * 1024, 2, 1


class BusyError(RuntimeError):
    """Too many passwords wait to be checked."""


@dataclass(frozen=True)
class Account:
    """One person or service that may log in."""

    name: str
    role: str

    @property
    def scopes(self) -> frozenset[Scope]:
        """What the role allows."""
        return ROLES[self.role]


class _Base(DeclarativeBase):
    pass


class User(_Base):
    """A row of the table of accounts; the password is there as its argon2id hash only."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16))
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Accounts:
    """The table of accounts, and the threads that check passwords (argon2 would hold up the event loop)."""

    def __init__(self, state_dir: Path, *, workers: int = 1, queue: int = 16) -> None:
        path = state_dir / DATABASE_FILE
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        self._engine = create_engine(f"sqlite:///{path}")
        _Base.metadata.create_all(self._engine)
        self._hasher = PasswordHash(
            (Argon2Hasher(time_cost=ARGON2_TIME, memory_cost=ARGON2_MEMORY_KIB, parallelism=ARGON2_PARALLELISM),)
        )
        # Checked for a name that does not exist, so that the answer takes as long.
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="password")
        self._waiting = 0
        self._most_waiting = workers + queue

    def add(self, name: str, password: str, role: str) -> Account:
        """Add an account.

        Raises:
            ValueError: a name or role that is not allowed, or a name that is taken.
        """
        if not re.fullmatch(NAME_PATTERN, name):
            raise ValueError(
                f"account name '{name}': 1 to 64 letters, digits, dots, dashes and underscores are allowed"
            )
        if role not in ROLES:
            raise ValueError(f"role '{role}': {', '.join(ROLES)} are known")
        with Session(self._engine) as session:
            if session.scalar(select(User).where(User.name == name.lower())):
                raise ValueError(f"account '{name}' exists already")
            hashed = self._hasher.hash(password)
            session.add(User(name=name.lower(), password_hash=hashed, role=role, created=datetime.now(UTC)))
            session.commit()
        return Account(name.lower(), role)

    def ensure_administrator(self) -> str | None:
        """Make the first administrator where there is no account yet; return the new password, else None."""
        with Session(self._engine) as session:
            if session.scalar(select(func.count()).select_from(User)):
                return None
        password = new_password()
        self.add(ADMINISTRATOR, password, "admin")
        return password

    def set_password(self, name: str, password: str) -> None:
        """Replace a password.

        Raises:
            LookupError: no such account.
        """
        with Session(self._engine) as session:
            user = session.scalar(select(User).where(User.name == name.lower()))
            if user is None:
                known = ", ".join(session.scalars(select(User.name).order_by(User.name))) or "none"
                raise LookupError(f"no account '{name}'; there are: {known}")
            user.password_hash = self._hasher.hash(password)
            session.commit()

    def verify(self, name: str, password: str) -> Account | None:
        """Return the account when the password is right, else None; takes as long for a name that does not exist."""
        with Session(self._engine) as session:
            user = session.scalar(select(User).where(User.name == name.lower()))
        right = self._hasher.verify(password, user.password_hash if user else self._nobody)
        return Account(user.name, user.role) if user and right else None

    async def authenticate(self, name: str, password: str) -> Account | None:
        """`verify` in a thread.

        Raises:
            BusyError: too many logins wait already.
        """
        if self._waiting >= self._most_waiting:
            raise BusyError
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self.verify, name, password)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Stop the threads and close the database."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._engine.dispose()


def new_password() -> str:
    """Return a random password of 120 bits."""
    return secrets.token_urlsafe(15)


def reset_password(state_dir: Path, username: str) -> str:
    """Give an account a new random password and return it.

    Raises:
        LookupError: no such account.
    """
    accounts = Accounts(state_dir)
    try:
        password = new_password()
        accounts.set_password(username, password)
    finally:
        accounts.close()
    return password
