# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How many bytes the rows of the history take, their indexes included.

What deletes free is not counted: SQLite keeps free pages for later, and the files of PostgreSQL do not shrink by deletes at all
(its vacuum makes their space usable again), so the size of a file cannot be the measure.
"""

from __future__ import annotations

from sqlalchemy import Connection, Table, UniqueConstraint, column, func, select, text

from aegis.bridge.history.tables import METADATA

_SAMPLE_PAGES = 100
# https://www.postgresql.org/docs/15/storage-page-layout.html, and the default fillfactor of its B-trees.
_ITEM_POINTER, _INDEX_TUPLE_HEADER, _ALIGNMENT, _INDEX_FILL = 4, 8, 8, 0.9


def size_bytes(connection: Connection) -> int:
    """Return the size of the history. On PostgreSQL it is an estimate from samples; the tables are analysed for it."""
    if connection.dialect.name == "sqlite":
        pages, free, page_size = (
            connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * page_size)
    return round(sum(_postgresql_bytes(connection, table) for table in METADATA.sorted_tables))


def _postgresql_bytes(connection: Connection, table: Table) -> float:
    connection.execute(text(f"ANALYZE {table.name}"))
    percent = min(100.0, 100.0 * _SAMPLE_PAGES / max(1, _statistic(connection, table.name, "relpages")))
    sample = table.tablesample(func.system(percent), name="sample")
    # The whole row has what is stored out of line in it, which the statistics of the columns have not.
    sizes = [func.avg(func.pg_column_size(part)) for part in (column("sample", is_literal=True), *sample.c)]
    row, *widths = (float(value or 0) for value in connection.execute(select(*sizes).select_from(sample)).one())
    width = dict(zip(table.c.keys(), widths, strict=True))
    total = _statistic(connection, table.name, "reltuples") * (row + _ITEM_POINTER)
    for name, columns in _indexes(table).items():
        entry = _INDEX_TUPLE_HEADER + sum(width[key] for key in columns)
        aligned = -(-entry // _ALIGNMENT) * _ALIGNMENT
        total += _statistic(connection, name, "reltuples") * (aligned + _ITEM_POINTER) / _INDEX_FILL
    return total


def _indexes(table: Table) -> dict[str, list[str]]:
    """Return the columns of each index by its name in PostgreSQL."""
    unique = {str(c.name): c.columns.keys() for c in table.constraints if isinstance(c, UniqueConstraint)}
    named = {str(index.name): index.columns.keys() for index in table.indexes}
    return {f"{table.name}_pkey": table.primary_key.columns.keys(), **unique, **named}


def _statistic(connection: Connection, relation: str, name: str) -> float:
    statement = text(f"SELECT {name} FROM pg_class WHERE oid = CAST(:relation AS regclass)")
    return max(0.0, float(connection.execute(statement, {"relation": relation}).scalar_one()))
