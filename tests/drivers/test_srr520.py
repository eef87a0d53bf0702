# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""SRR520 CAN messages: against a recorded cycle and its decoded reference, and against messages made by hand."""

import socket
import time
from pathlib import Path
from typing import Any

import can
import numpy as np
import pytest
import srr520_packets as make
import yaml
from crc import crc
from nebula import digits, read_packets, read_trimmed
from settings_of import settings_of

from aegis.core.health import Level
from aegis.core.params import ConfigError
from aegis.drivers import srr520_format as srr
from aegis.drivers.frames import FormatError, Frame
from aegis.drivers.registry import driver_class
from aegis.drivers.srr520 import Srr520Parser

FOLDER = "nebula_ars548_srr520/srr520"


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> dict[str, list[tuple[int, bytes]]]:
    """Return the recording's lists and its status, each as times of receipt and bytes."""
    messages = read_packets(shared_data / FOLDER / "1708578209")
    return dict(zip(("near", "objects", "hrr", "status"), messages, strict=True))


@pytest.fixture(scope="module")
def everything(recorded) -> list[tuple[int, bytes]]:
    return [packet for packets in recorded.values() for packet in packets]


def fed(parser: Srr520Parser, packets: list[bytes], received_ns: int = 0) -> list[Frame]:
    return [frame for packet in packets for frame in parser.feed(packet, received_ns)]


REFERENCES = [
    (srr.NEAR, "1708578209_45566935_near_detection", 194),
    (srr.HRR, "1708578209_76111685_hrr_detection", 32),
    (srr.OBJECTS, "1708578208_992410284_object", 40),
]


@pytest.mark.parametrize(("kind", "name", "n"), REFERENCES, ids=[kind.name for kind, _, _ in REFERENCES])
def test_every_field_of_every_recorded_entry_is_that_of_the_reference(recorded, shared_data, kind, name, n):
    assert_list_is(kind, recorded[kind.name], yaml.safe_load((shared_data / FOLDER / f"{name}.yaml").read_text()), n)


def test_every_field_of_the_trimmed_recording_is_that_of_the_reference(small_data):
    packets, expected = read_trimmed(small_data / "srr520_hrr.json.gz")
    assert_list_is(srr.HRR, packets, expected, 32)
    (frame,) = fed(Srr520Parser("hrr"), [data for _, data in packets])
    assert (len(frame), frame.sensor_time_ns) == (32, 1_708_578_209_076_111_685)


def assert_list_is(kind: srr.ListKind, packets: list[tuple[int, bytes]], expected: dict[str, Any], n: int) -> None:
    """Compare a list of n entries, as it was received, with its reference."""
    messages = [data[4:] for _, data in packets]
    header = srr.decode_header(kind, messages[0])
    found = srr.decode_entries(kind, messages[1:-1], header["count"])
    entries = expected.pop("objects" if kind is srr.OBJECTS else "detections")
    assert len(found) == len(entries) == n
    for field in entries[0]:
        values = [digits(entry[field]) for entry in entries]
        if field == "pdh05":
            assert set(values) == {digits(0)}, "the messages have no such field"
            continue
        assert [digits(value) for value in found[field]] == values, field
    time = expected.pop("header")["stamp"]
    assert (header["stamp_seconds"], header["stamp_nanoseconds"]) == (time["sec"], time["nanosec"])
    ours = {"internal_time_stamp_usec": "stamp_us", "global_time_stamp_sync_status": "stamp_sync_status"}
    for field, value in expected.items():
        assert digits(header[ours.get(field, field)]) == digits(value), field
    crc_id, checksum = srr.decode_crc_list(messages[-1])
    assert (crc_id, checksum) == (kind.crc_id, srr.crc16(b"".join(messages[:-1])))


