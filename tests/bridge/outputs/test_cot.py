# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Cursor on Target events: what they say of a track, as XML and as protobuf."""

import time
from datetime import datetime
from xml.etree.ElementTree import fromstring

import numpy as np
import pytest
import takproto
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_data import make_threats, make_tracks
from placed_data import SITE, make_feed, proj_places
from pyproj import Geod
from takproto.functions import xml2message

from aegis.bridge.outputs import cot, cot_protobuf, cot_xml
from aegis.bridge.outputs.cot import CotStyle
from aegis.core.types import ClassId, ThreatLevel, TrackStatus

STAMP_NS = 1_767_268_799_987_654_321  # 2026-01-01T11:59:59.987Z
STYLE = CotStyle("aegis.radar_1.run", stale_ms=7500)
GEOD = Geod(ellps="WGS84")


def events(tracks, threats=None, style=STYLE):
    return list(cot.events(make_feed(tracks, threats).picture, style).values())


def as_xml(event):
    return fromstring(cot_xml.encode(event))


def test_an_event_says_where_the_track_is_and_how_well_that_is_known():
    tracks = make_tracks([4711], stamp_ns=STAMP_NS, state=[[30_000.0, -40_000.0, 1000.0, 30.0, 40.0, 0.0]])
    tracks.class_probability[0] = np.eye(len(ClassId))[ClassId.DRONE] * 0.8 + 0.02
    tracks.covariance[0, :3, :3] = [[500.0, 300.0, 0.0], [300.0, 700.0, 0.0], [0.0, 0.0, 144.0]]
    (event,) = events(tracks)
    xml = as_xml(event)
    assert xml.tag == "event"
    assert [child.tag for child in xml] == ["point", "detail"]
    assert (xml.get("version"), xml.get("uid"), xml.get("how")) == ("2.0", "aegis.radar_1.run.4711", "m-a")
    assert xml.get("opex") is None
    assert xml.get("time") == xml.get("start") == "2026-01-01T11:59:59.987Z"
    assert xml.get("stale") == "2026-01-01T12:00:07.487Z"
    point = {name: float(value) for name, value in xml.find("point").attrib.items()}
    (latitude,), (longitude,), (height,) = proj_places(SITE, tracks.state[:, :3])
    assert point["lat"] == pytest.approx(latitude, abs=1e-7)
    assert point["lon"] == pytest.approx(longitude, abs=1e-7)
    assert point["hae"] == pytest.approx(height, abs=0.01)
    # One sigma in the worst direction; 50 km away the axes have turned by half a degree.
    largest = np.linalg.eigvalsh([[500.0, 300.0], [300.0, 700.0]])[-1]
    assert point["ce"] == pytest.approx(np.sqrt(largest), rel=1e-3)
    assert point["le"] == pytest.approx(12.0, rel=0.01)
    assert xml.find("detail/contact").get("callsign") == "DRONE 4711"
    track = xml.find("detail/track")
    ahead = proj_places(SITE, tracks.state[:, :3] + tracks.state[:, 3:])
    course, _, distance = GEOD.inv(longitude, latitude, ahead[1][0], ahead[0][0])
    assert float(track.get("course")) == pytest.approx(course, abs=0.05)
    assert float(track.get("speed")) == pytest.approx(distance, abs=0.05)
    assert xml.find("detail/remarks").text == "DRONE 82%, confirmed"


@pytest.mark.parametrize(
    ("class_id", "kind"),
    [
        (ClassId.UNKNOWN, "a-u-Z"),
        (ClassId.DRONE, "a-u-A-M-F-Q"),
        (ClassId.BIRD, "a-u-A"),
        (ClassId.AIRCRAFT, "a-u-A"),
        (ClassId.HELICOPTER, "a-u-A-M-H"),
        (ClassId.MISSILE, "a-u-A-W-M"),
        (ClassId.VEHICLE, "a-u-G-E-V"),
        (ClassId.PERSON, "a-u-G"),
        (ClassId.VESSEL, "a-u-S"),
        (ClassId.CLUTTER, "a-u-Z"),
        (99, "a-u-Z"),
    ],
)
def test_types(class_id, kind):
    tracks = make_tracks([1])
    tracks.class_id[0] = class_id
    assert events(tracks)[0].type == kind
    assert set(cot.TYPES) == set(ClassId)


@pytest.mark.parametrize(
    ("hostile_from", "hostile"),
    [(None, []), (ThreatLevel.HIGH, [3, 4]), (ThreatLevel.CRITICAL, [4]), (ThreatLevel.LOW, [1, 2, 3, 4])],
)
def test_only_a_parameter_makes_a_track_hostile(hostile_from, hostile):
    tracks, threats = make_tracks([1, 2, 3, 4, 5]), make_threats([1, 2, 3, 4], [1, 2, 3, 4])
    found = events(tracks, threats, CotStyle("a", 1000, hostile_from=hostile_from))
    assert [int(e.uid.split(".")[1]) for e in found if e.type.startswith("a-h-")] == hostile
    assert all(e.type.startswith("a-u-") for e in found if int(e.uid.split(".")[1]) not in hostile)
    assert "threat HIGH: because" in found[2].remarks
    assert "threat" not in found[4].remarks


