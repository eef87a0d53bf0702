# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""GeoJSON of tracks, against RFC 7946 and PROJ."""

import time

import numpy as np
import pytest
from bridge_data import some_threats, some_tracks
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from aegis.bridge.models.outputs import TrackCollection
from aegis.bridge.outputs.geojson import BoundingBox
from aegis.core.types import ClassId, TrackStatus

PATH = "/api/radar/tracks.geojson"
GEOD = Geod(ellps="WGS84")


def test_without_a_site_it_says_which_parameter_to_set(app):
    for path in (PATH, "/data/aircraft.json", "/data/receiver.json"):
        answer = app.client.get(path, headers=app.headers("radar:read"))
        assert answer.status_code == 409
        assert "'outputs.site'" in answer.json()["detail"]


def test_before_the_first_tracks_it_waits_for_them(placed_app):
    answer = placed_app.client.get(PATH, headers=placed_app.headers("radar:read"))
    assert (answer.status_code, answer.json()["waiting_for"]) == (503, "tracks")


def test_scopes(placed_app, hear):
    hear()
    for path in (PATH, "/data/aircraft.json", "/data/receiver.json"):
        assert placed_app.client.get(path).status_code == 401
        assert placed_app.client.get(path, headers=placed_app.headers("threats:read", "admin")).status_code == 403
        assert placed_app.client.get(path, headers=placed_app.headers("radar:read")).status_code == 200


def test_a_feature_is_where_the_track_is(placed_app, hear, site):
    hear(n=5)
    begin_s = time.time()
    answer = placed_app.client.get(PATH, headers=placed_app.headers("radar:read", "threats:read"))
    end_s = time.time()
    assert answer.headers["content-type"] == "application/geo+json"
    TrackCollection.model_validate_json(answer.text, strict=True)
    body = answer.json()
    assert (body["type"], body["sequence"], body["sensor_id"]) == ("FeatureCollection", 7, "test-radar")
    assert begin_s - 0.1 <= body["stamp_s"] + body["age_s"] <= end_s + 0.001
    rows = placed_app.client.get("/api/radar/tracks", headers=placed_app.headers("radar:read")).json()["tracks"]
    for i, (feature, row) in enumerate(zip(body["features"], rows, strict=True)):
        assert feature["id"] == row["track_id"]
        assert {name: feature["properties"][name] for name in row} == row
        # bridge_data: 600 m away on bearing 72 i + 30 degrees, outwards at 20 m/s.
        longitude, latitude, altitude = feature["geometry"]["coordinates"]
        bearing, _, distance = GEOD.inv(site[1], site[0], longitude, latitude)
        assert bearing % 360.0 == pytest.approx((72.0 * i + 30.0) % 360.0, abs=0.01)
        assert distance == pytest.approx(600.0, abs=0.1)
        assert altitude == pytest.approx(site[2] + 600.0**2 / 2 / 6.371e6, abs=0.01)
        assert feature["properties"]["course_deg"] == pytest.approx((72.0 * i + 30.0) % 360.0, abs=0.02)
        assert feature["properties"]["ground_speed_mps"] == pytest.approx(20.0, abs=0.01)
    assert [f["properties"]["threat_level"] for f in body["features"]] == ["CRITICAL", "MEDIUM", None, None, None]


def test_threat_levels_need_their_own_scope(placed_app, hear):
    hear()
    with_both = placed_app.client.get(PATH, headers=placed_app.headers("radar:read", "threats:read"))
    without = placed_app.client.get(PATH, headers=placed_app.headers("radar:read"))
    assert with_both.json()["features"][0]["properties"]["threat_level"] == "CRITICAL"
    assert without.json()["features"][0]["properties"]["threat_level"] is None
    assert with_both.headers["etag"] != without.headers["etag"]


def test_a_level_that_is_too_old_is_not_told(placed_app, hear):
    now = time.time_ns()
    for lag_s, level in ((2.9, "CRITICAL"), (3.1, None)):
        hear(tracks=some_tracks(9, now), threats=some_threats(8, now - round(lag_s * 1e9)))
        body = placed_app.client.get(PATH, headers=placed_app.headers("radar:read", "threats:read")).json()
        assert body["features"][0]["properties"]["threat_level"] == level


def test_a_track_without_a_sensible_state_has_no_geometry(placed_app, hear):
    tracks = some_tracks(1, time.time_ns(), 3)
    tracks.state[1, 0] = np.nan
    hear(tracks=tracks)
    answer = placed_app.client.get(PATH, headers=placed_app.headers("radar:read"))
    TrackCollection.model_validate_json(answer.text, strict=True)
    assert [f["geometry"] is None for f in answer.json()["features"]] == [False, True, False]


