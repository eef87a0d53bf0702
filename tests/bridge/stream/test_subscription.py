# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a client may ask for, and which objects it then gets: against the conditions written out one object at a time."""

import numpy as np
import pytest
from bridge_data import some_detections, some_threats, some_tracks
from hypothesis import given
from hypothesis import strategies as st

from aegis.bridge.stream.bodies import places_of_tracks, positions_in_map
from aegis.bridge.stream.channels import CHANNELS, DEFAULT_CHANNELS, allowed_channels
from aegis.bridge.stream.subscription import (
    Area,
    Filter,
    Format,
    Subscription,
    SubscriptionError,
    subscription,
)
from aegis.core.sensor import SensorPose
from aegis.core.types import ClassId, Pose

EVERY = frozenset(CHANNELS)
coordinate = st.floats(-1e4, 1e4)


def test_without_words_it_is_what_a_new_client_gets():
    assert subscription({}, EVERY) == Subscription()
    assert subscription({}, frozenset({"heartbeat"})).channels == {"heartbeat"}
    assert Subscription().channels == {"radar_frame", "threats", "system_status", "heartbeat"}


def test_everything_at_once():
    fields = {
        "channels": ["radar_frame", "ew"],
        "rate_hz": 2.5,
        "area": {"x_min_m": -1, "y_min_m": -2, "x_max_m": 3, "y_max_m": 4},
        "classes": ["DRONE", "BIRD"],
        "format": "msgpack",
    }
    found = subscription(fields, EVERY)
    assert found == Subscription(
        frozenset({"radar_frame", "ew"}),
        2.5,
        Filter(Area(x_min_m=-1, y_min_m=-2, x_max_m=3, y_max_m=4), frozenset({1, 2})),
        Format.MSGPACK,
    )
    assert subscription(found.describe(), EVERY) == found


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"channels": ["rockets"]}, "radar_frame"),
        ({"channels": "radar_frame"}, "channels"),
        ({"channels": ["threats"]}, "do not cover threats"),
        ({"rate_hz": -1}, "rate_hz"),
        ({"rate_hz": float("nan")}, "rate_hz"),
        ({"rate_hz": 1e9}, "rate_hz"),
        ({"rate_hz": "fast"}, "rate_hz"),
        ({"area": {"x_min_m": 0}}, "area.y_min_m"),
        ({"area": {"x_min_m": 1, "y_min_m": 0, "x_max_m": 0, "y_max_m": 1}}, "x_min_m <= x_max_m"),
        ({"area": {"x_min_m": float("inf"), "y_min_m": 0, "x_max_m": 0, "y_max_m": 1}}, "area.x_min_m"),
        ({"classes": []}, "classes"),
        ({"classes": ["SUBMARINE"]}, "known are UNKNOWN, DRONE"),
        ({"format": "xml"}, "format"),
        ({"everything": True}, "everything"),
    ],
)
def test_what_cannot_be_had_is_said(fields, said):
    with pytest.raises(SubscriptionError) as refusal:
        subscription(fields, EVERY - {"threats"})
    assert said in str(refusal.value)


def test_scopes_decide_on_channels():
    assert allowed_channels(frozenset()) == {"system_status", "heartbeat"}
    assert allowed_channels(frozenset({"radar:read"})) == {"system_status", "heartbeat", "radar_frame", "video"}
    assert allowed_channels(frozenset({"threats:read"})) == {
        "system_status",
        "heartbeat",
        "threats",
        "ew",
        "alarms",
        "protected",
    }
    assert DEFAULT_CHANNELS < allowed_channels(frozenset({"radar:read", "threats:read"})) == EVERY


places = st.lists(
    st.tuples(coordinate | st.just(float("nan")), coordinate | st.just(float("nan")), st.integers(0, 12)), max_size=12
)
areas = st.none() | st.tuples(coordinate, coordinate, coordinate, coordinate).map(
    lambda e: Area(x_min_m=min(e[:2]), x_max_m=max(e[:2]), y_min_m=min(e[2:]), y_max_m=max(e[2:]))
)
classes = st.none() | st.frozensets(st.integers(0, 9), min_size=1)


@given(places, areas, classes, st.booleans())
def test_a_filter_lets_through_what_fulfils_every_condition(objects, area, wanted, unplaced):
    positions = np.array([row[:2] for row in objects], dtype=float).reshape(-1, 2)
    kinds = np.array([row[2] for row in objects], dtype=int)

    def fits(x: float, y: float, kind: int) -> bool:
        if wanted is not None and kind not in wanted:
            return False
        if area is None:
            return True
        if np.isnan(x) or np.isnan(y):
            return unplaced
        return area.x_min_m <= x <= area.x_max_m and area.y_min_m <= y <= area.y_max_m

    index = Filter(area, wanted).rows(lambda: positions, kinds, unplaced=unplaced)
    if area is None and wanted is None:
        assert index is None
    else:
        assert index.tolist() == [i for i, row in enumerate(objects) if fits(*row)]


def test_places_of_threats_are_those_of_their_tracks():
    threats = some_threats(1, 0, track_id=42)  # assesses 42 and 43
    tracks = some_tracks(1, 0, n=2)  # 41 and 42
    found = places_of_tracks(threats.track_id, tracks)
    assert found[0].tolist() == tracks.state[1, :3].tolist()
    assert np.isnan(found[1]).all()
    assert np.isnan(places_of_tracks(threats.track_id, None)).all()
    assert np.isnan(places_of_tracks(threats.track_id, some_tracks(1, 0, n=0))).all()


def test_places_of_detections_are_turned_into_the_map():
    detections = some_detections(1, 0, n=2)
    detections.range[:], detections.azimuth[:], detections.elevation[:] = 100.0, [0.0, np.pi / 2], [0.0, np.nan]
    mounted = SensorPose.load({"sensor_x": 10.0, "sensor_z": 5.0, "sensor_yaw_deg": 90.0})  # forward is north
    assert positions_in_map(detections, mounted) == pytest.approx(np.array([[10, 100, 5], [-90, 0, 5]]), abs=1e-9)
    turned = np.array([[-1.0, 0, 0], [0, -1.0, 0], [0, 0, 1.0]])  # backwards, whatever the parameters say
    detections.pose = Pose(np.array([1000.0, 0, 0]), turned, np.zeros(3))
    assert positions_in_map(detections, mounted) == pytest.approx(np.array([[900, 0, 0], [1000, -100, 0]]), abs=1e-9)


def test_classes_are_those_of_the_graph():
    for kind in ClassId:
        found = subscription({"classes": [kind.name]}, EVERY)
        assert found.filter.classes == {int(kind)}
        assert found.describe()["classes"] == [kind.name]
