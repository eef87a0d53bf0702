# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The driver's stage: frames of a real line to messages, stamps of the sensor's clock, a line that is lost and found."""

import json
import socket
import struct
import sys

import ars548_packets
import numpy as np
import pytest
from asterix_bytes import datablock, plot
from driver_case import install_example
from sensor_msgs.msg import PointCloud2

from aegis.core.params import ConfigError
from aegis.drivers.contract import DriverSettings
from aegis.drivers.registry import gives_cubes
from aegis.graph.config import load_settings
from aegis.ros.messages.clouds import cloud_fields
from aegis.ros.messages.fields import stamp_of
from aegis.ros.stages.base import StageContext
from aegis.ros.stages.driver import DriverStage

SECOND = 1_000_000_000


@pytest.fixture
def example_driver(tmp_path, monkeypatch):
    install_example(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("example_driver", None)


@pytest.fixture
def radar():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        yield sender


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make(port: int, **settings) -> DriverStage:
    values = {"driver": "example", "udp.address": "127.0.0.1", "udp.port": port, "frame_id": "front", **settings}
    sets = [f"driver.{name}={value}" for name, value in values.items()]
    return DriverStage(load_settings("driver", None, sets, environ={}), StageContext(live=True))


def datagram(scan: int, time_us: int, points: list[tuple[float, float, float, float]]) -> bytes:
    return (
        b"EXMP" + struct.pack("<HBBQ", scan, 1, len(points), time_us) + b"".join(struct.pack("<4f", *p) for p in points)
    )


def polled(stage: DriverStage, now_ns: int) -> list:
    return list(stage.on_timer(now_ns))


def detail(stage: DriverStage, now_ns: int) -> tuple[dict, int, str]:
    """Return the status' detail, and the level and text of the diagnostics."""
    status, diagnostics = stage.status(now_ns)
    entry = diagnostics.message.status[0]
    return json.loads(status.message.detail[0]), int.from_bytes(entry.level, "little"), entry.message


def test_a_frame_becomes_a_cloud_stamped_by_the_sensors_clock(example_driver, radar, wait_for):
    port = free_port()
    stage = make(port, delay_s=0.001)
    assert polled(stage, 0) == []
    found = []
    for k in range(20):
        radar.sendto(datagram(k, 500_000 + 10 * k, [(100.0, 30.0, -5.0, 20.0)]), ("127.0.0.1", port))

        def came(k: int = k) -> bool:
            found.extend(o.message for o in polled(stage, 0) if o.topic == "radar/points")
            return len(found) > k

        wait_for(came, "the frame")
    assert all(isinstance(m, PointCloud2) and m.header.frame_id == "front" for m in found)
    columns = cloud_fields(found[0], {"range", "azimuth", "range_rate", "snr"})
    np.testing.assert_allclose(columns["azimuth"], np.radians(-30.0), rtol=1e-6)
    np.testing.assert_allclose(columns["range"], 100.0)
    # The sensor says that 10 us lie between its scans; they came slower, so the first had the shortest way.
    stamps = np.array([stamp_of(m) for m in found])
    np.testing.assert_allclose(np.diff(stamps), 10_000, atol=1)
    shown, level, text = detail(stage, SECOND)
    assert (shown["driver"], shown["frames"], shown["packets"]) == ("example", 20, 20)
    assert shown["clock_jitter_s"] >= 0.0
    assert shown["clock_offset_s"] > 1e9  # the sensor counts from its start, we from 1970
    assert (level, text) == (0, "running")


def test_refusals_are_counted_with_the_drivers_reasons(example_driver, radar, wait_for):
    port = free_port()
    stage = make(port)
    polled(stage, 0)
    for packet in (b"?", b"EXMP", datagram(1, 0, [])[:-1], b"EXMP" + struct.pack("<HBBQ", 1, 1, 3, 0)):
        radar.sendto(packet, ("127.0.0.1", port))
    wait_for(lambda: polled(stage, 0) is not None and stage.counters.dropped == 4, "the refusals")
    assert stage.counters.reasons == {"no example packet": 3, "wrong length": 1}
    _, level, text = detail(stage, SECOND)
    assert (level, text) == (
        1,
        "4 inputs refused since the last status: no example packet (3), wrong length (1)",
    )


SIDE_LOBE = datablock(48, plot(10.0, 0.0, 43_200.0), plot(20.0, 0.0, 43_200.0, i030=bytes([2 << 1])))


@pytest.mark.parametrize(
    ("driver", "data", "reason"),
    [
        ("asterix", SIDE_LOBE, "the radar says: side lobe"),
        ("ars548", ars548_packets.objects([]), "list not published"),  # it sends both lists
    ],
    ids=["asterix", "ars548"],
)
def test_what_a_parameter_leaves_out_is_counted_and_no_fault(radar, wait_for, driver, data, reason):
    port = free_port()
    stage = make(port, driver=driver, **{"udp.multicast_group": "''"})
    polled(stage, 0)
    radar.sendto(data, ("127.0.0.1", port))
    wait_for(lambda: polled(stage, 0) == [] and stage.driver.packets == 1, "the packet")
    _, level, text = detail(stage, 1)
    assert (level, text) == (0, "running")
    assert stage.counters.reasons == {reason: 1}
    assert stage.counters.dropped == 0


def test_nor_is_another_radar_where_the_source_address_says_which_is_ours(example_driver, radar, wait_for):
    port = free_port()
    stage = make(port, **{"udp.source_address": "127.0.0.2"})
    polled(stage, 0)
    radar.sendto(b"of another radar", ("127.0.0.1", port))
    wait_for(lambda: polled(stage, 0) == [] and stage.driver.refused["foreign source"] == 1, "the packet")
    _, level, text = detail(stage, 1)
    assert (level, text) == (0, "running")
    assert stage.counters.reasons == {"foreign source": 1}
    radar.sendto(b"of another radar", ("127.0.0.1", port))
    wait_for(lambda: polled(stage, 0) == [] and stage.driver.refused["foreign source"] == 2, "the packet")
    assert "foreign source (1)" in detail(stage, 60 * SECOND)[2], "where nothing else comes, the address may be wrong"


def test_a_silent_sensor_is_no_data_and_not_clear(example_driver):
    stage = make(free_port(), silent_after_s=2.0)
    polled(stage, 100 * SECOND)
    assert detail(stage, 101 * SECOND)[1] == 0
    assert detail(stage, 103 * SECOND)[1:] == (3, "no data: no frame for 3.0 s")


def test_a_line_on_which_nothing_right_comes_says_what_comes(example_driver, radar, wait_for):
    port = free_port()
    stage = make(port, silent_after_s=2.0)
    polled(stage, 100 * SECOND)
    radar.sendto(b"?", ("127.0.0.1", port))
    wait_for(lambda: polled(stage, 103 * SECOND) is not None and stage.counters.dropped == 1, "the refusal")
    assert detail(stage, 103 * SECOND)[1:] == (
        3,
        "no data: no frame for 3.0 s; refused since the last status: no example packet (1)",
    )


def test_a_taken_port_is_told_once_and_the_line_comes_when_it_is_free(example_driver, radar, wait_for):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        stage = make(port)
        (first,) = polled(stage, 10 * SECOND)
        assert first.message.name == "PIPELINE_ERROR"
        assert f"127.0.0.1:{port}" in first.message.data
        assert polled(stage, 10 * SECOND + SECOND // 2) == []  # not yet tried again
        assert polled(stage, 12 * SECOND) == []  # tried, and not told again
        _, level, text = detail(stage, 12 * SECOND)
        assert level == 2
        assert "cannot be opened" in text
    polled(stage, 14 * SECOND)
    radar.sendto(datagram(1, 0, []), ("127.0.0.1", port))
    wait_for(lambda: any(o.topic == "radar/points" for o in polled(stage, 14 * SECOND)), "a frame")
    assert detail(stage, 14 * SECOND)[1:] == (0, "running")


def test_restart_opens_the_line_anew(example_driver, radar, wait_for):
    port = free_port()
    stage = make(port)
    polled(stage, 0)
    stage.reset()
    polled(stage, 0)
    radar.sendto(datagram(1, 0, []), ("127.0.0.1", port))
    wait_for(lambda: any(o.topic == "radar/points" for o in polled(stage, 0)), "a frame")
    stage.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", port))  # it is free


def test_no_driver_named_is_a_clear_error():
    with pytest.raises(ConfigError, match=r"names no driver; known are: .*smartmicro_umrr"):
        DriverStage(DriverSettings(), StageContext())


def test_only_raw_drivers_send_large_messages():
    assert not gives_cubes(DriverSettings())
    assert not gives_cubes(DriverSettings(driver="smartmicro_umrr"))
    assert gives_cubes(DriverSettings(driver="ti_raw"))
