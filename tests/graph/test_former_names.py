# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every flat name that a parameter had is refused with the name that it has now."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from former_names import FORMER

from aegis.core.params import ConfigError
from aegis.drivers.registry import BUILT_IN
from aegis.graph.config import load_settings, settings_type
from aegis.graph.nodes import BRIDGE


def rows() -> Iterator[tuple[str, str, str]]:
    """Yield node or driver, old name, name of now."""
    owner = ""
    for line in FORMER.split("\n"):
        if line.endswith(":"):
            owner = line[:-1]
        elif line:
            old, _, now = line.strip().partition(" ")
            yield owner, old, now


ROWS = list(rows())


def test_the_table_is_whole():
    assert len(ROWS) == 333
    drivers = {"ars548", "asterix", "smartmicro_umrr", "srr520", "ti_raw", "ti_uart", "radar_msgs"}  # of those days
    assert {owner for owner, _, _ in ROWS} >= {"simulator", "tracking", "detection", BRIDGE, *drivers}


@pytest.mark.parametrize(("owner", "old", "now"), ROWS, ids=[f"{owner}.{old}" for owner, old, _ in ROWS])
def test_an_old_name_is_refused_with_the_new_one(owner, old, now, tmp_path: Path):
    driver = {"driver": owner} if owner in BUILT_IN else {}
    node = "driver" if driver else owner
    kind = settings_type(node, driver)
    if not now:
        assert kind.knows(old)
        return
    assert kind.knows(now.replace("<sensor_id>", "left").replace("<place>", "gate").replace("<CLASS>", "DRONE"))
    path = tmp_path / "old.yaml"
    given = "".join(f"    {key}: {value}\n" for key, value in {**driver, old: 1}.items())
    path.write_text(f"{node}:\n  ros__parameters:\n{given}")
    sets = [f"{node}.{key}={value}" for key, value in {**driver, old: 1}.items()]
    for arguments, source in (((path, []), str(path)), ((None, sets), "--set")):
        with pytest.raises(ConfigError) as refusal:
            load_settings(node, *arguments, environ={})
        assert str(refusal.value).startswith(f"{source}, node '{node}': ")
        assert now in str(refusal.value)
