# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""ARS548 packets: against a recorded cycle and its decoded reference, and against packets made by hand."""

import socket
import struct
from pathlib import Path
from typing import Any

import ars548_packets as make
import numpy as np
import pytest
import yaml
from nebula import digits, read_packets, read_trimmed
from settings_of import settings_of

from aegis.core.health import Level
from aegis.drivers.ars548 import Ars548Parser
from aegis.drivers.ars548_format import DETECTION_FLAGS, decode_detections, decode_objects, decode_status
from aegis.drivers.registry import driver_class

SHARES = ("car", "truck", "motorcycle", "bicycle", "pedestrian", "animal", "hazard", "unknown")
FOLDER = "nebula_ars548_srr520/ars548"


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> tuple[tuple[int, bytes], tuple[int, bytes]]:
    """Return time of receipt and bytes of the object list and of the detection list."""
    (first,), (second,) = read_packets(shared_data / FOLDER / "1708578204")
    return first, second


def reference(shared_data: Path, name: str) -> dict[str, Any]:
    found = yaml.safe_load((shared_data / FOLDER / f"1708578204_{name}.yaml").read_text())
    assert isinstance(found, dict)
    return found


def flat(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a reference's entry under our names: position_std: {x: ..} is position_x_std; z of plane vectors is left out."""
    out = {}
    for name, value in entry.items():
        if not isinstance(value, dict):
            out[name] = value
            continue
        base, std = (name[:-4], "_std") if name.endswith("_std") else (name, "")
        for axis, number in value.items():
            if axis != "z" or base == "position":
                out[f"{base}_{axis}{std}"] = number
            else:
                assert number == 0.0
    return out


def test_every_field_of_every_recorded_detection_is_that_of_the_reference(recorded, shared_data):
    header, found = decode_detections(recorded[1][1])
    expected = reference(shared_data, "202447652_detection")
    assert len(found) == len(expected["detections"]) == header["number_of_detections"] == 308
    for name in expected["detections"][0]:
        values = [entry[name] for entry in expected["detections"]]
        if name.startswith("invalid_"):
            bit = DETECTION_FLAGS.index(name.removeprefix("invalid_"))
            assert [bool(flags >> bit & 1) for flags in found["invalid_flags"]] == values, name
        else:
            assert [digits(value) for value in found[name]] == [digits(value) for value in values], name
    origin = {f"origin_{axis}": value for axis, value in expected["origin_pos"].items()}
    for name, value in (expected | origin).items():
        if name not in ("header", "detections", "origin_pos"):
            assert digits(header.get(name, header.get(f"stamp_{name[6:]}"))) == digits(value), name


def test_every_field_of_every_recorded_object_is_that_of_the_reference(recorded, shared_data):
    assert_objects_are(recorded[0][1], reference(shared_data, "199326753_object"))


def test_every_field_of_the_objects_of_the_trimmed_recording_is_that_of_the_reference(small_data):
    ((received_ns, data),), expected = read_trimmed(small_data / "ars548_objects.json.gz")
    assert_objects_are(data, expected)
    (frame,) = Ars548Parser("objects").feed(data, received_ns)
    assert (len(frame), frame.sensor_time_ns) == (50, 1_708_578_203_955_760_000)
    for k, entry in enumerate(expected["objects"]):
        share = {name: float(entry[f"raw_classification_{name}"]) for name in SHARES}
        vehicle = sum(share[name] for name in ("car", "truck", "motorcycle", "bicycle"))
        stated = [frame.columns[f"class_{name}"][k] for name in ("vehicle", "person", "unknown")]
        other = share["animal"] + share["hazard"] + share["unknown"]
        total = max(sum(share.values()), 1.0)
        assert stated == pytest.approx([vehicle / total, share["pedestrian"] / total, other / total])


def assert_objects_are(data: bytes, expected: dict[str, Any]) -> None:
    """Compare a list of objects with its reference.

    The reference's `relative_velocity` is the relative acceleration, which its decoder stores there; its `relative_acceleration`
    is 0 throughout. Ours are checked as the wire has them; what the reference lacks, by what a car can do.
    """
    header, found = decode_objects(data)
    assert len(found) == len(expected["objects"]) == header["number_of_objects"] == 50
    assert header["stamp_sync_status"] == expected["stamp_sync_status"]
    entries = [flat(entry) for entry in expected["objects"]]
    checked = set()
    for name in entries[0]:
        if name.startswith("relative_acceleration"):
            assert not any(entry[name] for entry in entries), "the reference has them now: compare them"
            continue
        ours = name.replace("relative_velocity", "relative_acceleration")
        assert [digits(value) for value in found[ours]] == [digits(entry[name]) for entry in entries], name
        checked.add(ours)
    assert len(checked) == 42
    # The car drives and turns: its own velocity at (x, y) is (speed - turn y, turn x).
    own_x, own_y = (found[f"absolute_velocity_{a}"] - found[f"relative_velocity_{a}"] for a in "xy")
    turn, speed = np.polyfit(-found["position_y"], own_x, 1)
    assert speed > 5.0
    np.testing.assert_allclose(own_x, speed - turn * found["position_y"], atol=0.1)
    assert np.polyfit(found["position_x"], own_y, 1)[0] == pytest.approx(turn, rel=0.05)


def test_signs_of_recorded_detections_agree_with_the_cars_motion_and_the_objects(recorded):
    """What stands still recedes with minus the car's speed times the cosine of its direction; objects lie where detections do."""
    (frame,) = Ars548Parser().feed(recorded[1][1], recorded[1][0])
    c = frame.columns
    direction = np.cos(c["azimuth"]) * np.cos(c["elevation"])
    _, objects = decode_objects(recorded[0][1])
    speed = np.median(objects["absolute_velocity_x"] - objects["relative_velocity_x"])
    assert np.median(c["range_rate"] / direction) == pytest.approx(-speed, abs=0.5)
    header, _ = decode_detections(recorded[1][1])
    ours, theirs = [], []
    for row in objects:
        own = c["object_id"] == row["object_id"]
        if own.sum() >= 2:
            ours.append(np.median(c["azimuth"][own]))
            theirs.append(np.arctan2(row["position_y"] - header["origin_y"], row["position_x"] - header["origin_x"]))
    assert len(ours) >= 10
    assert np.corrcoef(ours, theirs)[0, 1] > 0.95
    assert np.median(np.abs(np.subtract(ours, theirs))) < 0.1


def test_recorded_packets_over_udp(recorded):
    kind = driver_class("ars548")
    for publish, (_, data), n in (("detections", recorded[1], 308), ("objects", recorded[0], 50)):
        settings = settings_of(kind.settings_type, address="127.0.0.1", port=0, multicast_group="", publish=publish)
        driver = kind(settings)
        with driver, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as radar:
            for _, packet in recorded:
                radar.sendto(packet, ("127.0.0.1", driver.transport.bound_port))
            frames = driver.poll(5.0)
            frames += driver.poll(0.2) if driver.packets < 2 else []
        assert [len(frame) for frame in frames] == [n]
        assert driver.refused == {"list not published": 1}
        assert frames[0].sensor_time_ns == 1_708_578_203_955_760_000
        (direct,) = Ars548Parser(publish).feed(data, 0)
        for name, values in direct.columns.items():
            np.testing.assert_array_equal(frames[0].columns[name], values)
        assert driver.health().level is Level.OK
        assert driver.health().values["sync"] == "synchronised"


def some_values(layout: str) -> dict[str, float]:
    """Return a value of its own for each field, such as all types can hold."""
    return {name: 1 + i for i, name in enumerate(make.names(layout))}


def test_every_field_of_packets_made_by_hand():
    entry = some_values(make.DETECTION)
    header, found = decode_detections(make.detections([{}, entry], seconds=5, nanoseconds=6, sync=3, counter=9))
    assert {name: found[name][1] for name in entry} == entry
    assert not any(found[0].item())
    expected = {
        "stamp_seconds": 5, "stamp_nanoseconds": 6, "stamp_sync_status": 3, "e2e_counter": 9, "origin_x": 3.5,
        "origin_y": -0.5, "origin_z": 0.75, "origin_pitch": 0.125, "origin_yaw": 0.25, "number_of_detections": 2,
        "ambiguity_free_velocity_min": -22.5, "ambiguity_free_velocity_max": 22.5, "alignment_azimuth_correction": 0.0625,
        "alignment_elevation_correction": 0.03125, "alignment_status": 1, "event_data_qualifier": 1, "extended_qualifier": 2,
    }  # fmt: skip
    assert expected.items() <= header.items()

    entry = some_values(make.OBJECT)
    for capacity in (50, 200):
        _, found = decode_objects(make.objects([{}] * 49 + [entry], capacity=capacity))
        assert {name: found[name][49] for name in entry} == entry

    values = some_values(make.STATUS)
    assert values.items() <= decode_status(make.status(**values)).items()


@pytest.mark.parametrize(
    ("bit", "column"),
    [(0, "range"), (1, "range_sigma"), (2, "azimuth"), (3, "azimuth_sigma"), (4, "elevation"), (5, "elevation_sigma"),
     (6, "range_rate"), (7, "range_rate_sigma")],
)  # fmt: skip
def test_what_is_flagged_invalid_is_nan(bit, column):
    (frame,) = Ars548Parser().feed(make.detections([{}, {"invalid_flags": 1 << bit}]), 0)
    assert {name: np.isnan(values).tolist() for name, values in frame.columns.items()} == {
        name: [False, name == column] for name in frame.columns
    }


def test_invalid_groups_of_objects_are_nan():
    groups = {
        "position_invalid_flags": {"x", "y", "z", "x_sigma", "y_sigma", "z_sigma", "orientation"},
        "existence_invalid_flags": {"existence_probability"},
        "absolute_velocity_invalid_flags": {"velocity_x", "velocity_y"},
        "relative_velocity_invalid_flags": {"relative_velocity_x", "relative_velocity_y"},
        "shape_length_edge_invalid_flags": {"length"},
        "shape_width_edge_invalid_flags": {"width"},
    }
    (frame,) = Ars548Parser("objects").feed(make.objects([{}] + [{flags: 2} for flags in groups]), 0)
    for i, names in enumerate(groups.values(), 1):
        assert {name for name, values in frame.columns.items() if np.isnan(values[i])} == names
    assert not any(np.isnan(values[0]) for values in frame.columns.values())


def test_no_time_is_told_as_none():
    assert Ars548Parser().feed(make.detections([], seconds=0, nanoseconds=0), 0)[0].sensor_time_ns is None


def test_lists_that_did_not_come_are_counted_where_the_radar_counts():
    parser = Ars548Parser()
    for counter in (0, 0, 5, 6, 9, 10, 4_000_000, 0xFFFF_FFFE, 1):
        parser.feed(make.detections([], counter=counter), 0)
    assert parser.lost_frames == 2 + 2
    assert parser.health().values["lost_frames"] == 4


FAULTS = [
    ({"radar_status": 0}, Level.ERROR, "radar starting"),
    ({"radar_status": 2}, Level.ERROR, "radar invalid"),
    ({"voltage_status": 1}, Level.ERROR, "voltage too low"),
    ({"voltage_status": 2 | 8}, Level.OK, "running"),  # in the past
    ({"temperature_status": 4}, Level.ERROR, "temperature too high"),
    ({"blockage_status": 0x10}, Level.ERROR, "blockage blind"),
    ({"blockage_status": 0x11}, Level.WARN, "blockage high"),
    ({"blockage_status": 0x22}, Level.OK, "running"),
    ({"blockage_status": 0x04}, Level.ERROR, "blockage self test failed"),
    ({"sync": 2}, Level.WARN, "clock never synchronised"),
    ({"sync": 3, "radar_status": 2}, Level.ERROR, "clock synchronisation lost; radar invalid"),
]


@pytest.mark.parametrize(("values", "level", "text"), FAULTS)
def test_health_tells_what_the_status_says(values, level, text):
    parser = Ars548Parser()
    assert parser.feed(make.status(**values), 0) == []
    health = parser.health()
    assert (health.level, health.text) == (level, text)
    assert not parser.refused


def test_the_status_in_words():
    parser = Ars548Parser()
    parser.feed(make.status(sw_version_major=5, sw_version_minor=40, sw_version_patch=1, yaw_rate_status=1), 0)
    values = parser.health().values
    assert values["firmware"] == "5.40.1"
    assert values["blockage"] == "none"
    assert values["blockage_self_test"] == "passed"
    assert values["vehicle_inputs_missing"] == "yaw_rate"


def edited(packet: bytes, at: int, value: bytes) -> bytes:
    return packet[:at] + value + packet[at + len(value) :]


LIST = make.detections([{}])
REFUSED = {
    "no message header": [b"", LIST[:7]],
    "another service": [edited(LIST, 1, b"\x01")],
    "another method": [make.message(396, bytes(322)), edited(LIST, 2, b"\xff")],
    "wrong length": [
        LIST[:-1], LIST + b"\0", edited(LIST, 5, b"\xff"), make.message(336, LIST[8:-1]), make.message(380, bytes(75)),
    ],
    "unknown version": [edited(LIST, 12, b"\x02"), edited(LIST, 13, b"\x02"), edited(LIST, 14, b"\x00")],
    "more entries than the list has": [make.detections([], count=801), make.detections([], count=0xFFFF_FFFF)],
    "list not published": [make.objects([])],
}  # fmt: skip


@pytest.mark.parametrize(("reason", "packet"), [(reason, p) for reason, packets in REFUSED.items() for p in packets])
def test_what_is_wrong_is_counted_by_reason(reason, packet):
    parser = Ars548Parser()
    assert parser.feed(packet, 0) == []
    assert parser.refused == {reason: 1}


def test_wrong_object_lists_are_counted_by_reason():
    parser = Ars548Parser("objects")
    for packet in (make.objects([], count=51), make.message(329, make.objects([])[8:-1]), LIST):
        assert parser.feed(packet, 0) == []
    assert parser.refused == {"more entries than the list has": 1, "wrong length": 1, "list not published": 1}
    (frame,) = parser.feed(make.objects([{"position_x": 8.0}] * 200, capacity=200), 0)
    assert len(frame) == 200


def test_values_that_are_none_are_nan():
    packet = edited(make.detections([{}]), 8 + 8 + 20 + 9 + 5 + 51, struct.pack(">I", 0x7FA0_0000))  # signalling
    (frame,) = Ars548Parser().feed(packet, 0)
    assert {name for name, values in frame.columns.items() if np.isnan(values[0])} == {"azimuth"}
