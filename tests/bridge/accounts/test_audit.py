# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The audit: append-only for everybody, read page by page, bounded where others choose how much there is."""

import asyncio
import sqlite3
import time
from pathlib import Path

import pytest
from settings_of import settings_of

from aegis.bridge.accounts import audit_table
from aegis.bridge.accounts.audit_table import Entry, Query
from aegis.bridge.accounts.settings import AccountSettings
from aegis.bridge.accounts.store import DATABASE_FILE, Accounts

DAY_S = 86400.0


def append(accounts, *, at_s: float | None = None, **what) -> None:
    entry = Entry(**{"action": "test.act", **what})
    accounts.write_now(None, audit_table.append, entry, time.time() if at_s is None else at_s)


def page(accounts, **query) -> list:
    return accounts.read_now(audit_table.page, Query(**{"limit": 100, **query}))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET who = 'nobody'",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE id = 1",
        "INSERT OR REPLACE INTO audit SELECT id, at_s, 'nobody', address, request_id, action, target, outcome, detail FROM audit",
        "REPLACE INTO audit SELECT id, at_s, 'nobody', address, request_id, action, target, outcome, detail FROM audit",
    ],
)
@pytest.mark.parametrize("retention", ["kept", "lost"])
def test_no_program_changes_what_was_written(accounts, tmp_path: Path, statement, retention):
    append(accounts, who="ada")
    with sqlite3.connect(tmp_path / DATABASE_FILE) as database:
        if retention == "lost":  # without the row that says for how long, it is for long
            database.execute("DELETE FROM audit_retention")
            database.commit()
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            database.execute(statement)
    assert [row.who for row in page(accounts)] == ["ada"]


def test_entries_go_when_their_days_are_over_and_not_before(accounts):
    for days in (400, 364, 40, 0):
        append(accounts, at_s=time.time() - days * DAY_S, target=f"{days} days old")
    accounts.write_now(None, audit_table.keep_for, 365, time.time())
    assert [row.target for row in page(accounts)] == ["0 days old", "40 days old", "364 days old"]
    accounts.write_now(None, audit_table.keep_for, 30, time.time())  # a shorter setting is taken
    assert [row.target for row in page(accounts)] == ["0 days old"]


def test_the_watch_sets_the_days_and_sweeps(tmp_path: Path):
    accounts = Accounts(tmp_path, settings_of(AccountSettings, audit_days=30))
    append(accounts, at_s=time.time() - 40 * DAY_S)

    async def run() -> None:
        watch = asyncio.create_task(accounts.watch())
        while page(accounts):
            await asyncio.sleep(0.01)
        watch.cancel()

    asyncio.run(asyncio.wait_for(run(), 20))
    accounts.close()


def test_pages_are_complete_and_stay_so_while_entries_come(accounts):
    for n in range(25):
        append(accounts, target=str(n))
    seen, before = [], None
    while True:
        rows = page(accounts, limit=10, before=before)
        seen += [row.target for row in rows[:10]]
        append(accounts, target="later")
        if len(rows) <= 10:
            break
        before = rows[9].id
    assert seen == [str(n) for n in reversed(range(25))]


def test_entries_are_found_by_who_what_and_when(accounts):
    for at_s, who, action in ((100.0, "ada", "a"), (200.0, "ada", "b"), (300.0, "eve", "a")):
        append(accounts, at_s=at_s, who=who, action=action)
    assert [row.at_s for row in page(accounts, who="ada")] == [200.0, 100.0]
    assert [row.at_s for row in page(accounts, action="a")] == [300.0, 100.0]
    assert [row.at_s for row in page(accounts, since_s=200.0)] == [300.0, 200.0]
    assert [row.at_s for row in page(accounts, until_s=200.0)] == [100.0]
    assert [row.at_s for row in page(accounts, who="ada", action="a", since_s=50.0, until_s=300.0)] == [100.0]


def test_texts_of_any_kind_and_length_are_kept(accounts):
    append(accounts, who="x" * 1000, target="\ud800" + "ü" * 1000, address="a" * 1000, detail={"reason": "\ud800\0'"})
    (row,) = page(accounts)
    assert (len(row.who), len(row.target), row.target[1]) == (80, 256, "ü")
    assert row.detail == {"reason": "\ud800\0'"}


def test_refusals_are_bounded_counted_and_summed_up(tmp_path: Path, monkeypatch):
    accounts = Accounts(tmp_path, settings_of(AccountSettings, audit_refusals_per_minute=20))

    async def refuse(times: int, address: str, action: str = "access") -> None:
        for _ in range(times):
            await accounts.audit.refused(action=action, outcome="denied", address=address)

    asyncio.run(refuse(100, "192.0.2.1"))
    assert len(page(accounts)) == 5  # one address cannot use up what is for all
    asyncio.run(refuse(100, "2001:db8::1"))
    asyncio.run(refuse(100, "2001:db8::2"))  # the same subscriber
    assert len(page(accounts)) == 10
    for n in range(10):
        asyncio.run(refuse(10, f"198.51.100.{n}"))
    assert len(page(accounts)) == 20
    asyncio.run(refuse(1, "192.0.2.1", "auth.login"))  # another kind has its own count
    assert len(page(accounts)) == 21
    assert accounts.audit.counts()["audit_suppressed"] == 400 - 20

    asyncio.run(accounts.audit.summarise())
    assert len(page(accounts)) == 21  # once a minute
    begin = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: begin + 61)
    asyncio.run(accounts.audit.summarise())
    asyncio.run(accounts.audit.summarise())
    first = page(accounts)[0]
    assert (first.action, first.who, first.detail) == ("audit.suppressed", "bridge", {"access denied": 380})
    assert len(page(accounts)) == 22
    accounts.close()
