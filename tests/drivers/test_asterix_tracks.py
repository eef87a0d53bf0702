# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Others' tracks by ASTERIX: records by hand from the specifications, places by PROJ, and a centre's own recording."""

import itertools
import struct

import numpy as np
import pytest
from asterix_bytes import datablock, plot, record, time_of_day
from placed_data import SITE, proj_places

from aegis.core.ids import UniqueIds
from aegis.core.params import ConfigError
from aegis.core.site import Site
from aegis.core.types import ClassId, TrackStatus
from aegis.drivers.asterix_files import FinalFile
from aegis.drivers.asterix_foreign import ForeignTracks
from aegis.drivers.asterix_foreign_settings import AsterixTracksSettings, check_placed
from aegis.drivers.asterix_records import Reader, RefusedError, datablocks, utc_ns
from aegis.drivers.asterix_tracks import read_radar_track, read_system_track
from aegis.drivers.capture import open_recording
from aegis.drivers.recording import Recording

NOON_NS = 1_767_268_800_000_000_000  # 2026-01-01T12:00:00Z
NOON_S = 43_200.0
S = 10**9
LSB_DEG = 180.0 / 2**25  # I062/105
NAUTICAL_MILE_M = 1852.0
PACKETS = 900  # of the recording: a minute and a half


