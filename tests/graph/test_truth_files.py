# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Truth from files of others: each format against places that are known, and the same evaluation whatever the format."""

import gzip
import json
import struct
from datetime import UTC, datetime
from pathlib import Path

import asterix_bytes
import numpy as np
import pymap3d
import pytest
from click.testing import CliRunner

from aegis.cli.main import cli
from aegis.core.params import ConfigError
from aegis.core.site import Site
from aegis.core.types import ClassId
from aegis.graph.config import Parameters
from aegis.graph.evaluation.recording import read_bag
from aegis.graph.evaluation.truth_files import READ, read_truth, site_of
from aegis.graph.offline import process_bag, simulate_bag

SITE = Site(48.0, 11.0, 500.0)
NEAR_NS = 1_700_000_000 * 10**9
MIDNIGHT_S = 1_700_000_000 // 86400 * 86400


def read(path: Path, **more):
    return read_truth(path, **{"site": SITE, "near_ns": NEAR_NS, **more})


def on_earth(state: np.ndarray) -> list[np.ndarray]:
    return list(pymap3d.enu2geodetic(*state[:, :3].T, SITE.latitude_deg, SITE.longitude_deg, SITE.altitude_m))


def test_csv_in_map(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text(
        "time,id,x,y,z,vx,vy,vz,class,name\n10,a,1,2,3,4,5,6,DRONE,first\n11.5,a,7,8,9,4,5,6,DRONE,\n10,b,1,1,,,,,,\n,b,1,1,,,,,,\n"
    )
    found = read(path, site=None, offset_s=0.5)
    first, second = found.objects
    assert (first.name, first.class_id, second.name, second.class_id) == (
        "first (a)",
        ClassId.DRONE,
        "b",
        ClassId.UNKNOWN,
    )
    assert first.time_ns.tolist() == [10_500_000_000, 12_000_000_000]
    np.testing.assert_array_equal(first.state[0], [1, 2, 3, 4, 5, 6])
    assert np.isnan(second.state[0, 2:]).all()
    assert found.refused["row without a time or place"] == 1
    assert found.span_ns == (10_500_000_000, 12_000_000_000)


def test_csv_on_earth_with_a_speed_and_a_course(tmp_path):
    path = tmp_path / "ais.csv"
    head = "Time,MMSI,Latitude_degrees,Longitude_degrees,COG_degrees,SOG_knots"
    path.write_text(f"{head}\n2016-01-12 13:02:11.218,235070762,48.01,11.0,90,10\n")
    (one,) = read(path).objects
    assert one.time_ns.tolist() == [round(datetime(2016, 1, 12, 13, 2, 11, 218000, tzinfo=UTC).timestamp() * 1e9)]
    assert one.class_id == ClassId.VESSEL
    x, y, _ = pymap3d.geodetic2enu(48.01, 11.0, SITE.altitude_m, 48.0, 11.0, 500.0)
    np.testing.assert_allclose(one.state[0, [0, 1, 3, 4]], [x, y, 10 * 1852 / 3600, 0.0], atol=1e-6)


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("time,id,lat,lon,Altitude (ft),speed [km/h],course,climb (ft/min)", "1700000000,1,48.01,11,3280.84,180,90,590.551"),
        ("time (UTC),id,lat (WGS84),lon,alt (ft MSL),speed_kt,cog,vz", "2023-11-14T22:13:20,1,48.01,11,3280.84,97.192,90,3"),
        ("time (ms),id,lat,lon,altitude_km,speed_kt,track (rad),vertrate", "1700000000000,1,48.01,11,1,97.192,1.5707963,3"),
        (
            "t_us,id,latitude (rad),longitude_rad,alt,velocity,true_track,climb_mps",
            "1700000000000000,1,.837932575,.191986218,1000,50,90,3",
        ),
        ("timestamp;id;lat;lon;geoaltitude;gs_mps;course;vz", "1700000000000000000;1;48,01;11,0;1000;50;90;3"),
        (
            "Time (s since epoch),id,Latitude (decimal degrees),lon (\u00b0E),Altitude (GPS) [m],gs_mps,course (deg true),vz (m/s)",
            "1700000000,1,48.01,11,1000,50,90,3",
        ),
        (
            "time (YYYY-MM-DD);id;Latitude (N);lon [dd];alt (m above ellipsoid);gs_mps;cog;vz",
            "14.11.2023 22:13:20;1;48,01;11;1e3;50;90;3",
        ),
        ("stamp\tid\tlat\tlon\theight\tground_speed (m/s)\tcog\tv_up", "1.7e9\t1\t48.01\t11\t1000\t50\t90\t3"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16"])
def test_units_are_read_and_numbers_are_as_people_write_them(tmp_path, head, row, coding):
    path = tmp_path / "truth.csv"
    path.write_bytes(f"{head}\n{row}\n".encode(coding))
    found = read(path)
    (one,) = found.objects
    assert one.time_ns.tolist() == [NEAR_NS]
    x, y, z = pymap3d.geodetic2enu(48.01, 11.0, 1000.0, 48.0, 11.0, 500.0)
    np.testing.assert_allclose(one.state[0], [x, y, z, 50.0, 0.0, 3.0], atol=0.02)
    assert not found.refused


def test_kilometres_in_map(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text("time,x (km),y (ft),z,vx (km/h),vy (mph),vz\n10,1.5,1000,7,36,10,1\n")
    np.testing.assert_allclose(read(path, site=None).objects[0].state[0], [1500, 304.8, 7, 10, 4.4704, 1])


def test_columns_that_are_not_read_are_named_and_an_unknown_unit_is_refused(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text("time,id,x,y,speed,rcs,type\n1,a,1,2,10,3,1\n")
    found = read(path, site=None)
    assert str(found) == "truth: 1 objects, 1 places; not taken: columns speed, rcs (2)"
    assert found.objects[0].class_id == ClassId.UNKNOWN, "the type of an AIS message, say, is no class of ours"
    path.write_text("time (days),x,y\n1,1,2\n")
    with pytest.raises(ConfigError, match=r"a number is no time under 'time \(days\)': its unit is one of s, "):
        read(path, site=None)
    path.write_text("time,x (furlong),y\n1,1,2\n")
    with pytest.raises(ConfigError, match=r"column 'x \(furlong\)': its unit is one of m, "):
        read(path, site=None)


def test_dates_as_people_write_them_where_they_are_clear(tmp_path):
    """As in the AIS that Denmark's maritime authority gives away."""
    path = tmp_path / "aisdk.csv"
    head = "# Timestamp,Type of mobile,MMSI,Latitude,Longitude,SOG,COG"
    times = (
        "14/11/2023 22:13:20",
        "11/14/2023 22:13:21",
        "14.11.2023 22:13:22",
        "11/11/2023 00:00:00",
        "4/3/2026 00:00:00",
        "?",
    )
    path.write_text("\n".join([head, *(f"{at},Class A,219000001,48.01,11.0,10,90" for at in times)]))
    found = read(path)
    (one,) = found.objects
    eleventh = round(datetime(2023, 11, 11, tzinfo=UTC).timestamp()) * 10**9
    assert one.time_ns.tolist() == [eleventh, *(NEAR_NS + k * 10**9 for k in range(3))]
    assert found.refused["date whose day and month may be taken for each other: 2026-03-04 says it"] == 1
    assert found.refused["row without a time or place"] == 1


def test_places_that_are_none_are_refused(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text("time,id,lat,lon\n1,a,48.0,11.0\n2,a,480000000,110000000\n3,a,91,11\n")
    found = read(path)
    assert len(found.objects[0].time_ns) == 1
    assert dict(found.refused) == {"latitude or longitude that is none": 2}


def test_a_table_in_latin_letters(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_bytes("time,x,y,name\n1,1,2,F\xf6hr\n".encode("latin-1"))
    assert read(path, site=None).objects[0].name == "F\xf6hr (1)"


FEATURES = '{"type":"FeatureCollection","features":%s}'
POINT = '[{"type":"Feature","geometry":{"type":"Point","coordinates":%s},"properties":{"time":%s}}]'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *(("a.geojson", FEATURES % one) for one in ("null", "{}", "[null]", "[1]", '[{"geometry":"x","properties":"y"}]')),
        *(("a.geojson", FEATURES % POINT % (place, 1)) for place in ("[]", "null", '["a","b"]', "[[1,2]]")),
        ("a.geojson", FEATURES % POINT % ("[11,48]", "1e300")),
        ("a.geojson", '[{"type":"Feature"}]'),
        ("a.json", '{"now":1e300,"aircraft":[{"lat":48,"lon":11,"hex":"a"}]}'),
        ("a.csv", "time,x,y\n1e300,1,2\n"),
        ("a.csv", f'time,x,y\n1,"{"a" * 200_000}",2\n'),
        ("a.txt", "\\c:99999999999999999999*5C\\!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24\n"),
    ],
)  # fmt: skip
def test_what_is_no_truth_is_refused_in_words(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(ConfigError, match=r"holds no places of objects in time|cannot be read as"):
        read(tmp_path / name)


def test_times_of_lines_in_milliseconds(tmp_path):
    path = tmp_path / "way.geojson"
    line = {"type": "LineString", "coordinates": [[11.0, 48.0], [11.01, 48.0]]}
    said = {"coordTimes": [1_700_000_000_000, 1_700_000_010_000]}
    path.write_text(
        json.dumps(
            {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": line, "properties": said}]}
        )
    )
    assert read(path).objects[0].time_ns.tolist() == [NEAR_NS, NEAR_NS + 10 * 10**9]


def test_real_ais(shared_data):
    found = read(shared_data / "stonesoup_demos" / "SolentAIS_20160112_130211.csv", site=Site(50.78, -1.1, 0.0))
    assert len(found.objects) == 91
    assert all(one.class_id == ClassId.VESSEL for one in found.objects)
    # Where it says a speed, the places move so.
    moving = max(found.objects, key=lambda o: np.nanmedian(np.hypot(*o.state[:, 3:5].T)))
    dt = np.diff(moving.time_ns) * 1e-9
    speed = np.hypot(*(np.diff(moving.state[:, :2], axis=0)[dt > 1] / dt[dt > 1, None]).T)
    assert np.median(speed) == pytest.approx(np.nanmedian(np.hypot(*moving.state[:, 3:5].T)), rel=0.1)


def test_geojson(tmp_path):
    path = tmp_path / "truth.geojson"

    def feature(kind, places, **said):
        return {"type": "Feature", "geometry": {"type": kind, "coordinates": places}, "properties": said}

    times = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:10Z"]
    point = feature("Point", [11.0, 48.0, 500], time=times[0], id="p")
    line = feature("LineString", [[11.0, 48.0], [11.01, 48.0]], coordTimes=times, name="l", **{"class": "VESSEL"})
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [point, line]}))
    one, other = read(path).objects
    assert (one.name, one.class_id, other.name, len(other.time_ns)) == ("l", ClassId.VESSEL, "p", 1)
    assert np.diff(one.time_ns).tolist() == [10 * 10**9]
    np.testing.assert_allclose(other.state[0, :3], 0.0, atol=1e-6)


def test_aircraft_json_as_documents_lines_and_a_folder(tmp_path):
    def document(now, lat, seen=0.5):
        row = {"hex": "4ca123", "lat": lat, "lon": 11.0, "alt_geom": 10_000, "gs": 360, "track": 0, "geom_rate": 600,
               "seen_pos": seen, "category": "A3", "flight": "EIN1 "}  # fmt: skip
        return {"now": now, "aircraft": [row, {"hex": "abcdef"}]}

    documents = [document(1000.0, 48.0), document(1000.4, 48.0, 0.8), document(1005.0, 48.008)]
    lines, folder = tmp_path / "lines.jsonl", tmp_path / "folder"
    lines.write_text("\n".join(map(json.dumps, documents)))
    folder.mkdir()
    for k, one in enumerate(documents):
        (folder / f"history_{k}.json").write_text(json.dumps(one))
    for path in (lines, folder):
        found = read(path)
        (one,) = found.objects
        assert (one.name, one.class_id) == ("EIN1 (4ca123)", ClassId.AIRCRAFT)
        assert one.time_ns.tolist() == [999_500_000_000, 1_004_500_000_000]  # a repeated place counts once
        np.testing.assert_allclose(one.state[0, 3:], [0, 360 * 1852 / 3600, 600 * 0.3048 / 60], atol=1e-9)
        assert one.state[0, 2] == pytest.approx(3048 - 500, abs=1.0)
        assert found.refused["aircraft without a position"] == 3


def adsb(address: int, seconds: float, lat: float, lon: float, **more: bytes) -> bytes:
    scale = 2**30 / 180
    items = {
        "010": b"\x01\x02", "080": address.to_bytes(3, "big"), "073": asterix_bytes.time_of_day(seconds),
        "131": struct.pack(">ii", round(lat * scale), round(lon * scale)), "140": struct.pack(">h", round(3000 / 0.3048 / 6.25)),
        "160": struct.pack(">HH", round(0.1 * 2**14), round(90 / 360 * 2**16)), "020": b"\x0a",
    }  # fmt: skip
    return asterix_bytes.record(21, items | {name[1:]: value for name, value in more.items()})


@pytest.mark.parametrize("zipped", [False, True])
def test_cat021(tmp_path, zipped):
    seconds = 1_700_000_000 - MIDNIGHT_S + 5.0
    data = asterix_bytes.datablock(
        21, adsb(0x4CA123, seconds, 48.1, 11.2), adsb(0x4CA124, seconds + 1, 48.0, 11.0, i020=b"\x03")
    )
    data += asterix_bytes.datablock(48, asterix_bytes.plot(10, 20, seconds))
    data += asterix_bytes.datablock(21, adsb(0x4CA123, seconds + 4, 48.1, 11.21))
    path = tmp_path / ("day.ast.gz" if zipped else "day.ast")
    path.write_bytes(gzip.compress(data) if zipped else data)
    found = read(path)
    one, other = found.objects
    assert (one.name, one.class_id, other.class_id) == ("4ca123", ClassId.HELICOPTER, ClassId.AIRCRAFT)
    assert one.time_ns.tolist() == [NEAR_NS + 5 * 10**9, NEAR_NS + 9 * 10**9]
    x, y, z = pymap3d.geodetic2enu(48.1, 11.2, 3000, 48.0, 11.0, 500.0)
    np.testing.assert_allclose(one.state[0, :3], [x, y, z], atol=1.0)
    np.testing.assert_allclose(one.state[0, 3:5], [185.2, 0], atol=0.06)
    assert found.refused["CAT048"] == 1


def test_ais_sentences(tmp_path):
    """The first sentence is the example of gpsd's AIVDM/AIVDO protocol decoding, with the values that it states."""
    sentence = "!AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0*5C"
    path = tmp_path / "log.nmea"
    path.write_text(
        f"# comment\n\\s:station,c:1452603731*00\\{sentence}\n1452603741.5 {sentence}\n2016-01-12T13:02:31Z {sentence}\n"
        f"{sentence},1452603761\n{sentence}\n{sentence[:-1]}D\nnonsense\n"
    )
    found = read(path, site=Site(47.6, -122.3, 0.0))
    (one,) = found.objects
    assert (one.name, one.class_id) == ("477553000", ClassId.VESSEL)
    begin = datetime(2016, 1, 12, 13, 2, 11, tzinfo=UTC).timestamp()
    assert ((one.time_ns - round(begin * 1e9)) / 1e9).tolist() == [0.0, 10.5, 20.0, 30.0]
    x, y, _ = pymap3d.geodetic2enu(47.58283333, -122.34583333, 0.0, 47.6, -122.3, 0.0)
    np.testing.assert_allclose(one.state[0, :2], [x, y], atol=0.1)
    np.testing.assert_array_equal(one.state[:, 3:5], 0.0)
    assert found.refused == {"sentence without a time": 1, "wrong checksum": 1, "line without a sentence of AIS": 1}


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.csv", "a,b\n1,2\n", "the columns a, b; time"),
        ("a.csv", "time,x,y\n", "no places"),
        ("a.csv", "time,lat,lon\n1,2,3\n", "--site"),
        ("a.geojson", '{"type": "FeatureCollection"', "cannot be read"),
        ("a.nmea", "hello\n", "line without a sentence"),
        ("a.ast", "", "is empty"),
        ("a.ast", "hello world, this is no ASTERIX", "no places"),
    ],
)
def test_what_is_no_truth_is_refused(tmp_path, name, text, says):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ConfigError, match=says):
        read(path, site=None)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="does not exist"):
        read(tmp_path / "none.csv")


