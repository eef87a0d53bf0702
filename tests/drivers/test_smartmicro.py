# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""smartmicro's UDP packets: against a recorded drive and its decoded targets, and against packets made by hand."""

import csv
import gzip
import socket
import struct
import xml.etree.ElementTree as ElementTree
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from pcap import Datagram, read_udp
from settings_of import settings_of
from smartmicro_packets import CLIENT, cut, log, port

from aegis.core.health import Level
from aegis.drivers.frames import PointFrame
from aegis.drivers.registry import driver_class
from aegis.drivers.smartmicro import MAX_PENDING, SmartmicroParser
from aegis.drivers.smartmicro_format import decode_target_list, decode_transport

CAPTURE, TARGETS = "Radar_data_recording.pcapng", "decoded_targets.csv.gz"
FRAMES, TOTAL = 227, 16_537


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "smartmicro_umrr96"


@pytest.fixture(scope="module")
def datagrams(folder: Path) -> list[Datagram]:
    return read_udp(folder / CAPTURE)


@pytest.fixture(scope="module")
def rows(folder: Path) -> list[list[dict[str, str]]]:
    return read_rows(folder / TARGETS)


def read_rows(path: Path) -> list[list[dict[str, str]]]:
    """Return the reference's rows, a list for each frame."""
    with gzip.open(path, "rt") as file:
        out: dict[int, list[dict[str, str]]] = {}
        for row in csv.DictReader(file):
            out.setdefault(int(row["frame"]), []).append(row)
    return [out[key] for key in sorted(out)]


@pytest.fixture(scope="module")
def frames(datagrams: list[Datagram]) -> list[PointFrame]:
    parser = SmartmicroParser()
    return [frame for d in datagrams for frame in parser.feed(d.payload, d.stamp_ns)]


def ports_of(datagrams: list[Datagram]) -> list[bytes]:
    """Return the capture's ports, put together without the parser: fragments come in order, the first port lacks its begin."""
    out: list[bytes] = []
    for d in datagrams:
        if d.payload[5] == 8:
            if d.payload[10:12] == b"\0\0":
                out.append(b"")
            if out:
                out[-1] += d.payload[22:]
    return out


def test_every_field_of_every_recorded_target_is_that_of_the_reference(datagrams, rows):
    assert len(rows) == FRAMES
    assert sum(map(len, rows)) == TOTAL
    assert_targets_are(datagrams, rows)


def test_every_field_of_the_trimmed_recording_is_that_of_the_reference(small_data):
    datagrams, rows = read_udp(small_data / "umrr96.pcap.gz"), read_rows(small_data / "umrr96.csv.gz")
    assert [len(expected) for expected in rows] == [48, 52]
    assert_targets_are(datagrams, rows)
    parser = SmartmicroParser()
    frames = [frame for d in datagrams for frame in parser.feed(d.payload, d.stamp_ns)]
    assert [len(frame) for frame in frames] == [48, 52]
    assert parser.refused == {"fragment of an incomplete port": 1}  # the capture begins amid a port


def assert_targets_are(datagrams: list[Datagram], rows: list[list[dict[str, str]]]) -> None:
    """Compare the targets of a capture with the reference's rows."""
    ports = [decode_target_list(data) for data in ports_of(datagrams)]
    assert len(ports) == len(rows)
    printed = {
        "range_m": ("range", ".4f"),
        "speed_radial_mps": ("speed_radial", ".4f"),
        "azimuth_rad": ("azimuth", ".6f"),
        "elevation_rad": ("elevation", ".6f"),
        "rcs_m2": ("rcs", ".5g"),
        "power_db": ("power", ".3f"),
        "noise_db": ("noise", ".3f"),
    }
    for found, expected in zip(ports, rows, strict=True):
        assert len(found.targets) == found.header["targets"] == len(expected)
        for name, (ours, form) in printed.items():
            assert [f"{value:{form}}" for value in found.targets[ours]] == [row[name] for row in expected], name
        assert f"{found.header['cycle_time']:.6f}" == expected[0]["cycle_time_s"]