def test_the_recorded_status(recorded):
    """The car is the one that nebula's configuration describes: wheelbase 2.79 m; the radar looks to its front left."""
    ((_, data),) = recorded["status"]
    status = srr.decode_status(data[4:])
    assert status["wheelbase"] == pytest.approx(2.79, abs=0.002)
    assert status["yaw_angle"] == pytest.approx(np.radians(70.0), abs=0.001)
    assert (status["long_pos"], status["lat_pos"]) == (pytest.approx(0.599), pytest.approx(0.867))
    assert status["aln_current_azimuth"] == pytest.approx(0.0, abs=1e-4)
    assert status["stamp_sync_status"] == 1


def test_signs_of_recorded_detections_agree_with_the_cars_motion(recorded, everything):
    """What stands still recedes with minus the car's speed times the cosine of its direction from the car's nose."""
    parser = Srr520Parser()
    frames = [frame for received_ns, data in everything for frame in parser.feed(data, received_ns)]
    speed = srr.decode_header(srr.OBJECTS, recorded["objects"][0][1][4:])["ego_vx"]
    yaw = parser.status["yaw_angle"]
    for frame in frames:
        expected = -speed * np.cos(frame.columns["azimuth"] + yaw)
        assert np.mean(np.abs(frame.columns["range_rate"] - expected) < 0.75) > 0.5
        mirrored = -speed * np.cos(-frame.columns["azimuth"] + yaw)
        assert np.mean(np.abs(frame.columns["range_rate"] - mirrored) < 0.75) < 0.3


@pytest.mark.parametrize(
    ("publish", "counts"), [("detections", [194, 32]), ("near", [194]), ("hrr", [32]), ("objects", [40])]
)
def test_recorded_messages_over_udp(recorded, everything, publish, counts):
    kind = driver_class("srr520")
    driver = kind(settings_of(kind.settings_type, line="udp", address="127.0.0.1", port=0, publish=publish))
    out: list[Frame] = []
    with driver, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gateway:
        for _, data in everything:
            gateway.sendto(data, ("127.0.0.1", driver.transport.bound_port))
            out += driver.poll(1.0)
    assert [len(frame) for frame in out] == counts
    sizes = {name: len(packets) for name, packets in recorded.items() if name != "status"}
    unused = sum(size for name, size in sizes.items() if name not in driver.parser.lists)
    assert driver.refused == ({"list not published": unused} if unused else {})
    assert driver.health().level is Level.OK
    if publish == "detections":
        assert [frame.sensor_time_ns for frame in out] == [1_708_578_209_045_566_935, 1_708_578_209_076_111_685]
        assert [set(frame.columns["hrr"]) for frame in out] == [{0.0}, {1.0}]


def test_every_field_of_entries_made_by_hand():
    values = {name: 2 * i + 1 for i, name in enumerate(make.OBJECT.split()[::2], 1)}
    values |= {"score": 9, "reserved": 0, "object_status": 2, "box_valid": 1, "v_abs_x_std": 0b11}
    messages = make.objects([{}, {}, values])
    (frame,) = fed(Srr520Parser("objects"), messages)
    found = srr.decode_entries(srr.OBJECTS, [m[4:] for m in messages[1:-1]], 3)[2]
    for axis in "xy":
        assert found[f"dist_{axis}"] == pytest.approx(-300.0 + values[f"dist_{axis}"] * 600.0 / 65534, abs=1e-3)
        assert found[f"v_abs_{axis}"] == pytest.approx(-75.0 + values[f"v_abs_{axis}"] * 150.0 / 16382, abs=1e-3)
        assert found[f"a_abs_{axis}"] == pytest.approx(-10.0 + values[f"a_abs_{axis}"] * 20.0 / 1022, abs=1e-3)
        for what in ("dist", "v_abs", "a_abs"):
            assert found[f"{what}_{axis}_std"] == pytest.approx(values[f"{what}_{axis}_std"] * 30.0 / 16383, abs=1e-3)
    assert found["v_abs_x_std"] > 0.005  # its two lowest bits are what nebula loses
    assert found["box_length"] == pytest.approx(values["box_length"] * 30.0 / 4095, abs=1e-3)
    assert found["box_width"] == pytest.approx(values["box_width"] * 30.0 / 4095, abs=1e-3)
    assert found["orientation"] == pytest.approx(-np.pi + values["orientation"] * 2 * np.pi / 4094, abs=1e-3)
    assert found["rcs"] == pytest.approx(-50.0 + values["rcs"] * 100.0 / 4094, abs=1e-3)
    assert found["score"] == pytest.approx(60.0)
    assert [found[n] for n in ("object_id", "life_cycles", "object_status", "box_valid")] == [
        3,
        values["life_cycles"],
        2,
        1,
    ]
    assert frame.columns["x"][2] == found["dist_x"]


