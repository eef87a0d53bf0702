# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""ASTERIX CAT048 and CAT034, on bytes written by hand and by libasterix' encoder."""

import math
import struct
import time
from datetime import UTC, datetime

import asterix.generated as specifications
import numpy as np
import pytest
from asterix_bytes import datablock, north_marker, plot, polar, record, sector_crossing, time_of_day
from hypothesis import given
from hypothesis import strategies as st
from settings_of import settings_of

from aegis.core.health import Level
from aegis.drivers.asterix import AsterixParser, AsterixSettings, elevation_of
from aegis.drivers.asterix_records import DAY_NS, TICK_NS, utc_ns

SECOND = 1_000_000_000
NM, FT, FL = 1852.0, 0.3048, 30.48
MIDNIGHT_NS = int(datetime(2026, 3, 5, tzinfo=UTC).timestamp()) * SECOND
NOON_S = 43_200.0
NOON_NS = MIDNIGHT_NS + 43_200 * SECOND
DOPPLER = 0x80  # I048/120: the calculated speed follows


def parser(**settings) -> AsterixParser:
    """Return one that puts revolutions together, unless it is told otherwise; sectors are in test_asterix_sectors.py."""
    return AsterixParser(settings_of(AsterixSettings, **({"kind": "revolution"} | settings)))


def one_frame(*records: bytes, at_ns: int = NOON_NS, **settings):
    """Return the one frame that records of CAT048 give, and the parser."""
    p = parser(**settings)
    assert p.feed(datablock(48, *records), at_ns) == []
    (frame,) = p.finish()
    return frame, p


def values(frame) -> dict[str, float]:
    return {name: float(column[0]) for name, column in frame.columns.items()}


def test_the_position_turns_from_clockwise_north_to_anticlockwise_east():
    records = [plot(10.0 + i, theta, NOON_S) for i, theta in enumerate((0.0, 90.0, 180.0, 270.0, 45.0))]
    frame, _ = one_frame(*records)
    np.testing.assert_allclose(frame.columns["range"], (10.0 + np.arange(5)) * NM)
    np.testing.assert_allclose(np.degrees(frame.columns["azimuth"]), [90.0, 0.0, -90.0, -180.0, 45.0], atol=1e-9)


