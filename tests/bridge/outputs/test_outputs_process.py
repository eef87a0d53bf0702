# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The outputs of a real bridge process on a real graph."""

import json
import time
from xml.etree.ElementTree import fromstring

import asterix.generated as specifications
from asterix.base import Bits, ParsingMode
from pyproj import Geod

GEOD = Geod(ellps="WGS84")
SECOND = 1_000_000_000


def test_what_was_published_arrives_in_every_format(start_bridge, publisher, wait_for, udp, other_udp, site):
    """Two tracks 600 m away, at 30 and 210 degrees, flying outwards."""
    (cot, cot_address), (cat062, cat062_address) = udp, other_udp
    bridge = start_bridge(site=site, cot_url=f"udp://{cot_address}", cat062_address=cat062_address, cat062_sic=5)
    assert bridge.get("/api/radar/tracks.geojson").json()["waiting_for"] == "tracks"
    wait_for(publisher.matched, "the bridge listens")
    stamp_ns = publisher.send_scan(3, stamp_ns=time.time_ns() - SECOND)

    def is_there(longitude, latitude):
        bearing, _, distance = GEOD.inv(site[1], site[0], longitude, latitude)
        return min(abs(bearing % 360.0 - expected) for expected in (30.0, 210.0)) < 0.1 and abs(distance - 600.0) < 1.0

    events = [fromstring(cot.recv(65535)) for _ in range(2)]
    assert [e.get("uid") for e in events] == ["aegis.test-run.41", "aegis.test-run.42"]
    assert all(is_there(float(e.find("point").get("lon")), float(e.find("point").get("lat"))) for e in events)

    datagram = cat062.recv(2000)
    assert (datagram[0], int.from_bytes(datagram[1:3], "big")) == (62, len(datagram))
    bits = Bits.from_bytes(datagram[3:])
    for number in (1, 2):
        record, bits = specifications.Cat_062_1_20.cv_record.parse(ParsingMode.StrictParsing, bits)
        assert (record.get_item("010").as_uint(), record.get_item("040").as_uint()) == (5, number)
        place = record.get_item("105").variation
        longitude, latitude = (place.get_item(name).variation.content.as_quantity("°") for name in ("LON", "LAT"))
        assert is_there(longitude, latitude)
        time_of_day = record.get_item("070").variation.content.as_quantity("s")
        assert 0 <= stamp_ns / 1e9 % 86400 - time_of_day < 0.01
    assert len(bits) == 0

    found = bridge.get("/api/radar/tracks.geojson")
    assert found.json()["stamp_s"] == stamp_ns / 1e9
    assert all(is_there(*f["geometry"]["coordinates"][:2]) for f in found.json()["features"])
    assert found.json()["features"][0]["properties"]["threat_level"] == "CRITICAL"
    same = bridge.get("/api/radar/tracks.geojson", **{"If-None-Match": found.headers["etag"]})
    assert same.status_code == 304
    aircraft = bridge.get("/data/aircraft.json").json()["aircraft"]
    assert all(is_there(one["lon"], one["lat"]) and one["seen"] >= 1.0 for one in aircraft)

    def told():
        rows = [dict(zip(m.stage, m.detail, strict=True)) for m in publisher.heard["status"] if "bridge" in m.stage]
        detail = json.loads(rows[-1]["bridge"])
        return (detail["cot_sent"], detail["cat062_sent"], detail["cot_connected"]) == (2, 1, 1)

    wait_for(told, "the status tells what was sent")