def test_recorded_frames_have_our_units(frames, rows):
    assert len(frames) == FRAMES
    for frame, expected in zip(frames, rows, strict=True):
        columns = frame.columns
        reference = {name: np.array([float(row[name]) for row in expected]) for name in expected[0]}
        np.testing.assert_allclose(columns["range"], reference["range_m"], atol=6e-5)
        np.testing.assert_allclose(columns["range_rate"], reference["speed_radial_mps"], atol=6e-5)
        np.testing.assert_allclose(columns["azimuth"], reference["azimuth_rad"], atol=6e-7)
        np.testing.assert_allclose(columns["elevation"], reference["elevation_rad"], atol=6e-7)
        np.testing.assert_allclose(10 ** (columns["rcs"] / 10.0), reference["rcs_m2"], rtol=6e-5)
        np.testing.assert_allclose(columns["snr"], reference["power_db"] - reference["noise_db"], atol=1.1e-3)
        for name in ("range_sigma", "azimuth_sigma", "elevation_sigma", "range_rate_sigma"):
            assert (columns[name] > 0.0).all(), name


def test_recorded_times_are_of_one_steady_clock_in_the_middle_of_the_cycle(frames, rows):
    """The host's capture times are the oracle: both clocks run alike, and the sensor's cycles follow one another.

    From the port's time to its receipt it takes up to 33 ms more in some frames than in others: the sensor was busy then.
    """
    ours, theirs = (
        np.array([getattr(f, n) - getattr(frames[0], n) for f in frames]) for n in ("sensor_time_ns", "received_ns")
    )
    assert np.ptp(ours - theirs) < 45e6
    assert np.polyfit(theirs, ours, 1)[0] == pytest.approx(1.0, abs=0.005)
    cycles = np.array([float(expected[0]["cycle_time_s"]) for expected in rows])
    steps = np.diff([frame.sensor_time_ns for frame in frames]) * 1e-9
    assert np.abs(steps - 0.5 * (cycles[:-1] + cycles[1:])).max() < 0.02
    # The first whole port says 0x000019985b597917 in NTP's format, and 0.054928 s of cycle.
    middle = Fraction(0x0000_1998_5B59_7917, 1 << 32) - Fraction(rows[0][0]["cycle_time_s"]) / 2
    assert frames[0].sensor_time_ns == pytest.approx(float(middle) * 1e9, abs=2000)


def test_what_the_recording_lacks_is_counted(datagrams):
    parser = SmartmicroParser()
    for d in datagrams:
        parser.feed(d.payload, d.stamp_ns)
    assert parser.refused == {"fragment of an incomplete port": 1}  # the capture begins amid a port
    assert parser.lost_frames == 0
    assert parser.log_messages == 7
    health = parser.health()
    assert health.level is Level.WARN  # the sensor had logged faults in the last seconds
    assert "FAULT_REPORT" in health.text


def test_the_recording_replayed_over_udp_gives_the_same_frames(datagrams, frames):
    kind = driver_class("smartmicro_umrr")
    driver = kind(settings_of(kind.settings_type, address="127.0.0.1", port=0))
    out: list[PointFrame] = []
    with driver, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as radar:
        there = ("127.0.0.1", driver.transport.bound_port)
        for d in datagrams:
            radar.sendto(d.payload, there)
            out += driver.poll(1.0)
        assert driver.packets == len(datagrams)
    assert driver.frames == len(out) == FRAMES
    assert sum(map(len, out)) == TOTAL
    for replayed, frame in zip(out, frames, strict=True):
        assert replayed.sensor_time_ns == frame.sensor_time_ns
        assert list(replayed.columns) == list(frame.columns)
        for name, values in frame.columns.items():
            np.testing.assert_array_equal(replayed.columns[name], values, name)


