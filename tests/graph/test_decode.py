# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`aegis decode` and `aegis process` on captures: what the live driver gives of the same packets, with the capture's times."""

import struct
from pathlib import Path

import numpy as np
import pytest
from asterix_bytes import datablock, north_marker, plot
from captures import CAN, can_frame, framed, ip, pcap, udp
from click.testing import CliRunner
from driver_case import DriverCase, all_cases
from pcap import read_udp
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import PointCloud2

from aegis.cli.main import cli
from aegis.drivers.registry import BUILT_IN, driver_class
from aegis.graph.decode import Capture
from aegis.ros.bag import BagReader, topic_types
from aegis.ros.messages.clouds import cloud_fields
from aegis.ros.messages.fields import stamp_of

BEGIN_NS = 1_700_000_000_000_000_000
DATA = Path(__file__).parents[1] / "data"


def decode(*words) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["decode", *map(str, words)])
    return result.exit_code, result.output


def clouds(bag: Path) -> list[PointCloud2]:
    reader = BagReader(bag, "radar/points", "sensor_msgs/msg/PointCloud2")
    return [deserialize_message(data, PointCloud2) for _, data in reader.messages()]


def write_recording(case: DriverCase, path: Path) -> None:
    """Write a case's packets as they are recorded from its line."""
    packets = case.packets()
    if case.line == "udp":
        frames = [(BEGIN_NS + n * 1_000_000, framed(ip(udp(data)))) for n, data in enumerate(packets)]
        path.write_bytes(pcap(frames))
    elif case.line == "can":
        frames = [(BEGIN_NS + n * 1_000_000, can_frame(int.from_bytes(data[:4], "big"), data[4:])) for n, data in
                  enumerate(packets)]  # fmt: skip
        path.write_bytes(pcap(frames, link=CAN))
    else:
        path.write_bytes(b"".join(packets))


@pytest.mark.parametrize("case", [case for case in all_cases() if case.driver in BUILT_IN], ids=str)
def test_every_driver_reads_a_recording_of_its_line(case, tmp_path):
    path = tmp_path / "recording"
    write_recording(case, path)
    settings = {**case.settings, **(case.files(tmp_path) if case.files else {})}
    if case.line == "udp":
        settings |= {"udp.port": 5000, "udp.multicast_group": "239.1.2.3"}
    sets = [f"driver.{name}={value}" for name, value in settings.items()]
    capture = Capture(path, case.driver, None, sets)
    messages = list(capture.messages())
    assert sum(capture.frames.values()) == case.frames
    assert not capture.stage.driver.refused
    times = [message.time_ns for message in messages]
    assert times == sorted(times)
    if case.line in ("udp", "can"):
        stamps = [stamp_of(m.message) for m in messages if m.topic in capture.topics]
        assert (
            all(abs(stamp - BEGIN_NS) < 60e9 for stamp in stamps) or case.driver == "asterix"
        )  # whose times are its own


def test_a_recorded_radar_gives_the_points_that_its_parser_gives(tmp_path):
    bag = tmp_path / "bag"
    code, said = decode(DATA / "umrr96.pcap.gz", "-o", bag, "--driver", "smartmicro_umrr")
    assert code == 0, said
    assert "2 frames" in said
    kind = driver_class("smartmicro_umrr")
    parser = kind(kind.settings_type.load({"driver": "smartmicro_umrr"})).make_parser()
    datagrams = [d for d in read_udp(DATA / "umrr96.pcap.gz") if d.port == 55555]
    expected = [frame for d in datagrams for frame in parser.feed(d.payload, d.stamp_ns)]
    got = clouds(bag)
    assert len(got) == len(expected) > 0
    for cloud, frame in zip(got, expected, strict=True):
        columns = cloud_fields(cloud, set(frame.columns))
        for name, values in frame.columns.items():
            np.testing.assert_array_equal(columns[name], values.astype(np.float32))
        assert abs(stamp_of(cloud) - frame.received_ns) < 1e9