def test_codes_that_mean_not_available_are_nan():
    full = {name: (1 << int(bits)) - 1 for name, bits in zip(*[iter(make.DETECTION.split())] * 2, strict=True)}
    (frame,) = fed(Srr520Parser(), make.scan("hrr", [full, {}]))
    assert {name for name, values in frame.columns.items() if np.isnan(values[0])} == {"azimuth", "range_rate", "rcs"}
    assert frame.columns["range"][0] == pytest.approx(100.0, abs=1e-3)
    assert frame.columns["snr"][0] == pytest.approx(11.0 + 15 * 1.7)
    assert frame.columns["azimuth"][1] == pytest.approx(-np.pi / 2)
    full = {name: (1 << int(bits)) - 1 for name, bits in zip(*[iter(make.OBJECT.split())] * 2, strict=True)}
    (frame,) = fed(Srr520Parser("objects"), make.objects([full]))
    assert {name for name, values in frame.columns.items() if np.isnan(values[0])} == {
        "x", "y", "velocity_x", "velocity_y", "acceleration_x", "acceleration_y", "orientation", "rcs",
    }  # fmt: skip


def test_the_radars_own_clock_where_it_is_not_synchronised():
    parser = Srr520Parser()
    times = [(1 << 32) - 200_000, (1 << 32) - 100_000, 50_000, 0, 120_000]  # one list late
    packets = [m for i, us in enumerate(times) for m in make.scan("hrr", [], us=us, sync=2, cycle=i)]
    assert [frame.sensor_time_ns for frame in fed(parser, packets)] == [
        (us + (1 << 32 if us < 1 << 31 else 0)) * 1000 for us in times
    ]
    assert parser.health().level is Level.WARN
    assert parser.health().text == "clock never synchronised"


@pytest.mark.parametrize(
    ("publish", "cycles", "lost"),
    [
        ("detections", [("near", 5), ("hrr", 6), ("near", 9), ("hrr", 10)], 2),
        ("near", [("near", 5), ("near", 7), ("near", 11)], 1),
    ],
)
def test_scans_that_did_not_come_are_counted(publish, cycles, lost):
    parser = Srr520Parser(publish)
    assert len(fed(parser, [m for kind, cycle in cycles for m in make.scan(kind, [], cycle=cycle)])) == len(cycles)
    assert parser.health().values["lost_frames"] == lost


def test_a_lost_message_costs_its_list_only():
    good = make.scan("hrr", [{"range": 5}], cycle=3)
    for missing in range(len(good)):
        parser = Srr520Parser()
        broken = [*good[:missing], *good[missing + 1 :]]
        assert [len(frame) for frame in fed(parser, [*broken, *good])] == [1]
        assert sum(parser.refused.values()) == len(broken)
        assert set(parser.refused) <= {
            "part of a list without its begin", "part of a list out of order", "part of an incomplete list",
        }  # fmt: skip


def test_lists_may_be_interleaved():
    near, hrr = make.scan("near", [{}] * 2, cycle=3), make.scan("hrr", [{}] * 3, cycle=4)
    mixed = [message for pair in zip(near, hrr, strict=False) for message in pair] + near[len(hrr) :]
    parser = Srr520Parser()
    assert sorted(len(frame) for frame in fed(parser, mixed)) == [2, 3]
    assert not parser.refused