@pytest.mark.parametrize(("version", "targets", "header_size"), [(3, 126, 16), (4, 208, 24)])
def test_the_vendors_simulation_files(folder, version, targets, header_size):
    """Their values are noise; where fields lie is checked by the vendor's description of version 1."""
    data = (folder / f"targetlist_port_v{version}_0_0.bin").read_bytes()
    found = decode_target_list(data)
    assert (found.version, len(found.targets)) == (version, targets)
    assert len(data) == 24 + header_size + 56 * targets
    assert not found.targets["reserved"].any()  # the noise leaves these two bytes of each target out
    names = {
        "speedradial": "speed_radial",
        "azimuthangle": "azimuth",
        "elevationangle": "elevation",
        "tgtnoise": "noise",
    }
    elements = ElementTree.parse(folder / "com_target_list_port.xml").findall(".//segment[@id='2']//element")
    assert len(elements) == 7
    for element in elements:
        name = element.findtext("name", "").lower()
        begin = 24 + header_size + int(element.findtext("element_offset", ""))
        expected = [data[begin + 56 * i : begin + 56 * i + 4] for i in range(targets)]
        assert [value.tobytes() for value in found.targets[names.get(name, name)]] == expected, name


FIELDS = {
    "range": 12.5, "speed_radial": -26.5, "azimuth": -0.75, "elevation": 0.0625, "range_variance": 0.25,
    "speed_variance": 0.0625, "azimuth_variance": 0.015625, "elevation_variance": 4.0, "rcs": 100.0,
    "false_alarm_probability": 0.5, "flags": 5, "power": 114.5, "noise": 95.25, "peak_index": 48,
}  # fmt: skip


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_fields_of_a_port_made_by_hand(version, order):
    data = port([FIELDS, {}], version=version, order=order, acquisition_start=200 << 32)
    found = decode_target_list(data)
    assert {name: found.targets[name][0] for name in FIELDS} == FIELDS
    assert found.header["cycle_time"] == 0.0625
    if version <= 2:
        assert found.header["acquisition_setup"] == 49
    else:
        assert [found.header[name] for name in ("tx_antenna", "sweep", "centre_frequency", "prf")] == [1, 2, 3, 4]
        assert found.header["unambiguous_speed"] == 31.5
    (frame,) = SmartmicroParser().feed(cut(data, 1)[0], 55)
    assert {name: values[0] for name, values in frame.columns.items()} == {
        "range": 12.5, "azimuth": -0.75, "elevation": 0.0625, "range_rate": -26.5, "noise": 95.25, "power": 114.5,
        "peak_index": 48.0, "snr": 19.25, "range_sigma": 0.5, "azimuth_sigma": 0.125, "elevation_sigma": 2.0,
        "range_rate_sigma": 0.25, "rcs": 20.0,
    }  # fmt: skip
    assert frame.received_ns == 55
    # half a cycle before the port was made, or after the acquisition began
    assert frame.sensor_time_ns == (200_031_250_000 if version == 4 else 99_968_750_000)


def test_rcs_in_dbsm_is_left_as_it_is():
    (frame,) = SmartmicroParser("dBsm").feed(cut(port([FIELDS]), 1)[0], 0)
    assert frame.columns["rcs"] == [100.0]


def test_values_that_are_none_are_nan():
    signalling_nan = struct.unpack(">f", b"\x7f\xa0\0\0")[0]
    broken = {"range": float("inf"), "azimuth": signalling_nan, "range_variance": -1.0, "rcs": 0.0}
    data = bytearray(port([broken]))
    data[24 + 8 + 8 : 24 + 8 + 12] = b"\x7f\xa0\0\0"  # the azimuth: struct makes a quiet NaN of a signalling one
    (frame,) = SmartmicroParser().feed(cut(bytes(data), 1)[0], 0)
    assert {name for name, values in frame.columns.items() if np.isnan(values[0])} == {
        "range", "azimuth", "range_sigma", "rcs",
    }  # fmt: skip
    assert SmartmicroParser().feed(cut(port([], created=0), 1)[0], 0)[0].sensor_time_ns is None
    assert SmartmicroParser().feed(cut(port([], cycle_s=float("nan")), 1)[0], 0)[0].sensor_time_ns == 100_000_000_000


def test_fragments_may_come_in_any_order():
    targets = [{"range": float(i)} for i in range(100)]
    parser = SmartmicroParser()
    packets = cut(port(targets), 9)
    assert len(packets) == 5
    out = [frame for i, packet in enumerate(reversed(packets)) for frame in parser.feed(packet, 10 + i)]
    assert [len(frame) for frame in out] == [100]
    np.testing.assert_array_equal(out[0].columns["range"], np.arange(100.0))
    assert out[0].received_ns == 10
    assert not parser.refused


