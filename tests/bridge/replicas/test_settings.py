# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a bridge that is one of several must be given."""

import pytest

from aegis.bridge.replicas.settings import ReplicaSettings, check_replicas, node_name, shared_accounts
from aegis.core.params import ConfigError

REDIS, POSTGRES = "redis://127.0.0.1:6379/0", "postgresql://eve:secret@127.0.0.1/aegis"


@pytest.mark.parametrize(
    ("values", "database", "names"),
    [
        ({"redis_url": REDIS, "name": "a"}, "", "DATABASE_URL"),
        ({"redis_url": REDIS, "name": "a"}, "sqlite:////elsewhere/history.db", "DATABASE_URL"),
        ({"redis_url": REDIS}, POSTGRES, "AEGIS_BRIDGE_NAME"),
        ({"redis_url": REDIS, "name": "a-b"}, POSTGRES, "AEGIS_BRIDGE_NAME"),
    ],
)
def test_what_is_missing_is_named(values, database, names):
    with pytest.raises(ConfigError, match=names) as refused:
        check_replicas(ReplicaSettings.load(values), database)
    assert "secret" not in str(refused.value)


def test_alone_a_bridge_is_called_as_ever_and_needs_nothing():
    alone = ReplicaSettings()
    check_replicas(alone, "")
    assert node_name(alone, "bridge") == "bridge"
    assert shared_accounts({"DATABASE_URL": POSTGRES}) == ""


def test_one_of_several_has_a_name_and_shared_accounts():
    settings = ReplicaSettings.load({"redis_url": REDIS, "name": "a"})
    check_replicas(settings, POSTGRES)
    assert node_name(settings, "bridge") == "bridge_a"
    assert shared_accounts({"DATABASE_URL": POSTGRES, "REDIS_URL": REDIS}) == POSTGRES