@pytest.mark.parametrize(
    ("conditions", "reason"),
    [
        ((1,), "reflection"), ((2,), "side lobe"), ((4,), "second time around"), ((10,), "phantom"), ((13, 1), "reflection"),
        ((3,), ""), ((13, 19), ""), ((5,), ""), ((24,), ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("edition", ["1.27", "1.32"])
def test_what_the_radar_itself_calls_no_target_is_none(conditions, reason, edition):
    """I048/030: each condition in seven bits, and one that says that another follows."""
    stated = bytes(code << 1 | (k < len(conditions) - 1) for k, code in enumerate(conditions))
    records = [plot(10.0, 0.0, NOON_S), plot(20.0, 0.0, NOON_S, i030=stated)]
    frame, p = one_frame(*records, cat048=edition)
    assert (frame.columns["range"] / NM).tolist() == ([10.0] if reason else [10.0, 20.0])
    assert dict(p.refused) == ({f"the radar says: {reason}": 1} if reason else {})
    kept, _ = one_frame(*records, false_reports="keep", cat048=edition)
    assert len(kept) == 2


def test_the_x_axis_can_be_put_to_north_or_anywhere():
    records = [plot(10.0, theta, NOON_S) for theta in (0.0, 90.0)]
    frame, _ = one_frame(*records, x_axis_azimuth_deg=0.0)
    np.testing.assert_allclose(np.degrees(frame.columns["azimuth"]), [0.0, -90.0], atol=1e-9)
    frame, _ = one_frame(*records, x_axis_azimuth_deg=45.0)
    np.testing.assert_allclose(np.degrees(frame.columns["azimuth"]), [45.0, -45.0], atol=1e-9)


def test_every_field_of_a_full_report():
    report = plot(
        100.5, 30.0, NOON_S,
        i020=b"\xe0",  # Mode S roll-call and PSR
        i070=struct.pack(">H", 0o1234), i090=struct.pack(">h", 330 * 4 + 1),
        i130=bytes([0b0000_1000, 256 - 60]),  # amplitude of the primary plot alone
        i220=b"\x40\x62\x1d", i161=struct.pack(">H", 1234),
        i042=struct.pack(">hh", round(50.25 * 128), round(-87.0 * 128)),
        i200=struct.pack(">HH", round(0.125 * 2**14), round(90.0 / 360 * 65536)),
        i120=bytes([DOPPLER]) + struct.pack(">H", 0x3FF & -57),
    )  # fmt: skip
    frame, p = one_frame(report, has_doppler=True, x_axis_azimuth_deg=90.0)
    expected = {
        "range": 100.5 * NM, "azimuth": math.radians(60.0), "range_rate": -57.0, "power": -60.0,
        "mode_3a": 0o1234, "flight_altitude": 330.25 * FL, "address": 0x40621D, "report_type": 7, "track_number": 1234,
        "track_x": 50.25 * NM, "track_y": -87.0 * NM, "track_vx": 0.125 * NM, "track_vy": 0.0, "time_offset": 0.0,
    }  # fmt: skip
    found = values(frame)
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-4, abs=1e-6), name
    assert not p.refused


def test_what_is_absent_doubtful_or_garbled_is_unknown():
    bare = values(one_frame(plot(10.0, 0.0, NOON_S), has_doppler=True)[0])
    assert all(math.isnan(bare[name]) for name in bare.keys() - {"range", "azimuth", "report_type", "time_offset"})
    doubtful = plot(
        10.0, 0.0, NOON_S,
        i070=struct.pack(">H", 0x8000 | 0o1234), i090=struct.pack(">H", 0x4000 | 400),
        i120=bytes([DOPPLER]) + struct.pack(">H", 0x8000 | 57),
        i130=bytes([0b0010_0000, 256 - 60]),  # amplitude of the SSR reply: no echo
    )  # fmt: skip
    found = values(one_frame(doubtful, has_doppler=True)[0])
    assert all(math.isnan(found[name]) for name in ("mode_3a", "flight_altitude", "range_rate", "power"))
    raw_only = plot(10.0, 0.0, NOON_S, i120=b"\x40\x01" + struct.pack(">HHH", 57, 100, 2800))
    assert math.isnan(values(one_frame(raw_only, has_doppler=True)[0])["range_rate"])


def test_the_sign_of_doppler_is_the_radars():
    report = plot(10.0, 0.0, NOON_S, i120=bytes([DOPPLER]) + struct.pack(">H", 200))
    assert values(one_frame(report, has_doppler=True)[0])["range_rate"] == 200.0
    assert values(one_frame(report, has_doppler=True, doppler_sign=-1)[0])["range_rate"] == -200.0
    assert "range_rate" not in one_frame(report)[0].columns


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"i020": b"\x00"}, "no detection"),
        ({"i020": b"\x30"}, "simulated or test report"),
        ({"i020": b"\x21\x80"}, "simulated or test report"),
        ({"i020": b"\x22"}, "field monitor"),
        ({"i040": None}, "no measured position"),
        ({"i040": b"\xff\xff\x00\x00"}, "beyond the range of the format"),
        ({"i140": (86_400 * 128).to_bytes(3, "big")}, "time of day beyond a day"),
        ({"i010": None}, "no SAC/SIC"),
        ({"i020": b"\x21\x01\x01\x01\x01\x01\x01"}, "CAT048 record unreadable"),
    ],
)
def test_what_is_no_plot_is_refused_and_the_next_is_taken(changed, reason):
    refused = plot(10.0, 0.0, NOON_S, **changed)
    p = parser()
    p.feed(datablock(48, refused) + datablock(48, plot(20.0, 0.0, NOON_S)), NOON_NS)
    (frame,) = p.finish()
    assert frame.columns["range"].tolist() == [20.0 * NM]
    assert p.refused == {reason: 1}


