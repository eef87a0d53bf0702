# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Navico's radars: spokes written by hand, and recorded turns of a 3G, a 4G and a HALO."""

import math
import struct
from pathlib import Path

import numpy as np
import pytest
from navico_packets import packet, spoke, turn, velocity_track

from aegis.core.params import ConfigError
from aegis.drivers.frames import VideoFrame
from aegis.drivers.navico import Navico, NavicoParser, NavicoSettings
from aegis.drivers.navico_format import Channel, announced
from aegis.drivers.recording import Recording

CAPTURES = "marine_radar_captures"
S = 1_000_000_000
ZEROS = np.zeros(1024, np.uint8)


def parser(**values) -> NavicoParser:
    return NavicoParser(NavicoSettings.load(values))


def frames(path: Path, **values) -> list[VideoFrame]:
    settings = NavicoSettings.load({"driver": "navico", **values})
    out = []
    with Navico.of_recording(settings, Recording(path)) as driver:
        try:
            while True:
                out += driver.poll()
        except EOFError:
            return out


def test_a_spoke_is_as_it_was_sent():
    levels = np.arange(1024) % 16
    (frame,) = parser().feed(packet(spoke(1, 1024, levels, range_m=1024.0, heading=0x4000 | 512)), S)
    expected = levels.copy()
    expected[:6] = 0  # a bar that the radar draws
    np.testing.assert_array_equal(frame.codes[0], expected)
    assert frame.cell_m == 1.0
    assert frame.azimuth[0] == pytest.approx(-math.pi / 2)  # to starboard: clockwise
    assert frame.heading[0] == pytest.approx(math.pi / 4)
    assert (frame.full_scale, frame.approaching, frame.receding) == (15, 0, 0)


def test_a_3g_says_its_range_in_another_way():
    (frame,) = parser().feed(packet(spoke(1, 0, ZEROS, range_m=1633.0, old=True)), S)
    assert frame.cell_m * 1024 == pytest.approx(231 * 10 / math.sqrt(2))


def test_the_headings_of_spokes_and_of_own_ship():
    found = parser(**{"nmea.variation_deg": 10.0})
    (frame,) = found.feed(packet(spoke(1, 0, ZEROS, heading=0x4000 | 1024), spoke(2, 2, ZEROS, heading=1024)), S)
    np.testing.assert_allclose(np.degrees(frame.heading), [90.0, 100.0])
    found.feed(b"$HEHDT,45.0,T\r\n", S)
    (frame,) = found.feed(packet(spoke(3, 4, ZEROS)), S)
    np.testing.assert_allclose(np.degrees(frame.heading), [45.0])
    (frame,) = parser(**{"heading.source": "none"}).feed(packet(spoke(1, 0, ZEROS, heading=0x4000 | 1024)), S)
    assert np.isnan(frame.heading).all()