def test_a_track_below_the_list_of_threats_has_a_level_and_no_reason():
    tracks, threats = make_tracks([1, 2]), make_threats([1], [3], unlisted=[(2, ThreatLevel.LOW)])
    listed, below = events(tracks, threats, CotStyle("a", 1000, hostile_from=ThreatLevel.LOW))
    assert "threat HIGH: because" in listed.remarks
    assert "threat" not in below.remarks
    assert listed.type.startswith("a-h-")
    assert below.type.startswith("a-h-")


def test_a_simulation_says_so():
    (event,) = events(make_tracks([1]), style=CotStyle("a", 1000, simulated=True))
    assert (as_xml(event).get("how"), as_xml(event).get("opex")) == ("m-s", "s")


def test_what_is_unknown_is_not_invented():
    tracks = make_tracks([1, 2, 3, 4], state=np.zeros((4, 6)))
    tracks.status[:] = [TrackStatus.CONFIRMED, TrackStatus.TENTATIVE, TrackStatus.COASTING, TrackStatus.CONFIRMED]
    tracks.covariance[0] = np.nan
    tracks.class_probability[0] = np.nan
    tracks.state[3, 1] = np.inf
    one, two = events(tracks)  # the tentative one and the one without a place are not shown
    point = as_xml(one).find("point")
    assert (point.get("ce"), point.get("le")) == ("9999999.00", "9999999.00")
    assert as_xml(one).find("detail/track") is None  # at rest
    assert one.remarks == "DRONE, confirmed"
    assert two.remarks == "DRONE 10%, coasting"
    assert events(make_tracks([])) == []


def test_the_last_event_is_stale_at_once():
    (event,) = events(make_tracks([1], stamp_ns=STAMP_NS))
    last = as_xml(cot.ended(event, event.time_ms + 500))
    assert last.get("time") == last.get("start") == last.get("stale") == "2026-01-01T12:00:00.487Z"
    assert last.get("uid") == event.uid


@settings(max_examples=300)
@given(st.text(st.characters()), st.integers(0, 2**32 - 1))
def test_no_text_breaks_the_xml(reason, track_id):
    """Every character comes back, but for those that XML has no way to write."""
    threats = make_threats([track_id], [ThreatLevel.HIGH])
    threats.reason = [reason]
    (event,) = events(make_tracks([track_id]), threats)
    document = cot_xml.encode(event)
    assert document.startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n<event ")
    assert document.endswith(b"</event>")
    assert document.count(b"</event>") == 1  # what a stream is cut at
    written = as_xml(event).find("detail/remarks").text
    assert cot_protobuf.encode_mesh(event)
    told = written.removeprefix("DRONE 10%, confirmed; threat HIGH: ")
    assert told == "".join(c if is_xml(c) else "\ufffd" for c in reason).replace("\r\n", "\n").replace("\r", "\n")


def is_xml(c):
    """Tell whether XML 1.0 has the character (production 2)."""
    n = ord(c)
    return n in (0x9, 0xA, 0xD) or 0x20 <= n <= 0xD7FF or 0xE000 <= n <= 0xFFFD or n >= 0x10000


def test_times_are_iso_8601_at_every_millisecond():
    for time_ms in (0, 1, 999, 1_767_268_799_987, time.time_ns() // 1_000_000):
        text = cot_xml.iso_time(time_ms)
        assert text.endswith("Z")
        assert datetime.fromisoformat(text).timestamp() == pytest.approx(time_ms / 1000, abs=1e-6)


@pytest.mark.parametrize(
    ("encode", "parse"),
    [
        (cot_protobuf.encode_mesh, takproto.parse_mesh),
        (cot_protobuf.encode_stream, takproto.parse_stream),
    ],
)
@pytest.mark.parametrize("simulated", [False, True])
def test_protobuf_says_what_the_xml_says(encode, parse, simulated):
    """takproto's own translation of our XML against our protobuf."""
    tracks = make_tracks([1, 2], stamp_ns=STAMP_NS)
    tracks.state[1, 3:] = 0.0
    for event in events(tracks, make_threats([1], [3]), CotStyle("a", 1000, simulated=simulated)):
        ours = parse(bytearray(encode(event)))
        theirs = xml2message(cot_xml.encode(event))
        for message in (ours, theirs):  # written with as many digits as they mean
            for name in ("lat", "lon"):
                setattr(message.cotEvent, name, round(getattr(message.cotEvent, name), 7))
            for name in ("hae", "ce", "le"):
                setattr(message.cotEvent, name, round(getattr(message.cotEvent, name), 2))
            if message.cotEvent.detail.HasField("track"):
                track = message.cotEvent.detail.track
                track.course, track.speed = round(track.course, 2), round(track.speed, 2)
        assert ours == theirs
        assert ours.cotEvent.staleTime == event.stale_ms
        assert encode(event)[0] == 0xBF