def test_records_before_a_broken_one_are_kept():
    p = parser()
    p.feed(datablock(48, plot(10.0, 0.0, NOON_S), plot(20.0, 0.0, NOON_S)[:-1]), NOON_NS)
    assert p.refused == {"CAT048 record unreadable": 1}
    assert p.finish()[0].columns["range"].tolist() == [10.0 * NM]
    assert "insufficient data" in p.health().values["last_error"]


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (b"", "datablock length"),
        (b"\x30\x00\x03", "datablock length"),
        (b"\x30\x00\x09\x00", "datablock length"),
        (datablock(62, b"\x80\x00\x00"), "other category"),
        (datablock(48, b"\x00"), "CAT048 record without items"),
        (datablock(34, record(34, {"010": b"\x19\xc9"})), "no message type"),
    ],
)
def test_what_cannot_be_read_is_counted(packet, reason):
    p = parser()
    assert p.feed(packet, NOON_NS) == []
    assert p.refused == {reason: 1}


def test_only_one_radar_is_taken():
    foreign = plot(20.0, 0.0, NOON_S, sac=1, sic=2)
    frame, p = one_frame(plot(10.0, 0.0, NOON_S), foreign)
    assert len(frame) == 1
    assert p.refused == {"foreign SAC/SIC": 1}
    assert "1/2" in p.health().values["last_error"]
    frame, p = one_frame(plot(10.0, 0.0, NOON_S), foreign, sac=1, sic=2)
    assert frame.columns["range"].tolist() == [20.0 * NM]
    frame, p = one_frame(plot(10.0, 0.0, NOON_S), foreign, sac=1)
    assert p.health().values["sac_sic"] == "1/2"
    p.reset()
    assert p.health().values["sac_sic"] == "1/-1"