def test_messages_of_nmea_2000_that_a_plotter_sends():
    def message(number: int, data: bytes) -> bytes:
        return b"NKOE" + bytes(32) + number.to_bytes(4, "little") + bytes(24) + data

    found = parser()
    # Heading 224.7 degrees magnetic, as recorded, with a variation of 0.03 rad.
    found.feed(message(127250, bytes([0x3C]) + struct.pack("<HhhB", 0x9930, 0x7FFF, 300, 0xFD)), S)
    found.feed(message(129025, struct.pack("<ii", round(52.5 * 1e7), round(5.1 * 1e7))), S)
    found.feed(message(129026, struct.pack("<BBHHH", 1, 0xFC, 15_708, 500, 0xFFFF)), S)
    (frame,) = found.feed(packet(spoke(1, 0, ZEROS)), S + S // 2)
    assert frame.heading[0] == pytest.approx(3.9216 + 0.03)
    assert frame.platform.east_mps == pytest.approx(5.0, abs=1e-3)
    assert frame.platform.east_m == pytest.approx(2.5, abs=1e-3)


def test_marks_are_marks_while_velocity_track_is_on():
    found = parser()
    spokes = packet(spoke(1, 0, np.full(1024, 15)))
    for report, marks in ((None, (0, 0)), (1, (15, 14)), (0, (0, 0)), (2, (15, 14))):
        if report is not None:
            found.feed(velocity_track(report), S)
        (frame,) = found.feed(spokes, S)
        assert (frame.approaching, frame.receding) == marks
        assert frame.full_scale == (13 if marks[0] else 15)


def test_spokes_have_their_times():
    found = parser()
    turns = [data for _ in range(3) for data in turn()]
    for k, data in enumerate(turns):  # 64 packets a turn of 2 s
        (frame,) = found.feed(data, S + round((k + 1) * 2.0 / 64 * S))
    assert found.rotation.turn_s == pytest.approx(2.0, rel=0.01)
    np.testing.assert_allclose(frame.time_offset, (np.arange(32) - 31) * 2.0 / 2048, atol=1e-4)


def test_a_range_that_changes_amid_a_datagram():
    rows = [spoke(k, 2 * k, ZEROS, range_m=1000.0 if k < 3 else 2000.0) for k in range(8)]
    found = parser().feed(packet(*rows), S)
    assert [(len(f), f.cell_m * 1024) for f in found] == [(3, 1000.0), (5, 2000.0)]


def test_broken_spokes_cost_themselves():
    good, far = spoke(1, 0, ZEROS), spoke(2, 2, ZEROS, range_m=0.0)
    found = parser()
    (frame,) = found.feed(packet(good, b"\x17" + good[1:], far), S)
    assert len(frame) == 1
    assert found.refused["spoke unreadable"] == 2


@pytest.fixture(scope="module")
def captures(shared_data: Path) -> Path:
    return shared_data / CAPTURES


def turns_of(found: list[VideoFrame]) -> float:
    """Return how many turns, of the angles alone."""
    angle = -np.concatenate([f.azimuth for f in found])
    return float((np.diff(angle) % (2 * np.pi))[np.diff(angle) % (2 * np.pi) < 1.0].sum() / (2 * np.pi))


def test_a_recorded_3g(captures):
    found = frames(captures / "3g-trueheading.pcap.gz")
    assert len(found) == 295
    assert {round(f.cell_m * 1024) for f in found} == {1633, 3274}
    assert 4.0 < turns_of(found) < 5.0
    assert all(0.02 < h < 0.04 for f in found for h in f.heading)
    # Own ship's GNSS: at rest, 58.53 N 15.01 E.
    assert all(math.hypot(f.platform.east_m, f.platform.north_m) < 5.0 for f in found)


def test_a_recorded_4g(captures):
    found = frames(captures / "4g-heading.pcap.gz")
    assert sum(map(len, found)) == 1193 * 32
    assert {f.cell_m * 1024 for f in found} == {488.0}
    assert 18.0 < turns_of(found) < 19.0
    offsets = np.concatenate([f.time_offset for f in found[200:]])
    assert offsets.min() == pytest.approx(-31 * 2.51 / 2048, rel=0.05)


def test_a_recorded_halo_with_velocity_track(captures):
    found = frames(captures / "halo-velocitytrack-notarget.pcap.gz")
    assert len(found) == 356
    # The first report comes after 3 s; by then the codes have told.
    assert all((f.approaching, f.receding, f.full_scale) == (15, 14, 13) for f in found[4:])
    np.testing.assert_allclose(np.degrees(np.concatenate([f.heading for f in found])), 225.97, atol=0.01)
    with pytest.raises(ConfigError, match="no spokes of a Navico radar"):
        frames(captures / "halo_doppler_off_on.pcap.gz")
    with pytest.raises(ConfigError, match=r"there are spokes to 236\.6\.8\.35:6515"):
        frames(captures / "halo-velocitytrack-notarget.pcap.gz", **{"udp.port": 77})


def test_a_halo_announces_its_groups():
    def address(kind: int, *octets: int, port: int) -> bytes:
        return bytes([kind, 0, 0, 0, *octets]) + port.to_bytes(2, "big")

    data = b"\x01\xb2" + b"1902501034".ljust(16, b"\0") + bytes([10, 0, 67, 122]) + b"11\x06\0\xfd\xff\x20\x01\x03\0"
    data += address(0x10, 236, 6, 9, 51, port=7059) + address(0x11, 236, 6, 9, 52, port=7060)
    data += address(0x12, 236, 6, 9, 51, port=7061)
    assert announced(data) == ("1902501034", [Channel(("236.6.9.51", 7059), ("236.6.9.51", 7061))])
    assert announced(b"\x01\xb1") == ("", [])
