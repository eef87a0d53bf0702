# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Pages of a long answer: each begins after the key of the last row before it, so that new rows move nothing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Column, Connection, Row, Select, func, tuple_

from aegis.bridge.problem import ProblemError

MAX_CURSOR_CHARACTERS = 1024
PAGE_CHARACTERS = 4_000_000
_MOST = 2**63 - 1


class Page(NamedTuple):
    """Some rows, and the cursor of the page after them; None after the last."""

    rows: Sequence[Row[Any]]
    next_cursor: str | None


def encode_cursor(key: Sequence[int | str]) -> str:
    """Return the key of a row as an opaque text."""
    return base64.urlsafe_b64encode(orjson.dumps(list(key))).decode().rstrip("=")


def decode_cursor(cursor: str, kinds: Sequence[type]) -> list[int | str]:
    """Return the key in a cursor.

    Raises:
        ProblemError: 400, it does not hold values of these kinds.
    """
    try:
        key = orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        key = None
    fits = isinstance(key, list) and [type(value) for value in key] == list(kinds)
    if not fits or any(not -_MOST <= value <= _MOST if isinstance(value, int) else "\0" in value for value in key):
        raise ProblemError(400, "cursor: not one that this endpoint gave as next_cursor")
    return list(key)


def page(
    connection: Connection,
    statement: Select[Any],
    key: Sequence[Column[Any]],
    cursor: str | None,
    limit: int,
    heavy: Column[Any] | None = None,
) -> Page:
    """Return the rows after the cursor, in descending order of the key, which is unique.

    Args:
        connection: to ask.
        statement: all rows.
        key: columns that order them.
        cursor: of the page before; None begins with the first row.
        limit: of rows.
        heavy: column whose texts may be so long that fewer rows are to make a page.

    Raises:
        ProblemError: 400, of `decode_cursor`.
    """
    if cursor:
        after = decode_cursor(cursor, [column.type.python_type for column in key])
        statement = statement.where(tuple_(*key) < tuple_(*after))
    statement = statement.order_by(*(column.desc() for column in key))
    if heavy is not None:
        lengths = connection.execute(statement.with_only_columns(func.length(heavy)).limit(limit)).scalars()
        limit = max(1, sum(total <= PAGE_CHARACTERS for total in accumulate(lengths)))
    rows = connection.execute(statement.limit(limit + 1)).all()
    if len(rows) <= limit:
        return Page(rows, None)
    rows = rows[:limit]
    return Page(rows, encode_cursor([rows[-1]._mapping[column.name] for column in key]))