def system_track(seconds: float = NOON_S, number: int = 7, **more: bytes | None) -> bytes:
    """Return a record of CAT062 with what is mandatory, `i130=...` and so on besides or instead; None leaves one out."""
    items = {
        "010": bytes([25, 201]),
        "070": time_of_day(seconds),
        "105": struct.pack(">ii", 0, 2**25 // 4),  # on the equator at 45 degrees east
        "040": struct.pack(">H", number),
        "080": b"\x00",  # confirmed
    }
    items |= {name[1:]: value for name, value in more.items()}
    return record(62, {name: value for name, value in items.items() if value is not None})


def foreign(site=(0.0, 45.0, 0.0), **settings) -> ForeignTracks:
    return ForeignTracks(AsterixTracksSettings(site=site, **settings), Site(*site), UniqueIds())


def one_of(category: int, data: bytes):
    (found,) = Reader(category, "1.20" if category == 62 else "1.32").records(data)
    return found


ACCURACY = bytes([0b1101_0101, 0x80]) + struct.pack(">HHhBBBB", 20, 40, 0, 20, 8, 12, 4)  # I062/500
FULL = {
    "i185": struct.pack(">hh", 401, -202),  # 0.25 m/s
    "i380": bytes([0x81, 0x01, 0x02, 1, 2, 3, 13]),  # address; of octet 3 the emitter's category: UAV
    "i080": bytes([0b0000_0011, 0b0000_0001, 0b0000_0000]),  # tentative
    "i130": struct.pack(">h", 1000),  # 6250 ft
    "i220": struct.pack(">h", 80),  # 500 ft/min
    "i500": ACCURACY,
}


def test_a_system_track_by_hand():
    found = read_system_track(one_of(62, system_track(**FULL)))
    assert (found.number, found.time_ticks) == (7, 43_200 * 128)
    assert (found.latitude_deg, found.longitude_deg, found.height_m) == (0.0, 45.0, pytest.approx(1905.0))
    assert (found.velocity_east_mps, found.velocity_north_mps) == (100.25, -50.5)
    assert found.climb_mps == pytest.approx(2.54)
    sigmas = found.sigmas
    assert (sigmas.east_m, sigmas.north_m, sigmas.east_mps, sigmas.north_mps) == (10.0, 20.0, 2.0, 3.0)
    assert (sigmas.height_m, sigmas.climb_mps) == (pytest.approx(38.1), pytest.approx(0.127))
    assert (found.tentative, found.ended, found.emitter, found.by_pressure) == (True, False, 13, False)


def test_a_radar_track_by_hand():
    given = {
        "i161": struct.pack(">H", 300),
        "i042": struct.pack(">hh", -1280, 640),  # 1/128 NM
        "i200": struct.pack(">HH", 2048, 0x4000),  # 2^-14 NM/s; 90 degrees
        "i170": bytes([0b1000_0001, 0b1000_0000]),  # tentative; its last one
        "i090": struct.pack(">H", 400),  # FL 100
        "i210": bytes([4, 8, 10, 0]),  # 1/128 NM twice, 2^-14 NM/s, 0
    }
    found = read_radar_track(one_of(48, plot(10.0, 0.0, NOON_S, **given)))
    assert (found.number, found.time_ticks, found.tentative, found.ended) == (300, 43_200 * 128, True, True)
    assert (found.east_m, found.north_m) == (-10.0 * NAUTICAL_MILE_M, 5.0 * NAUTICAL_MILE_M)
    assert found.velocity_east_mps == pytest.approx(NAUTICAL_MILE_M / 8)
    assert found.velocity_north_mps == pytest.approx(0.0, abs=1e-9)
    assert (found.height_m, found.by_pressure) == (pytest.approx(3048.0), True)
    assert found.sigmas.east_m == pytest.approx(NAUTICAL_MILE_M / 32)
    assert found.sigmas.north_m == pytest.approx(NAUTICAL_MILE_M / 16)
    assert found.sigmas.east_mps == pytest.approx(10 * NAUTICAL_MILE_M / 2**14)


@pytest.mark.parametrize(
    ("category", "data", "reason"),
    [
        (62, system_track(i040=None), "no track number"),
        (62, system_track(i105=None), "no place on Earth"),
        (62, system_track(i070=None), "no time of day"),
        (62, system_track(i070=b"\xff\xff\xff"), "time of day beyond a day"),
        (62, system_track(i080=bytes([0x01, 0x80])), "simulated track"),
        (48, plot(10.0, 0.0, NOON_S), "plot without a track number"),
        (48, plot(10.0, 0.0, NOON_S, i161=b"\x00\x07", i040=None), "no position"),
    ],
)
def test_what_is_no_track_is_refused(category, data, reason):
    with pytest.raises(RefusedError, match=reason):
        (read_system_track if category == 62 else read_radar_track)(one_of(category, data))


def test_a_record_becomes_a_track_of_a_foreign_source():
    """Straight above the site: place, velocity and errors follow without any geodesy."""
    made = foreign()
    made.take(datablock(62, system_track(**FULL), system_track(number=8)), NOON_NS)
    (picture,) = made.pictures(NOON_NS)
    assert (picture.sensor_id, picture.frame_id, picture.stamp_ns, picture.sequence) == (
        "foreign/asterix/25/201",
        "map",
        NOON_NS,
        1,
    )
    np.testing.assert_allclose(picture.state[0], [0.0, 0.0, 1905.0, 100.25, -50.5, 2.54], atol=1e-6)
    expected = np.diag([10.0, 20.0, 38.1, 2.0, 3.0, 0.25]) ** 2  # a climb's error is no less than the format's step
    np.testing.assert_allclose(picture.covariance[0], expected, atol=1e-9)
    assert picture.class_id.tolist() == [int(ClassId.DRONE), int(ClassId.UNKNOWN)]
    assert picture.existence_probability[0] < 0.5 < picture.existence_probability[1]
    assert set(picture.status.tolist()) == {int(TrackStatus.TENTATIVE)}
    ids = picture.track_id.tolist()
    made.take(datablock(62, system_track(NOON_S + 4.0, i185=None, number=8)), NOON_NS + 4 * S)
    (later,) = made.pictures(NOON_NS + 4 * S)
    assert later.track_id.tolist() == ids
    assert later.status.tolist() == [int(TrackStatus.TENTATIVE), int(TrackStatus.CONFIRMED)]
    np.testing.assert_allclose(later.state[0, :2], [401.0, -202.0], atol=1e-6)  # carried to the picture's time
    made.take(datablock(62, system_track(NOON_S + 5.0, i080=bytes([0x01, 0x40]))), NOON_NS + 5 * S)  # its last record
    (last,) = made.pictures(NOON_NS + 5 * S)
    assert last.track_id.tolist() == ids[1:]


def test_places_are_those_of_proj():
    east_north_up = np.array([[60_000.0, -80_000.0, 9000.0], [-1000.0, 200_000.0, 3000.0]])
    latitude, longitude, altitude = proj_places(SITE, east_north_up)
    made = foreign(tuple(SITE))
    for i in range(2):
        place = struct.pack(">ii", round(latitude[i] / LSB_DEG), round(longitude[i] / LSB_DEG))
        height = struct.pack(">h", round(altitude[i] / (6.25 * 0.3048)))
        made.take(datablock(62, system_track(number=i, i105=place, i130=height)), NOON_NS)
    (picture,) = made.pictures(NOON_NS)
    np.testing.assert_allclose(picture.state[:, :3], east_north_up, atol=1.5)  # half a step of the height is 0.95 m


def test_a_radar_s_track_is_told_from_where_the_radar_stands():
    """A radar 30 km to the north: what it tells at the same height 3 NM south of it is where PROJ puts it."""
    site = (54.0, 10.0, 0.0)
    where = [float(one[0]) for one in proj_places(site, np.array([[0.0, 30_000.0, 0.0]]))]
    radars = {"north": {"sac": 25, "sic": 201, "latitude_deg": where[0], "longitude_deg": where[1]}}
    made = foreign(site, radars=radars)
    given = {"i161": b"\x00\x07", "i042": struct.pack(">hh", 0, -384), "i110": struct.pack(">h", 40)}  # 1000 ft
    made.take(datablock(48, plot(3.0, 180.0, NOON_S, **given)), NOON_NS)
    (picture,) = made.pictures(NOON_NS)
    at = proj_places(site, picture.state[:, :3])
    expected = proj_places((where[0], where[1], 0.0), np.array([[0.0, -3.0 * NAUTICAL_MILE_M, 0.0]]))
    assert at[0][0] == pytest.approx(expected[0][0], abs=1e-5)
    assert at[1][0] == pytest.approx(expected[1][0], abs=1e-5)
    assert at[2][0] == pytest.approx(304.8, abs=1.0)


def test_a_flight_level_is_as_sure_as_the_air_pressure():
    made = foreign(pressure_sigma_m=300.0, height_sigma_m=40.0)
    made.take(datablock(62, system_track(i136=struct.pack(">h", 400))), NOON_NS)  # FL 100
    (picture,) = made.pictures(NOON_NS)
    assert picture.state[0, 2] == pytest.approx(3048.0)
    assert picture.covariance[0, 2, 2] == pytest.approx(300.0**2 + 40.0**2)


def test_what_must_not_count_is_counted_with_its_reason():
    made = foreign(never=("1/2",), max_tracks=2)
    made.take(datablock(62, system_track(i010=bytes([1, 2]))), NOON_NS)
    made.take(datablock(48, plot(10.0, 0.0, NOON_S, i161=b"\x00\x07")), NOON_NS)
    made.take(datablock(62, system_track(NOON_S + 60.0)), NOON_NS)
    made.take(datablock(62, system_track(), system_track()), NOON_NS)
    made.take(datablock(62, system_track(number=8), system_track(number=9)), NOON_NS)
    made.take(datablock(62, system_track(number=8)) + b"\x3e\x00", NOON_NS)
    made.take(datablock(65, b"\x80\x19\xc9"), NOON_NS)
    made.take(datablock(62, b"\x00"), NOON_NS)
    assert made.refused == {
        "CAT048 of a radar whose place is not known (radars)": 1,
        "time of a track is off the clock": 1,
        "track no later than its last": 2,
        "over max_tracks": 1,
        "datablock length": 1,
        "CAT062 record without items": 1,
    }
    assert made.passed_over == {"source that is not to be taken": 1, "CAT065": 1}
    assert [len(one) for one in made.pictures(NOON_NS)] == [2]
    assert made.silent(NOON_NS + 29 * S) == []
    assert made.silent(NOON_NS + 31 * S) == ["25/201"]


def test_a_track_that_is_not_reported_any_more_is_dropped():
    made = foreign(keep_s=10.0)
    made.take(datablock(62, system_track(number=1), system_track(number=2)), NOON_NS)
    assert [len(one) for one in made.pictures(NOON_NS)] == [2]
    made.take(datablock(62, system_track(NOON_S + 11.0, number=2)), NOON_NS + 11 * S)
    assert [len(one) for one in made.pictures(NOON_NS + 11 * S)] == [1]


@pytest.mark.parametrize("name", ["25", "256/1", "a/b", "1/2/3"])
def test_a_source_s_name_is_two_numbers(name):
    with pytest.raises(ValueError, match="SAC/SIC is expected"):
        AsterixTracksSettings(only=(name,))


def test_without_a_site_there_is_no_map():
    with pytest.raises(ConfigError, match=r"bridge\.outputs\.site"):
        check_placed(AsterixTracksSettings())


def test_a_centre_s_tracks_go_where_their_velocities_say(shared_data):
    """A real centre (SAC/SIC 33/18): from one picture to a later one each track moves as its own velocity says."""
    recording = Recording(shared_data / "cat062_30min" / "final_frame_062_065_large_packet_30min.ff.gz")
    unpacked, raw = open_recording(recording.path)
    with raw, unpacked:
        packets = list(itertools.islice(FinalFile(recording).packets(unpacked), PACKETS))
    first = next(data for packet in packets for category, data in datablocks(packet.data) if category == 62)
    about = read_system_track(next(Reader(62, "1.20").records(first)))
    made = foreign((about.latitude_deg, about.longitude_deg, 0.0))
    shift_ns = utc_ns(about.time_ticks, packets[0].received_ns) - packets[0].received_ns  # the file's clock was another
    before: dict[int, tuple[float, np.ndarray, np.ndarray]] = {}
    misses = []
    for packet in packets:
        made.take(packet.data, packet.received_ns + shift_ns)
        for picture in made.pictures(packet.received_ns + shift_ns):
            assert picture.sensor_id == "foreign/asterix/33/18"
            for row, number in enumerate(picture.track_id.tolist()):
                ago_s, velocity = picture.time_since_update[row], picture.state[row, 3:5]
                at_s, place = picture.stamp_ns * 1e-9 - ago_s, picture.state[row, :2] - velocity * ago_s
                old_s, old_place, old_velocity = before.setdefault(number, (at_s, place, velocity))
                way = (velocity + old_velocity) / 2.0 * (at_s - old_s)
                if np.hypot(*way) > 500.0:
                    misses.append(np.hypot(*(place - old_place - way)) / np.hypot(*way))
                    before[number] = (at_s, place, velocity)
    assert len(before) > 50
    assert len(misses) > 100
    assert np.median(misses) < 0.1