def test_a_lost_fragment_costs_its_port_only():
    parser = SmartmicroParser()
    out = []
    for counter in range(65_530, 65_545):  # over the counter's end
        packets = cut(port([{}] * 60), counter)
        out += [frame for i, p in enumerate(packets) if (counter, i) != (65_534, 1) for frame in parser.feed(p, 0)]
    assert len(out) == 14
    assert parser.lost_frames == 1
    assert parser.refused == {"fragment of an incomplete port": 2}


def test_ports_that_never_come_whole_are_bounded():
    parser = SmartmicroParser()
    first = [cut(port([{}] * 60), counter)[0] for counter in range(200)]
    for packet in first * 3:
        parser.feed(packet, 0)
    assert len(parser._pending) == MAX_PENDING
    parser.reset()
    assert sum(parser.refused.values()) == 600
    assert not parser._pending


def test_a_repeated_fragment_is_counted():
    parser = SmartmicroParser()
    packets = cut(port([{}] * 40), 1)
    assert [len(parser.feed(p, 0)) for p in (packets[0], packets[0], packets[1])] == [0, 0, 1]
    assert parser.refused == {"repeated or contradictory fragment": 1}


def edited(packet: bytes, at: int, value: bytes) -> bytes:
    return packet[:at] + value + packet[at + len(value) :]


PORT = port([{}] * 2)
REFUSED = {
    "no transport header": [b"", b"\x7e\x01", edited(cut(PORT, 1)[0], 0, b"\x7d")],
    "unknown transport header": [
        edited(cut(PORT, 1)[0], 1, b"\x02"), edited(cut(PORT, 1)[0], 2, b"\x12"), edited(cut(PORT, 1)[0], 9, b"\x6c"),
    ],
    "wrong length": [cut(PORT, 1)[0][:-1], cut(PORT, 1)[0] + b"\0", log("x")[:-1]],
    "wrong CRC": [edited(cut(PORT, 1)[0], 17, b"\xff"), edited(log("x"), 18, b"y")],
    "another protocol": [log("x", protocol=7)],
    "impossible fragment": [cut(PORT, 1, size=1)[70]],
    "port too short": [cut(PORT[:20], 1)[0], log("x", protocol=8)],
    "another port": [cut(edited(PORT, 3, b"\x43"), 1)[0]],
    "unknown version of the port": [
        cut(edited(PORT, 5, b"\x05"), 1)[0], cut(edited(PORT, 20, b"\x03"), 1)[0], cut(edited(PORT, 22, b"\x01"), 1)[0],
    ],
    "wrong length of the port": [cut(PORT + b"\0", 1)[0], cut(edited(PORT[:28], 19, b"\x1c"), 1)[0]],
    "number of targets disagrees with the length": [cut(edited(PORT, 29, b"\x03"), 1)[0]],
}  # fmt: skip


@pytest.mark.parametrize(("reason", "packet"), [(reason, p) for reason, packets in REFUSED.items() for p in packets])
def test_what_is_wrong_is_counted_by_reason(reason, packet):
    parser = SmartmicroParser()
    assert parser.feed(packet, 0) == []
    assert parser.refused == {reason: 1}


def test_the_transport_header_of_a_recorded_packet(datagrams):
    part = decode_transport(datagrams[1].payload)
    assert (part.protocol, part.client, part.counter, part.place, part.parts) == (8, CLIENT, 0xC88F, 0, 2)


def test_a_logged_fault_is_told_for_a_while():
    parser = SmartmicroParser()
    parser.feed(log("FATAL   | broken\x1b[31m\n"), 1_000_000_000)
    health = parser.health()
    assert health.level is Level.WARN
    assert health.text == "the radar reports: FATAL   | broken [31m"
    parser.feed(cut(PORT, 1)[0], 12_000_000_000)
    assert parser.health().level is Level.OK
    assert parser.health().values["log_messages"] == 1
