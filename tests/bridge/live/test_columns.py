# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The JSON of frames, against formulas written out one object at a time with the math module."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from bridge_data import some_detections, some_threats, some_tracks
from hypothesis import given
from hypothesis import strategies as st

from aegis.bridge.live import columns
from aegis.core.types import ClassId

finite = st.floats(-1e5, 1e5)


def tracks_with_state(rows):
    tracks = some_tracks(1, 0, n=len(rows))
    tracks.state = np.array(rows, dtype=float).reshape(-1, 6)
    return tracks


def compass(east: float, north: float) -> float:
    return math.degrees(math.atan2(east, north)) % 360


def angle_apart(a: float, b: float) -> float:
    return abs((a - b + 180) % 360 - 180)


@given(st.lists(st.tuples(*[finite] * 6), min_size=1, max_size=4))
def test_tracks_in_named_units(rows):
    tracks = tracks_with_state(rows)
    for out in (json.loads(columns.track_rows(tracks).all_json), json.loads(columns.track_brief(tracks).all_json)):
        for row, (x, y, z, vx, vy, vz) in zip(out, rows, strict=True):
            assert row["position_m"] == pytest.approx({"x": x, "y": y, "z": z}, abs=0.0051)
            assert row["velocity_vector_mps"] == pytest.approx({"x": vx, "y": vy, "z": vz}, abs=0.00051)
            assert row["range_m"] == pytest.approx(math.dist((x, y, z), (0, 0, 0)), abs=0.0051, rel=1e-9)
            assert row["velocity_mps"] == pytest.approx(math.hypot(vx, vy, vz), abs=0.00051, rel=1e-9)
            for name, east, north in (("bearing_deg", x, y), ("heading_deg", vx, vy)):
                if math.hypot(east, north) == 0:
                    assert row[name] is None
                else:
                    assert 0 <= row[name] < 360
                    assert angle_apart(row[name], compass(east, north)) < 0.000051
            assert row["elevation_deg"] == pytest.approx(math.degrees(math.atan2(z, math.hypot(x, y))), abs=0.000051)


@pytest.mark.parametrize(
    ("x", "y", "bearing"), [(0, 1, 0), (1, 1, 45), (1, 0, 90), (0, -1, 180), (-1, 0, 270), (-1e-9, 1, 0)]
)
def test_bearings_run_clockwise_from_north(x, y, bearing):
    (row,) = json.loads(columns.track_brief(tracks_with_state([(x, y, 0, 0, 0, 0)])).all_json)
    assert row["bearing_deg"] == bearing


@given(st.floats(-math.pi, math.pi), st.floats(-1.5, 1.5), finite, finite)
def test_detections_in_named_units(azimuth, elevation, range_rate, snr):
    detections = some_detections(1, 0, n=1)
    detections.azimuth[:], detections.elevation[:] = azimuth, elevation
    detections.range_rate[:], detections.snr_db[:] = range_rate, snr
    (row,) = json.loads(columns.detection_rows(detections).all_json)
    assert row["azimuth_deg"] == pytest.approx(math.degrees(azimuth), abs=0.000051)
    assert row["elevation_deg"] == pytest.approx(math.degrees(elevation), abs=0.000051)
    assert row["range_rate_mps"] == pytest.approx(range_rate, abs=0.00051)
    assert row["snr_db"] == pytest.approx(snr, abs=0.0051)
    assert row["class"] == "DRONE"
    assert row["class_probability"]["DRONE"] == pytest.approx(0.82)
    assert sum(row["class_probability"].values()) == pytest.approx(1, abs=0.001)
    assert set(row["class_probability"]) == {kind.name for kind in ClassId}


