# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""aircraft.json and receiver.json, as readsb's README-json.md describes them."""

import time

import numpy as np
import pytest
from bridge_data import some_tracks
from pyproj import Geod

from aegis.bridge.models.outputs import AircraftList, Receiver
from aegis.core.types import ClassId, TrackStatus

GEOD = Geod(ellps="WGS84")


def get(app, name):
    answer = app.client.get(f"/data/{name}.json", headers=app.headers("radar:read"))
    assert answer.status_code == 200, answer.text
    return answer


def test_an_aircraft_in_feet_and_knots(placed_app, hear, site):
    tracks = some_tracks(3, time.time_ns(), 2)
    tracks.state[0] = [0.0, 1000.0, 3048.0, 0.0, 51.4444444, -5.08]
    tracks.class_id[0] = ClassId.HELICOPTER
    tracks.time_since_update[0] = 2.0
    begin = time.monotonic()
    hear(tracks=tracks, age_s=1.0)
    answer = get(placed_app, "aircraft")
    elapsed_s = time.monotonic() - begin
    AircraftList.model_validate_json(answer.text, strict=True)
    body = answer.json()
    assert body["now"] == pytest.approx(time.time(), abs=1.0)
    assert body["messages"] == 2
    one, two = body["aircraft"]
    bearing, _, distance = GEOD.inv(site[1], site[0], one["lon"], one["lat"])
    assert (bearing, distance) == (pytest.approx(0.0, abs=0.01), pytest.approx(1000.0, rel=1e-3))
    assert one["alt_geom"] == round((site[2] + 3048.0 + 1000.0**2 / 2 / 6.371e6) / 0.3048)
    # 100 knots north, 1000 feet a minute down. 1 km away its own level has turned by 0.16 mrad: 8 mm/s, 2 feet a minute.
    assert (one["gs"], one["track"]) == (100.0, 0.0)
    assert one["geom_rate"] == pytest.approx(-1000, abs=2)
    assert one["seen"] == one["seen_pos"]
    assert 2.95 <= one["seen"] <= 3.05 + elapsed_s
    assert (one["hex"], one["type"], one["category"], one["messages"]) == ("~000029", "tisb_trackfile", "A7", 25)
    assert (two["hex"], two["track"]) == ("~00002a", pytest.approx(210.0, abs=0.01))
    assert "category" not in two  # an aircraft, but of which kind?
    assert not {"flight", "rssi", "alt_baro", "baro_rate"} & (set(one) | set(two))


def test_a_height_that_is_not_known_is_not_told(placed_app, hear):
    """As of a radar without elevation, whose tracks have 500 m of standard deviation in height."""
    tracks = some_tracks(2, time.time_ns(), 2)
    tracks.covariance[0, 2, 2] = 500.0**2
    tracks.covariance[1, 2, 2] = 400.0**2
    hear(tracks=tracks)
    answer = get(placed_app, "aircraft")
    AircraftList.model_validate_json(answer.text, strict=True)
    flat, high = answer.json()["aircraft"]
    assert not {"alt_geom", "geom_rate"} & set(flat)
    assert {"alt_geom", "geom_rate"} <= set(high)


def test_only_established_tracks_and_only_what_is_known(placed_app, hear):
    tracks = some_tracks(1, time.time_ns(), 5)
    tracks.status[:] = [TrackStatus.TENTATIVE, TrackStatus.CONFIRMED, TrackStatus.COASTING, 0, TrackStatus.CONFIRMED]
    tracks.state[1, 3:] = 0.0  # at rest: no course
    tracks.state[4, 2] = np.nan
    tracks.track_id[2] = 2**32 - 1
    hear(tracks=tracks)
    answer = get(placed_app, "aircraft")
    AircraftList.model_validate_json(answer.text, strict=True)
    rows = answer.json()["aircraft"]
    assert [row["hex"] for row in rows] == ["~00002a", "~ffffff"]
    assert ["track" in row for row in rows] == [False, True]
    assert rows[0]["gs"] == 0.0
    assert "null" not in answer.text


def test_messages_count_on(placed_app, hear):
    for sequence in range(3):
        hear(sequence=sequence, n=4)
    assert get(placed_app, "aircraft").json()["messages"] == 12


def test_the_receiver_is_the_site(placed_app, site):
    answer = get(placed_app, "receiver")
    Receiver.model_validate_json(answer.text, strict=True)
    body = answer.json()
    assert (body["lat"], body["lon"], body["history"], body["refresh"]) == (site[0], site[1], 0, 1000)
    assert body["version"].startswith("aegis ")