def test_the_etag_names_the_tracks_and_the_assessment(placed_app, hear):
    headers = placed_app.headers("radar:read", "threats:read")
    hear()
    first = placed_app.client.get(PATH, headers=headers)
    same = placed_app.client.get(PATH, headers={**headers, "If-None-Match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    placed_app.bridge.feed.take_threats(placed_app.bridge.state.threats)
    assert placed_app.client.get(PATH, headers={**headers, "If-None-Match": first.headers["etag"]}).status_code == 304
    hear()
    assert placed_app.client.get(PATH, headers={**headers, "If-None-Match": first.headers["etag"]}).status_code == 200


def test_filters(placed_app, hear, site):
    tracks = some_tracks(1, time.time_ns(), 4)  # at 30, 120, 210 and 300 degrees
    tracks.class_id[:] = [ClassId.DRONE, ClassId.BIRD, ClassId.VESSEL, ClassId.DRONE]
    tracks.status[:] = [TrackStatus.TENTATIVE, TrackStatus.CONFIRMED, TrackStatus.COASTING, TrackStatus.CONFIRMED]
    hear(tracks=tracks)

    def ids(**query):
        answer = placed_app.client.get(PATH, headers=placed_app.headers("radar:read"), params=query)
        assert answer.status_code == 200, answer.text
        return [f["id"] for f in answer.json()["features"]]

    latitude, longitude, _ = site
    assert ids() == [41, 42, 43, 44]
    assert ids(**{"class": "DRONE"}) == [41, 44]
    assert ids(**{"class": ["DRONE", "VESSEL"], "status": ["CONFIRMED", "COASTING"]}) == [43, 44]
    assert ids(bbox=f"{longitude},{latitude},{longitude + 1},{latitude + 1}") == [41]
    assert ids(bbox=f"{longitude - 1},{latitude - 1},{longitude + 1},{latitude}", status="CONFIRMED") == [42]
    # All round the Earth but for what lies west of the site.
    assert ids(bbox=f"{longitude},-90,{longitude - 1},90") == [41, 42]


def test_a_wrong_filter_is_400_and_says_what_is_expected(placed_app, hear):
    hear()
    for query, said in (
        ({"bbox": "1,2,3"}, "west,south,east,north"),
        ({"bbox": "1,2,3,4,5"}, "west,south,east,north"),
        ({"bbox": "a,2,3,4"}, "west,south,east,north"),
        ({"bbox": ""}, "west,south,east,north"),
        ({"bbox": "181,2,3,4"}, "-180 to 180"),
        ({"bbox": "nan,2,3,4"}, "-180 to 180"),
        ({"bbox": "1,nan,3,4"}, "-90 to 90"),
        ({"bbox": "1,5,3,4"}, "south is not above north"),
        ({"class": "TANK"}, "DRONE"),
        ({"status": "confirmed"}, "CONFIRMED"),
    ):
        answer = placed_app.client.get(PATH, headers=placed_app.headers("radar:read"), params=query)
        assert answer.status_code == 400, query
        assert said in answer.json()["detail"], query


longitudes = st.one_of(st.sampled_from([-180.0, 180.0, 0.0]), st.floats(-180, 180))
latitudes = st.floats(-90, 90)


@given(longitudes, longitudes, st.tuples(latitudes, latitudes), st.lists(st.tuples(longitudes, latitudes), max_size=20))
def test_a_box_goes_east_from_west_to_east(west, east, parallels, places):
    """Walking east from the western edge, one meets what is inside before the eastern edge."""
    south, north = sorted(parallels)
    box = BoundingBox.parse(f"{west!r},{south!r},{east!r},{north!r}")
    width = east - west + (360.0 if east < west else 0.0)
    longitude, latitude = np.array(places).reshape(-1, 2).T
    found = box.contains(latitude, longitude)
    for (lon, lat), inside in zip(places, found.tolist(), strict=True):
        walked = lon - west + (360.0 if lon < west else 0.0)
        if abs(walked - width) > 1e-9 and abs(walked - 360.0) > 1e-9:  # rounding at the very edges
            assert inside == (walked <= width and south <= lat <= north)


def test_the_openapi_page_names_the_media_type_and_the_filters(placed_app):
    page = placed_app.client.get("/openapi.json", headers=placed_app.headers("radar:read")).json()
    get = page["paths"][PATH]["get"]
    assert get["responses"]["200"]["content"] == {
        "application/geo+json": {"schema": {"$ref": "#/components/schemas/TrackCollection"}}
    }
    assert page["components"]["schemas"]["TrackCollection"]["properties"]["type"]["const"] == "FeatureCollection"
    assert all(list(get["responses"][code]["content"]) == ["application/json"] for code in ("400", "401", "403", "503"))
    assert {p["name"] for p in get["parameters"]} == {"bbox", "class", "status"}
    assert {"304", "400", "401", "403", "503"} <= set(get["responses"])
