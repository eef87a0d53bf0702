# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Databases to keep history in, SQLite in a file and PostgreSQL (started once for all tests), and a history at work on them."""

import socket
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from settings_of import settings_of

from aegis.bridge.history import shipper
from aegis.bridge.history.history import History
from aegis.bridge.history.settings import HistorySettings


@dataclass
class Database:
    """A database, and a way into it that is not the code under test."""

    url: str

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        if self.url.startswith("sqlite"):
            connection: Any = sqlite3.connect(self.url.removeprefix("sqlite:///"))
        else:
            connection = psycopg.connect(self.url)
        try:
            return [tuple(row) for row in connection.execute(sql).fetchall()]
        finally:
            connection.close()

    def count(self, table: str) -> int:
        return self.rows(f"SELECT count(*) FROM {table}")[0][0]


@pytest.fixture
def database_class() -> type[Database]:
    """The class, for databases that are peculiar."""
    return Database


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Database:
    """A file that is not there yet."""
    return Database(f"sqlite:///{tmp_path / 'history.db'}")


@pytest.fixture
def nowhere(database_class) -> object:
    """A PostgreSQL that is not there."""
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        yield database_class(f"postgresql://eve:a-secret-word@127.0.0.1:{taken.getsockname()[1]}/history")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return request.getfixturevalue("sqlite_database")
    return Database(request.getfixturevalue("postgres").create_database())


@pytest.fixture
def start_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., History]]:
    """Return a function that starts a history on a database, in the same state directory each time."""
    monkeypatch.setattr(shipper, "PAUSE_S", 0.01)  # the tests wait for it again and again
    state_dir = tmp_path / "history_state"
    state_dir.mkdir(exist_ok=True)
    started: list[History] = []

    def start(database: Database, **settings: Any) -> History:
        folder = settings.pop("state_dir", state_dir)
        history = History(settings_of(HistorySettings, database_url=database.url, **settings), folder)
        history.start()
        started.append(history)
        return history

    yield start
    for history in started:
        history.close()


@pytest.fixture
def shipped(wait_for: Callable[..., None]) -> Callable[[History], None]:
    """Return a function that waits until everything has got to the database."""

    def wait(history: History) -> None:
        wait_for(lambda: history.counts()["database"] == "up" and history.pending == 0, "all is shipped")

    return wait