def edited(packet: bytes, at: int, value: int) -> bytes:
    return packet[:at] + bytes([value]) + packet[at + 1 :]


def test_a_list_with_a_flipped_bit_is_refused():
    messages = make.scan("hrr", [{"range": 5}] * 30, cycle=3)
    for i in range(len(messages) - 1):
        parser = Srr520Parser()
        assert fed(parser, [*messages[:i], edited(messages[i], 30, messages[i][30] ^ 1), *messages[i + 1 :]]) == []
        assert parser.refused == {"wrong CRC": 1, "part of an incomplete list": len(messages) - 1}


REFUSED = {
    "another message": [b"", b"\0\0\x03", make.frame(600, bytes(8)), edited(make.status(), 0, 1), make.frame(800, b"\3\0\0\0")],
    "wrong length": [
        make.frame(900, bytes(31)), make.frame(901, bytes(63)), make.frame(700, bytes(65)), make.frame(800, bytes(5)),
        make.frame(53, bytes(7)), make.frame(1100, b""),
    ],
    "wrong CRC": [edited(make.status(), 20, 1), edited(make.sync_message(0x20, 1, 2), 8, 9)],
    "unknown version": [edited(make.sync_message(0x20, 1, 2), 4, 0x30)],
    "more entries than the list has": [make.scan("hrr", [], count=201)[0], make.scan("near", [], count=501)[0]],
    "part of a list without its begin": [make.scan("hrr", [])[1], make.scan("near", [])[-1]],
    "list not published": [make.objects([])[0], make.objects([])[1], make.objects([])[-1]],
}  # fmt: skip


@pytest.mark.parametrize(("reason", "packet"), [(reason, p) for reason, packets in REFUSED.items() for p in packets])
def test_what_is_wrong_is_counted_by_reason(reason, packet):
    parser = Srr520Parser()
    assert parser.feed(packet, 0) == []
    assert parser.refused == {reason: 1}


FAULTS = [
    ({}, Level.OK, "running"),
    ({"defective": 0x04}, Level.ERROR, "HRR scan RF defective"),
    ({"defective": 0xAA, "supply_voltage_limit": 0xA, "sw_error": 0x102}, Level.OK, "running"),  # in the past
    ({"supply_voltage_limit": 4}, Level.ERROR, "supply voltage too low"),
    ({"sensor_off_temp": 1}, Level.ERROR, "temperature too high"),
    ({"ext_disturbed": 1}, Level.WARN, "disturbed from outside"),
    ({"sync": 3, "com_error": 1}, Level.WARN, "clock synchronisation lost; communication error"),
]


@pytest.mark.parametrize(("values", "level", "text"), FAULTS)
def test_health_tells_what_the_status_says(values, level, text):
    parser = Srr520Parser()
    fed(parser, [make.status(**values)])
    assert (parser.health().level, parser.health().text) == (level, text)
    assert parser.health().values["firmware"] == "5.6.7"


def test_fields_of_a_status_made_by_hand():
    status = srr.decode_status(make.status(sw_error=0x0102, plug_orientation=1)[4:])
    lengths = {
        "long_pos": 1.0,
        "lat_pos": -0.5,
        "vert_pos": 0.6,
        "long_pos_cog": 2.0,
        "wheelbase": 2.79,
        "cover_damping": 0.0,
    }
    assert {name: pytest.approx(status[name], abs=1e-9) for name in lengths} == lengths
    assert [status[n] for n in ("sensor_id", "plug_orientation", "sw_error", "aln_status", "sequence_counter")] == [
        3,
        1,
        258,
        7,
        9,
    ]
    assert status["yaw_angle"] == pytest.approx(0.0, abs=1e-4)
    assert status["aln_current_azimuth_std"] == pytest.approx(1.0 / 65.5343, rel=1e-3)


