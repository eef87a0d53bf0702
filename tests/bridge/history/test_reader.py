# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Queries cannot write, take no longer than they may, and do not pile up."""

import asyncio
import threading
import time

import pytest
from problems import refused
from sqlalchemy import text

from aegis.bridge.database import open_engine
from aegis.bridge.history.reader import Reader
from aegis.bridge.history.store import Store
from aegis.bridge.problem import ProblemError

ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(60)",
}


@pytest.fixture
def reader(database):
    store = Store(open_engine(database.url))
    store.prepare()
    store.engine.dispose()
    one = Reader(database.url, timeout_s=0.5)
    yield one
    one.close()


def ask(reader: Reader, sql: str):
    return asyncio.run(reader.read(lambda connection: connection.execute(text(sql)).scalar()))


def test_a_query_cannot_write(database, reader):
    for sql in ("DELETE FROM events", "CREATE TABLE mine (a INTEGER)", "UPDATE decisions SET who = 'me'"):
        with refused(503, "cannot be asked"):
            ask(reader, sql)
    assert ask(reader, "SELECT count(*) FROM events") == 0


def test_a_query_that_takes_too_long_is_ended(database, reader):
    begin = time.monotonic()
    with refused(503, r"longer than 0\.5 s"):
        ask(reader, ENDLESS[database.url.partition(":")[0]])
    assert time.monotonic() - begin < 3
    assert ask(reader, "SELECT 41 + 1") == 42


def test_queries_do_not_pile_up(sqlite_database):
    Store(open_engine(sqlite_database.url)).prepare()
    reader = Reader(sqlite_database.url)
    go_on = threading.Event()

    async def many() -> list:
        asked = [asyncio.create_task(reader.read(lambda _: go_on.wait(10))) for _ in range(100)]
        await asyncio.sleep(0)
        go_on.set()
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = asyncio.run(many())
    refusals = [answer for answer in answers if isinstance(answer, ProblemError) and answer.status == 503]
    assert 50 < len(refusals) < 90
    assert "too many" in str(refusals[0])
    assert answers.count(True) == 100 - len(refusals)
    assert ask(reader, "SELECT 1") == 1  # and then there is room again
    reader.close()