def test_the_truth_of_the_simulator_by_way_of_a_file_gives_the_same(tmp_path):
    simulate_bag("fast_approach", tmp_path / "in", duration_s=15.0)
    process_bag(tmp_path / "in", tmp_path / "out")
    truths = read_bag(tmp_path / "out").truth
    lines = ["time,id,lat,lon,alt,class"]
    for truth in truths:
        for place in zip(truth.truth_id, *on_earth(truth.state), truth.class_id, strict=True):
            one, lat, lon, alt, class_id = place
            lines.append(
                f"{truth.stamp_ns / 1e9:.3f},{one},{lat:.9f},{lon:.9f},{alt:.3f},{ClassId(int(class_id)).name}"
            )
    (tmp_path / "truth.csv").write_text("\n".join(lines))
    said = [
        CliRunner().invoke(cli, ["evaluate", str(tmp_path / "out"), "--json", *more], catch_exceptions=False)
        for more in ([], ["--truth", str(tmp_path / "truth.csv"), "--site", "48,11,500"])
    ]
    ours, theirs = (json.loads(one.stdout)["measures"] for one in said)
    for name in ("coverage", "id_changes", "false_tracks", "rms_m", "gospa_m", "class_right"):
        assert theirs[name]["value"] == pytest.approx(ours[name]["value"], rel=1e-3)
    assert theirs["ew_false_signals"]["n"] == ours["ew_false_signals"]["n"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("48,11", "latitude [deg], longitude [deg] and altitude [m] are expected, or nothing"),
        ("95,11,5", "the latitude is 95; -90 to 90 is expected"),
        ("north", "could not convert string to float: 'north'"),
    ],
)
def test_a_wrong_site_is_said_in_one_line(text, why):
    with pytest.raises(ConfigError) as refused:
        site_of(text, Parameters())
    said = "latitude [deg], longitude [deg] and altitude [m] are expected, as 48.1,11.6,520"
    assert str(refused.value) == f"--site {text}: {said}: {why}"


def test_what_holds_no_truth_is_told_as_what_it_was_read_and_what_is_read(tmp_path):
    for name, kind in (("README.md", "ASTERIX"), ("notes.txt", "AIS sentences")):
        path = tmp_path / name
        path.write_text("# Aegis\n\nA ROS 2 node graph.\n")
        with pytest.raises(ConfigError) as refused:
            read(path)
        said = str(refused.value)
        assert said.startswith(f"{path}")
        assert f"read as {kind}" in said
        assert said.endswith(READ)