def test_unknown_is_null():
    detections = some_detections(1, 0)
    detections.range_rate[:] = np.nan
    tracks = tracks_with_state([[100.0, 50.0, np.nan, 1.0, 2.0, np.nan]])
    assert [row["elevation_deg"] is None for row in json.loads(columns.detection_rows(detections).all_json)] == [
        False,
        True,
        False,
    ]
    assert all(row["range_rate_mps"] is None for row in json.loads(columns.detection_rows(detections).all_json))
    (track,) = json.loads(columns.track_rows(tracks).all_json)
    assert track["position_m"] == {"x": 100.0, "y": 50.0, "z": None}
    assert (track["range_m"], track["elevation_deg"], track["velocity_mps"], track["rcs_dbsm"]) == (None,) * 4
    assert track["bearing_deg"] == pytest.approx(compass(100, 50), abs=1e-4)
    _, leaving = json.loads(columns.threat_rows(some_threats(1, 0)).all_json)
    assert (leaving["time_to_impact_s"], leaving["cpa_distance_sigma_m"]) == (None, None)


def test_track_rows_hold_what_the_stage_said():
    (row, _) = json.loads(columns.track_rows(some_tracks(1, 0)).all_json)
    assert row["position_sigma_m"] == {"x": 2.0, "y": 3.0, "z": 4.0}
    assert row["range_rate_mps"] == pytest.approx(20.0)  # straight outwards
    assert (row["track_id"], row["status"], row["class"]) == (41, "CONFIRMED", "AIRCRAFT")
    assert (row["confidence"], row["existence_probability"], row["age_s"], row["hits"]) == (0.82, 0.97, 12.5, 25)
    assert row["sources"] == []
    held = replace(some_tracks(7, 0), sources=["front,left", "left"])
    assert [one["sources"] for one in columns.track_rows(held).items] == [["front", "left"], ["left"]]


def test_a_class_status_or_level_that_nobody_defined_is_unknown():
    tracks, threats = some_tracks(1, 0), some_threats(1, 0)
    tracks.class_id[:], tracks.status[:], threats.level[:] = 200, 99, 77
    row = json.loads(columns.track_rows(tracks).all_json)[0]
    assert (row["class"], row["status"], row["confidence"]) == ("UNKNOWN", "UNKNOWN", None)
    assert json.loads(columns.threat_rows(threats).all_json)[0]["level"] == "UNKNOWN"


def test_an_unknown_class_has_no_confidence_but_what_it_could_be():
    tracks = some_tracks(1, 0)
    tracks.class_id[:] = int(ClassId.UNKNOWN)
    tracks.class_probability[:] = 0.0
    tracks.class_probability[:, [ClassId.BIRD, ClassId.DRONE, ClassId.UNKNOWN]] = 0.35, 0.6, 0.05
    row = json.loads(columns.track_rows(tracks).all_json)[0]
    assert (row["class"], row["confidence"], row["could_be"]) == ("UNKNOWN", None, "DRONE or BIRD")
    named = json.loads(columns.track_rows(some_tracks(1, 0)).all_json)[0]
    assert (named["class"], named["could_be"]) == ("AIRCRAFT", "")


def test_what_is_below_the_list_of_threats_is_named_by_level():
    threats = some_threats(1, 0)
    threats.listed_from = 2
    threats.unlisted_track_id, threats.unlisted_level = np.array([50, 51, 52]), np.array([1, 1, 99])
    assert columns.unlisted(threats) == {"listed_from": "MEDIUM", "unlisted": {"LOW": [50, 51], "UNKNOWN": [52]}}


def test_nothing_there_is_an_empty_list():
    detections, tracks = some_detections(1, 0, n=0), some_tracks(1, 0, n=0)
    for rows in (columns.detection_rows(detections), columns.track_rows(tracks), columns.track_brief(tracks)):
        assert json.loads(rows.all_json) == []


def test_a_plot_that_states_classes_has_the_confidence_of_all_that_it_says():
    """What its sensor does not know of is null beside it; of who gives no confidence, what is stated is told."""
    plots = some_detections(1, 0, n=2)
    plots.class_id[:] = int(ClassId.DRONE)
    plots.class_probability[:] = np.nan
    plots.class_probability[:, ClassId.DRONE] = 0.6
    plots.confidence[:] = 0.8, 0.0
    rows = json.loads(columns.detection_rows(plots).all_json)
    assert [row["confidence"] for row in rows] == [0.8, 0.6]
    assert rows[0]["class_probability"]["DRONE"] == 0.6
    assert rows[0]["class_probability"]["BIRD"] is None