def test_time_messages():
    assert crc(b"123456789", width=8, polynomial=0x2F, start=0xFF, final=0xFF) == 0xDF  # AUTOSAR's own check value
    assert srr.decode_sync(make.sync_message(0x20, 3, 2000)[4:]) == {
        "follow_up": 0, "time_domain": 0, "sequence_counter": 3, "user": 0, "time": 2000,
    }  # fmt: skip
    assert srr.decode_sync(make.sync_message(0x28, 15, 999_999_999, user=1)[4:]) == {
        "follow_up": 1, "time_domain": 0, "sequence_counter": 15, "user": 1, "time": 999_999_999,
    }  # fmt: skip
    with pytest.raises(FormatError, match="wrong CRC"):
        srr.decode_sync(make.sync_message(0x20, 3, 2000)[4:-1] + b"\1")


def test_an_absent_can_interface_is_named():
    kind = driver_class("srr520")
    driver = kind(settings_of(kind.settings_type, interface="no_such_can"))
    with pytest.raises(OSError, match="no_such_can is not open"):
        driver.poll()
    with pytest.raises(OSError, match="CAN interface no_such_can cannot be opened"):
        driver.start()


@pytest.fixture
def buses(tmp_path):
    """Return a driver at a virtual bus, and the radar's end of it."""
    kind, channel = driver_class("srr520"), str(tmp_path)
    radar = can.Bus(interface="virtual", channel=channel)
    driver = kind(settings_of(kind.settings_type, adapter="virtual", interface=channel))
    with driver, radar:
        yield driver, radar


def send(radar, packet: bytes, **kind) -> None:
    message = can.Message(arbitration_id=int.from_bytes(packet[:4], "big"), data=packet[4:], **kind)
    radar.send(message)


def test_a_scan_on_the_bus(buses):
    driver, radar = buses
    scan = make.scan("hrr", [{"azimuth_angle": 300, "rcs": 80} | {"range": 100 * i} for i in range(1, 8)], cycle=3)
    before_ns = time.time_ns()
    for packet in scan:
        send(radar, packet, is_fd=True, is_extended_id=False)
    (frame,) = driver.poll(1.0)
    by_udp = Srr520Parser()
    (expected,) = [f for packet in scan for f in by_udp.feed(packet, 0)]
    for name, column in expected.columns.items():
        np.testing.assert_array_equal(frame.columns[name], column, err_msg=name)
    assert frame.sensor_time_ns == expected.sensor_time_ns
    assert before_ns - 1000 <= frame.received_ns <= time.time_ns() + 1000  # python-can has float64 of seconds
    assert not driver.refused
    assert driver.packets == len(scan)


def test_frames_of_others_on_the_bus(buses):
    driver, radar = buses
    scan = make.scan("hrr", [{"range": 1000}], cycle=3)
    send(radar, scan[0], is_fd=True, is_extended_id=False)
    send(radar, make.frame(4, bytes(8)), is_error_frame=True)
    radar.send(can.Message(arbitration_id=900, is_remote_frame=True))
    send(radar, make.frame(0x1234_5678, b"\7"), is_extended_id=True)
    for packet in scan[1:]:
        send(radar, packet, is_fd=True, is_extended_id=False)
    (frame,) = driver.poll(1.0)
    assert len(frame) == 1
    assert driver.refused == {"CAN error or remote frame": 2, "another message": 1}


def test_a_bus_that_breaks_down_is_an_oserror_and_can_be_joined_again(buses):
    driver, radar = buses
    driver.transport._bus.shutdown()  # under the driver's feet, as an adapter that is pulled out
    with pytest.raises(OSError, match=r"CAN interface .* is lost"):
        driver.poll()
    driver.stop()
    driver.start()
    for packet in make.scan("near", [{"range": 1000}], cycle=4):
        send(radar, packet, is_fd=True, is_extended_id=False)
    assert len(driver.poll(1.0)) == 1


def test_an_adapter_that_does_not_exist_is_refused_with_those_that_do():
    kind = driver_class("srr520")
    with pytest.raises(ConfigError, match=r"can\.adapter: no CAN adapter 'usb'; known are: .*socketcan"):
        kind(settings_of(kind.settings_type, adapter="usb"))