def test_a_revolution_is_from_north_marker_to_north_marker():
    p = parser()
    way = 30_000_000  # ns from measurement to receipt
    frames = []
    for second in range(0, 9):
        at_ns = NOON_NS + second * SECOND + way
        if second % 4 == 0:
            frames += p.feed(datablock(34, north_marker(NOON_S + second)), at_ns)
        frames += p.feed(datablock(34, sector_crossing(second % 4 * 64, NOON_S + second)), at_ns)
        frames += p.feed(datablock(48, plot(10.0 + second, 1.0, NOON_S + second + 0.5)), at_ns + SECOND // 2)
    assert [frame.columns["range"].tolist() for frame in frames] == [
        [(10.0 + second) * NM for second in seconds] for seconds in (range(4), range(4, 8))
    ]
    assert [frame.sensor_time_ns for frame in frames] == [NOON_NS + 2 * SECOND, NOON_NS + 6 * SECOND]
    assert [frame.received_ns - frame.sensor_time_ns for frame in frames] == [way, way]
    np.testing.assert_allclose(frames[0].columns["time_offset"], [-1.5, -0.5, 0.5, 1.5])


def test_a_revolution_that_saw_nothing_is_a_frame_too():
    p = parser()
    assert p.feed(datablock(34, north_marker(NOON_S)), NOON_NS) == []
    (frame,) = p.feed(datablock(34, north_marker(NOON_S + 4)), NOON_NS + 4 * SECOND)
    assert len(frame) == 0
    assert set(frame.columns) == set(one_frame(plot(1.0, 0.0, NOON_S))[0].columns)
    assert frame.sensor_time_ns == NOON_NS + 2 * SECOND


def test_without_markers_a_frame_ends_in_time_or_at_its_size():
    p = parser(max_s=5.0)
    frames = []
    for second in range(20):
        frames += p.feed(datablock(48, plot(10.0, 1.0, NOON_S + second)), NOON_NS + second * SECOND)
    assert [len(frame) for frame in frames] == [6, 6, 6]
    assert frames[0].sensor_time_ns == NOON_NS + 3 * SECOND  # of the middle plot
    assert p.health().level is Level.WARN
    assert "north marker" in p.health().text
    p = parser(max_plots=3)
    (frame,) = p.feed(datablock(48, *[plot(10.0, 1.0, NOON_S)] * 5), NOON_NS)
    assert len(frame) == 3


def test_markers_that_jump_do_not_set_the_time():
    p = parser()
    p.feed(datablock(34, north_marker(NOON_S - 3000)), NOON_NS)
    p.feed(datablock(48, plot(10.0, 1.0, NOON_S + 1)), NOON_NS + SECOND)
    (frame,) = p.feed(datablock(34, north_marker(NOON_S + 4)), NOON_NS + 4 * SECOND)
    assert frame.sensor_time_ns == NOON_NS + SECOND


def test_a_report_without_time_gives_a_frame_without():
    frame, _ = one_frame(plot(10.0, 0.0, NOON_S, i140=None))
    assert frame.sensor_time_ns is None
    assert frame.received_ns == NOON_NS
    assert np.isnan(frame.columns["time_offset"]).all()


def test_midnight_within_a_revolution():
    p = parser()
    p.feed(datablock(34, north_marker(86_399.0)), MIDNIGHT_NS - SECOND)
    p.feed(datablock(48, plot(10.0, 1.0, 86_399.5), plot(11.0, 1.0, 0.5)), MIDNIGHT_NS)
    (frame,) = p.feed(datablock(34, north_marker(3.0)), MIDNIGHT_NS + 3 * SECOND)
    assert frame.sensor_time_ns == MIDNIGHT_NS + SECOND
    np.testing.assert_allclose(frame.columns["time_offset"], [-1.5, -0.5])


@given(
    ticks=st.integers(0, 2**62 // TICK_NS),
    late_ns=st.integers(-DAY_NS // 2 + 1, DAY_NS // 2 - 1),
)
def test_the_day_is_that_of_the_receipt(ticks, late_ns):
    true_ns = ticks * TICK_NS
    assert utc_ns(ticks % (DAY_NS // TICK_NS), true_ns + late_ns) == true_ns


@given(angle_m=st.floats(1.0, 400_000.0), height=st.floats(-100.0, 20_000.0), radar=st.floats(-100.0, 3000.0))
def test_elevation_by_vectors(angle_m, height, radar):
    """The same triangle in coordinates: the radar on the y axis, the target at an angle about the Earth's centre."""
    earth = 6_371_000.0
    turn = angle_m / earth
    away = (earth + height) * np.array([math.sin(turn), math.cos(turn)]) - np.array([0.0, earth + radar])
    found = elevation_of(np.array([math.hypot(*away)]), np.array([height]), radar)
    assert found[0] == pytest.approx(math.atan2(away[1], away[0]), abs=1e-6)


def test_elevation_from_height_or_flight_level():
    measured = plot(20.0, 0.0, NOON_S, i110=struct.pack(">h", 400), i090=struct.pack(">h", 4))  # 10,000 ft, FL 1
    transponder = plot(20.0, 0.0, NOON_S, i090=struct.pack(">h", 400))  # FL 100
    neither = plot(20.0, 0.0, NOON_S)
    impossible = plot(1.0, 0.0, NOON_S, i090=struct.pack(">h", 4000))  # higher than it is far
    records = (measured, transponder, neither, impossible)
    r, h = 20 * NM, 10_000 * FT - 100
    expected = math.asin(h / r) - r / (2 * 6_371_000)  # the horizon falls away by d^2 / 2R
    frame, _ = one_frame(*records, source="flight_level", radar_altitude_m=100.0)
    elevation, sigma = frame.columns["elevation"], frame.columns["elevation_sigma"]
    np.testing.assert_allclose(elevation, [expected, expected, np.nan, np.nan], atol=2e-4)
    np.testing.assert_allclose(sigma[:2] * r * math.cos(expected), [300.0, 150.0], rtol=1e-3)
    frame, _ = one_frame(*records, source="height", radar_altitude_m=100.0)
    np.testing.assert_allclose(frame.columns["elevation"], [expected, np.nan, np.nan, np.nan], atol=2e-4)
    assert "elevation" not in one_frame(*records)[0].columns


@pytest.mark.parametrize(
    ("common", "level", "word"),
    [(0x00, Level.OK, "running"), (0x80, Level.ERROR, "NOGO"), (0x02, Level.WARN, "time"), (0x10, Level.WARN, "overload"),
     (0x08, Level.WARN, "overload")],
)  # fmt: skip
def test_the_radar_says_how_it_does(common, level, word):
    p = parser()
    p.feed(datablock(34, north_marker(NOON_S, i050=bytes([0x80, common]), i041=struct.pack(">H", 500))), NOON_NS)
    health = p.health()
    assert health.level is level
    assert word in health.text
    assert health.values["rotation_period_s"] == "3.906"
    assert health.values["sac_sic"] == "25/201"


def test_a_datagram_of_very_many_small_parts_is_read_in_time():
    begin = time.process_time()
    p = parser()
    p.feed(b"\x01\x00\x04\x00" * 16_000, NOON_NS)
    assert p.refused == {"other category": 16_000}
    p.feed(datablock(48, record(48, {"010": b"\x19\xc9"}) * 15_000), NOON_NS)
    assert p.refused["no measured position"] == 15_000
    endless = record(48, {"010": b"\x19\xc9", "030": b"\xff" * 60_000})
    p.feed(datablock(48, endless), NOON_NS)
    assert p.refused["CAT048 record unreadable"] == 1
    assert time.process_time() - begin < 10.0


@pytest.mark.parametrize("edition", ["1.27", "1.28", "1.29", "1.30", "1.31", "1.32"])
def test_against_the_encoder_of_libasterix(edition):
    specification = getattr(specifications, f"Cat_048_{edition.replace('.', '_')}")
    encoded = specification.cv_record.create(
        {
            "010": (("SAC", 25), ("SIC", 201)),
            "140": (NOON_S, "s"),
            "020": ((("TYP", 3), 0, 0, 0, 0, None),),
            "040": (("RHO", (123.5, "NM")), ("THETA", (270.0, "°"))),
            "070": (0, 0, 0, 0, ("MODE3A", "7654")),
            "090": (0, 0, ("FL", (-5.25, "FL"))),
            "130": {"PAM": (-77, "dBm")},
            "120": {"CAL": (0, 0, ("CAL", (-300, "m/s")))},
            "161": (0, ("TRN", 4000)),
            "220": 0xABCDEF,
        }
    )
    packet = specification.create([encoded]).unparse().to_bytes()
    p = parser(has_doppler=True, cat048=edition)
    p.feed(packet, NOON_NS)
    found = values(p.finish()[0])
    expected = {
        "range": 123.5 * NM, "azimuth": -math.pi, "range_rate": -300.0, "power": -77.0, "mode_3a": 0o7654,
        "flight_altitude": -5.25 * FL, "address": 0xABCDEF, "report_type": 3, "track_number": 4000,
    }  # fmt: skip
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    by_hand = plot(
        123.5, 270.0, NOON_S, i020=b"\x60", i070=struct.pack(">H", 0o7654), i090=struct.pack(">H", 0x3FFF & -21),
        i130=bytes([0x08, 256 - 77]), i120=bytes([DOPPLER]) + struct.pack(">H", 0x3FF & -300),
        i161=struct.pack(">H", 4000), i220=b"\xab\xcd\xef",
    )  # fmt: skip
    assert packet == datablock(48, by_hand)


@pytest.mark.parametrize("edition", ["1.27", "1.28", "1.29"])
def test_service_messages_against_the_encoder_of_libasterix(edition):
    specification = getattr(specifications, f"Cat_034_{edition.replace('.', '_')}")
    encoded = specification.cv_record.create(
        {"010": 25 * 256 + 201, "000": 2, "030": (NOON_S, "s"), "020": (90.0, "°")}
    )
    packet = specification.create([encoded]).unparse().to_bytes()
    assert packet == datablock(34, sector_crossing(64, NOON_S))
    p = parser(kind="sector", cat034=edition)
    assert p.feed(packet, NOON_NS) == []
    (frame,) = p.feed(datablock(34, sector_crossing(128, NOON_S + 0.5)), NOON_NS + SECOND // 2)
    assert frame.sector.rate == pytest.approx(-math.pi)  # from 90 to 180 degrees clockwise, in half a second
    assert frame.sector.azimuth == pytest.approx(-math.pi / 2)  # south
    assert not p.refused


def test_bytes_of_the_specification():
    """What the helper above writes, octet for octet: FSPEC 1111 0000, SAC, SIC, 12:00:00, single PSR, 10 NM, 90 degrees."""
    assert plot(10.0, 90.0, NOON_S) == bytes.fromhex("f0 19c9 546000 20 0a00 4000")
    assert time_of_day(NOON_S) + polar(10.0, 90.0) == bytes.fromhex("546000 0a00 4000")
