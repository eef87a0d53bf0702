# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Pages put together are the whole, without doubles, also while rows come in."""

from collections.abc import Callable
from dataclasses import asdict

import orjson
import pytest
from history_data import an_event
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from problems import refused
from sqlalchemy import delete, insert

from aegis.bridge.database import open_engine
from aegis.bridge.history import queries
from aegis.bridge.history.paging import decode_cursor, encode_cursor
from aegis.bridge.history.store import Store
from aegis.bridge.history.tables import EVENTS, THREATS
from aegis.bridge.models.history import EventQuery, ThreatQuery

# The database is the same for all examples; each begins by emptying it.
on_one_database = settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
threat_keys = st.tuples(st.integers(0, 5), st.sampled_from(["a", "B", "ä", ""]), st.integers(0, 3))


@pytest.fixture
def store(database):
    one = Store(open_engine(database.url))
    one.prepare()
    yield one
    one.engine.dispose()


def threat_row(key: tuple[int, str, int]) -> dict:
    stamp_ns, sensor_id, track_id = key
    return {
        "stamp_ns": stamp_ns, "sensor_id": sensor_id, "track_id": track_id, "sequence": 1, "class_id": 1,
        "level": 1 + track_id, "score": 0.5, "reason": "",
    }  # fmt: skip


def walk(ask: Callable[[str | None], queries.Found], between: Callable[[], None]) -> list[dict]:
    items, cursor = [], None
    while True:
        found = ask(cursor)
        items += orjson.loads(found.items)
        assert found.count == len(orjson.loads(found.items))
        cursor = found.next_cursor
        if cursor is None:
            return items
        assert found.count > 0
        between()


@on_one_database
@given(before=st.sets(threat_keys, max_size=25), during=st.lists(threat_keys, max_size=10), limit=st.integers(1, 9))
def test_threats(store, before, during, limit):
    with store.engine.begin() as connection:
        connection.execute(delete(THREATS))
        if before:
            connection.execute(insert(THREATS), [threat_row(key) for key in before])
    during = [key for key in dict.fromkeys(during) if key not in before]

    def add() -> None:
        if during:
            with store.engine.begin() as connection:
                connection.execute(insert(THREATS), threat_row(during.pop()))

    def ask(cursor: str | None) -> queries.Found:
        with store.engine.connect() as connection:
            return queries.threats(connection, ThreatQuery(limit=limit, cursor=cursor))

    items = walk(ask, add)
    keys = [(round(item["stamp_s"] * 1e9), item["sensor_id"], item["track_id"]) for item in items]
    assert len(set(keys)) == len(keys)
    assert set(keys) >= before
    stamps = [key[0] for key in keys]
    assert stamps == sorted(stamps, reverse=True)


@on_one_database
@given(stamps=st.lists(st.integers(0, 3), max_size=25), limit=st.integers(1, 9))
def test_events_of_one_time(store, stamps, limit):
    with store.engine.begin() as connection:
        connection.execute(delete(EVENTS))
        for i, stamp_ns in enumerate(stamps):
            row = asdict(an_event(i, stamp_ns=stamp_ns))
            row["data"] = row.pop("data_json")
            connection.execute(insert(EVENTS), row)

    def ask(cursor: str | None) -> queries.Found:
        with store.engine.connect() as connection:
            return queries.events(connection, EventQuery(limit=limit, cursor=cursor))

    items = walk(ask, lambda: None)
    expected = sorted(((s, i) for i, s in enumerate(stamps)), reverse=True)
    assert [(round(item["stamp_s"] * 1e9), item["sequence"]) for item in items] == expected


@given(
    st.lists(st.integers(-(2**63) + 1, 2**63 - 1) | st.text(st.characters(exclude_categories=["Cs"], min_codepoint=1)))
)
def test_a_cursor_holds_a_key(key):
    assert decode_cursor(encode_cursor(key), [type(value) for value in key]) == key


@given(st.text() | st.binary().map(lambda raw: raw.hex()))
def test_other_texts_are_no_cursor(text):
    with refused(400):
        decode_cursor(text, [int, str, int])


@pytest.mark.parametrize(
    "key", [[2**63], [-(2**63)], [1.0], ["1"], [True], [None], [1, 2], [], {"a": 1}, 5, [2**64], [2**200]]
)
def test_other_keys_are_no_cursor(key):
    import base64
    import json

    text = base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")
    with refused(400):
        decode_cursor(text, [int])
