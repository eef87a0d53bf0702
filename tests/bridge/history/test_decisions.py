# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A decision is one record that nobody changes, and that the audit shows."""

import asyncio
import sqlite3
import time
from functools import partial

import pytest
from accounts_data import PASSWORD

DAY_S = 86400


@pytest.fixture
def decided(sqlite_database, start_history):
    """A history with one decision, closed."""
    history = start_history(sqlite_database, days=30)
    detail = {"level": "HIGH"}
    asyncio.run(history.put_decision(kind="threat", target_id=41, who="ada", accept=True, detail=detail))
    history.close()
    return sqlite_database


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decisions SET who = 'nobody'",
        "UPDATE decisions SET number = 7",
        "DELETE FROM decisions",
        "DELETE FROM decisions WHERE target_id = 41",
        "INSERT OR REPLACE INTO decisions SELECT id, stamp_ns, kind, target_id, 'nobody', accept, detail, number, address,"
        " request_id FROM decisions",
    ],
)
@pytest.mark.parametrize("retention", ["kept", "lost"])
def test_no_program_changes_what_was_decided(decided, statement, retention):
    before = decided.rows("SELECT * FROM decisions")
    with sqlite3.connect(decided.url.removeprefix("sqlite:///")) as database:
        if retention == "lost":  # without the row that says for how long, it is for long
            database.execute("DELETE FROM state")
            database.commit()
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            database.execute(statement)
    assert decided.rows("SELECT * FROM decisions") == before


@pytest.mark.parametrize(("age_days", "goes"), [(29, False), (31, True)])
def test_a_decision_may_go_when_its_days_are_over(decided, age_days, goes):
    stamp_ns = round((time.time() - age_days * DAY_S) * 1e9)
    with sqlite3.connect(decided.url.removeprefix("sqlite:///")) as database:
        database.execute(
            f"INSERT INTO decisions VALUES ('old', {stamp_ns}, 'threat', 1, 'eve', 1, '{{}}', 2, NULL, NULL)"
        )
        database.commit()
        try:
            database.execute("DELETE FROM decisions WHERE id = 'old'")
        except sqlite3.IntegrityError:
            assert not goes
        else:
            assert goes


def test_the_audit_has_acknowledgements_in_the_order_of_time(app):
    def log_in() -> str:
        answer = app.client.post("/api/auth/login", json={"username": "admin", "password": PASSWORD})
        return answer.json()["access_token"]

    put = partial(app.bridge.history.put_decision, kind="threat", who="eve", accept=True, detail={"level": "HIGH"})
    expected = []
    for n in range(6):
        app.client.portal.call(partial(put, target_id=n, address="192.0.2.1", request_id=f"r{n}"))
        headers = {"Authorization": f"Bearer {log_in()}"} if n in (2, 5) else {}
        expected += [("threat.acknowledge", str(n))] + [("auth.login", "")] * (n in (2, 5))
    # What the audit of accounts has, or another kind of decision, is not there twice.
    app.client.portal.call(partial(put, target_id=70))
    app.client.portal.call(partial(put, kind="ew_advice", target_id=71, address="192.0.2.1"))
    expected.reverse()

    def read(query: str = "") -> list[dict]:
        entries, cursor = [], ""
        while cursor is not None:
            answer = app.client.get(
                f"/api/audit?limit=3{query}{cursor and f'&cursor={cursor}'}", headers=headers
            ).json()
            assert len(answer["entries"]) <= 3
            entries += answer["entries"]
            cursor = answer["next_cursor"]
        return entries

    entries = read()
    assert [(one["action"], one["target"]) for one in entries][: len(expected)] == expected
    assert len({one["id"] for one in entries}) == len(entries)
    assert [one["time_s"] for one in entries] == sorted((one["time_s"] for one in entries), reverse=True)
    assert [
        (one["who"], one["address"], one["request_id"], one["outcome"], one["detail"]) for one in read("&who=eve")
    ] == [("eve", "192.0.2.1", f"r{n}", "ok", {"level": "HIGH"}) for n in reversed(range(6))]
    assert [one["target"] for one in read("&action=threat.acknowledge")] == [str(n) for n in reversed(range(6))]
    assert {one["action"] for one in read("&action=auth.login")} == {"auth.login"}
    third = next(one["time_s"] for one in entries if one["target"] == "3")
    assert [one["target"] for one in read(f"&who=eve&since_s={third}")] == ["5", "4", "3"]
    assert [one["target"] for one in read(f"&who=eve&until_s={third}")] == ["2", "1", "0"]