def test_the_same_capture_gives_the_same_bytes_and_the_graph_takes_it(tmp_path):
    for name in ("a", "b"):
        words = ["process", DATA / "umrr96.pcap.gz", "-o", tmp_path / name / "bag", "--driver", "smartmicro_umrr"]
        sets = ["--set", "detection.frame_id=''", "--set", "detection.grouping.distance_m=0"]
        result = CliRunner().invoke(cli, [*map(str, words), *sets])
        assert result.exit_code == 0, result.output
        assert "2 scans" in result.output
        assert "refused (see" not in result.output
    assert {"/radar/points", "/detections", "/tracks", "/status"} <= set(topic_types(tmp_path / "a" / "bag"))
    (one,), (other,) = ([*(tmp_path / name / "bag").glob("*.mcap")] for name in "ab")
    assert one.read_bytes() == other.read_bytes()


def turns(final: bool) -> bytes:
    """Return three turns of a radar around midnight, a file with or without FINAL's framing."""
    out = b""
    for turn in range(4):
        begin_s = 86_396.0 + 4.0 * turn
        blocks = [datablock(34, north_marker(begin_s % 86_400))]
        blocks += [datablock(48, plot(20.0, 90.0, (begin_s + 1.0) % 86_400))] * (turn < 3)
        for k, block in enumerate(blocks):
            ticks = round((begin_s + k) % 86_400 * 100)
            head = struct.pack(">HBBB", 12 + len(block), 0, 0, 0) + ticks.to_bytes(3, "big")
            out += head + block + b"\xa5" * 4 if final else block
    return out


@pytest.mark.parametrize("final", [False, True])
def test_a_file_of_asterix_has_the_times_of_its_data_on_the_day_that_is_said(final, tmp_path):
    path = tmp_path / "day.ast"
    path.write_bytes(turns(final))
    turn = ["--set", "driver.frame.kind=revolution"]
    code, said = decode(path, "-o", tmp_path / "bag", "--driver", "asterix", "--start", "2026-06-30", *turn)
    assert code == 0, said
    got = [stamp_of(cloud) for cloud in clouds(tmp_path / "bag")]
    midnight_ns = 1_782_864_000 * 1_000_000_000  # 2026-07-01
    assert got == [midnight_ns + s * 1_000_000_000 for s in (-2, 2, 6)]


def test_a_damaged_record_of_final_costs_itself(tmp_path):
    data = bytearray(turns(True))
    data[1] += 3
    path = tmp_path / "day.final"
    path.write_bytes(turns(True) + data + turns(True)[:-9])
    capture = Capture(path, "asterix", None, [])
    list(capture.messages())
    assert dict(capture.stage.driver.refused) == {"FINAL record of wrong length": 1, "recording cut short": 1}


@pytest.mark.parametrize(
    ("content", "driver", "said"),
    [
        (b"", "ars548", "is empty"),
        (b"no capture at all", "ars548", "neither pcap nor pcapng"),
        (pcap([(1, bytes(40))], link=105), "ars548", r"link type 105 (IEEE 802.11); these are read: Ethernet"),
        (pcap([(1, framed(ip(udp(b"x", port=77))))]), "ars548", "no datagram to UDP port 42102"),
        (pcap([(1, framed(ip(udp(b"x", port=77))))]), "ars548", "it has datagrams to: 239.1.2.3:77 (1)"),
        (pcap([(1, framed(ip(udp(b"x", port=42102), group="224.0.2.2")))]), "ars548", "no whole frame: 1 packets, 0"),
        (pcap([(1, framed(ip(udp(b"x"))))]), "ti_uart", "is a capture"),
        (b"\x00\x00\x00\x00", "asterix", "neither a capture nor ASTERIX"),
        (b"x", "no_such", "no driver 'no_such'"),
    ],
    ids=range(9),
)
def test_what_cannot_be_read_is_named_and_nothing_is_left(content, driver, said, tmp_path):
    path = tmp_path / "recording"
    path.write_bytes(content)
    code, output = decode(path, "-o", tmp_path / "bag", "--driver", driver)
    assert code == 2
    assert said in output
    assert sorted(p.name for p in tmp_path.iterdir()) == ["recording"]


def test_a_driver_must_be_named(tmp_path):
    code, output = decode(DATA / "umrr96.pcap.gz", "-o", tmp_path / "bag")
    assert code == 2
    assert "driver.driver names no driver" in output
