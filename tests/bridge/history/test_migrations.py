# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""From nothing, and from each earlier revision, the migrations make the tables that the code expects."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from aegis.bridge.database import migrate, open_engine
from aegis.bridge.history.store import MIGRATIONS
from aegis.bridge.history.tables import METADATA

REVISIONS = [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]


@pytest.mark.parametrize("revision", [None, *REVISIONS])
def test_the_tables_are_those_of_the_code(database, revision):
    engine = open_engine(database.url)
    if revision:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    for _ in range(2):  # the second time there is nothing to do
        migrate(engine, MIGRATIONS)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()
    if database.url.startswith("sqlite"):
        indexes = database.rows("SELECT name, sql FROM sqlite_master WHERE type = 'index'")
        assert database.rows("PRAGMA auto_vacuum") == [(2,)]
    else:
        indexes = database.rows("SELECT indexname, indexdef FROM pg_indexes")
    conditions = {name: sql.partition("WHERE")[2].strip(" ()") for name, sql in indexes if sql and "WHERE" in sql}
    assert conditions == {
        "events_alarming": "severity >= 2",
        "events_site": "site IS NOT NULL",
        "threats_alarming": "level >= 3",
        **{f"{table}_received": "received_ns IS NOT NULL" for table in ("events", "threats", "track_samples")},
    }
