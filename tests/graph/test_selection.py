"""Which nodes run, by the radar in use."""

import pytest

from aegis.core.params import ConfigError
from aegis.graph.nodes import DEFAULT_NODES
from aegis.graph.selection import select_nodes

RAW = ["simulator.level=signal", "simulator.coverage.max_range_m=5000"]
REST = [name for name in DEFAULT_NODES if name != "simulator"]


@pytest.mark.parametrize(("sets", "options", "radar"), [
    ([], {}, ["simulator"]),
    (RAW, {}, ["simulator", "frontend"]),
    (RAW, {"front_end": False}, ["simulator"]),
    (["driver.driver=smartmicro_umrr"], {}, ["driver"]),
    (["driver.driver=ti_raw", "driver.source=npy", "driver.path=frame.npy"], {}, ["driver", "frontend"]),
    ([], {"external_radar": True}, []),
    ([], {"radar_msgs": True}, ["radar_msgs"]),
    ([], {"external_radar": True, "front_end": True}, ["frontend"]),
    (RAW, {"external_radar": True}, []),
])  # fmt: skip
def test_the_radar_decides(sets, options, radar):
    assert select_nodes(None, sets, **options) == [*radar, *REST]


def test_a_parameter_file_may_name_the_driver(tmp_path):
    path = tmp_path / "radar.yaml"
    path.write_text("driver:\n  ros__parameters: {driver: smartmicro_umrr, port: 55556}\n")
    assert select_nodes(path, []) == ["driver", *REST]


def test_nodes_may_be_left_out():
    assert "foxglove" not in select_nodes(None, [], without=("foxglove",))


def test_one_radar_has_one_source():
    with pytest.raises(ConfigError, match="exclude each other"):
        select_nodes(None, ["driver.driver=smartmicro_umrr"], external_radar=True)


@pytest.mark.parametrize(("sets", "match"), [
    (["driver.driver=nobody"], "no driver 'nobody'; known are: .*smartmicro_umrr"),
    (["driver.driver=smartmicro_umrr", "driver.prot=1"], "unknown parameter 'prot'; known are: .*port"),
    (["driver.driver=smartmicro_umrr", "driver.port=70000"], "'port' = 70000: .*65535"),
])  # fmt: skip
def test_a_wrong_driver_is_refused_with_a_message_that_helps(sets, match):
    with pytest.raises(ConfigError, match=match):
        select_nodes(None, sets)
