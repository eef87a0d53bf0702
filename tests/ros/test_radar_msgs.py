# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""radar_msgs to points, on objects with the fields of its definitions; detection reads what comes out."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from hypothesis import given
from hypothesis import strategies as st
from std_msgs.msg import Header

from aegis.core.detection.points import read_points
from aegis.core.detection.settings import DetectionSettings
from aegis.core.params import ConfigError
from aegis.ros.messages.clouds import cloud_fields
from aegis.ros.messages.radar_msgs import RadarMsgsSettings, track_columns
from aegis.ros.stages.base import StageContext
from aegis.ros.stages.radar_msgs import RadarMsgsStage

HEADER = Header(stamp=Time(sec=12, nanosec=345), frame_id="front_radar")
NOTHING = (0.0,) * 6


def radar_scan(*returns: tuple[float, float, float, float, float]):
    names = ("range", "azimuth", "elevation", "doppler_velocity", "amplitude")
    return SimpleNamespace(
        header=HEADER, returns=[SimpleNamespace(**dict(zip(names, r, strict=True))) for r in returns]
    )


def xyz(values):
    return SimpleNamespace(x=float(values[0]), y=float(values[1]), z=float(values[2]))


def radar_tracks(*tracks, classification=0):
    """Return the message of (position, velocity, position covariance, velocity covariance)."""
    return SimpleNamespace(
        header=HEADER,
        tracks=[
            SimpleNamespace(
                position=xyz(p),
                velocity=xyz(v),
                position_covariance=np.float32(pc),
                velocity_covariance=np.float32(vc),
                classification=classification,
            )
            for p, v, pc, vc in tracks
        ],
    )


def points(message, topic: str, **settings) -> dict[str, np.ndarray]:
    """Return the columns of the cloud that the stage makes of a message."""
    stage = RadarMsgsStage(RadarMsgsSettings(**settings), StageContext())
    ((out_topic, cloud),) = stage.on_message(topic, message)
    assert out_topic == "radar/points"
    assert cloud.header == HEADER
    return cloud_fields(cloud, {field.name for field in cloud.fields})


def test_a_scan_is_a_cloud_in_our_units():
    message = radar_scan((10.0, 0.5, 0.1, -3.0, 20.0), (200.0, -1.5, -0.2, 8.0, 11.0))
    found = points(message, "radar/scan")
    assert {name: pytest.approx(values.tolist(), rel=1e-6) for name, values in found.items()} == {
        "range": [10.0, 200.0], "azimuth": [0.5, -1.5], "elevation": [0.1, -0.2],
        "range_rate": [-3.0, 8.0], "power": [20.0, 11.0],
    }  # fmt: skip


def test_what_a_radar_does_not_measure_is_left_out():
    message = radar_scan((10.0, 0.5, 0.0, 0.0, 20.0))
    found = points(message, "radar/scan", has_elevation=False, has_doppler=False)
    assert set(found) == {"range", "azimuth", "power"}
    assert points(message, "radar/scan", doppler_sign=-1).keys() == {
        "range",
        "azimuth",
        "elevation",
        "range_rate",
        "power",
    }


def test_the_sign_of_doppler_can_be_turned():
    message = radar_scan((10.0, 0.5, 0.0, 3.0, 20.0))
    assert points(message, "radar/scan", doppler_sign=-1)["range_rate"].tolist() == [-3.0]


@pytest.mark.parametrize(("topic", "message"), [("radar/scan", radar_scan()), ("radar/tracks", radar_tracks())])
def test_an_empty_message_is_an_empty_cloud(topic, message):
    found = points(message, topic, source=topic.split("/")[1])
    assert "range" in found
    assert all(len(values) == 0 for values in found.values())


@pytest.mark.parametrize(("label", "stated"), [(32_002, "vehicle"), (32_007, "person"), (32_101, "drone"), (2, "")])
def test_the_class_of_a_track_is_stated_where_it_is_one_of_ours(label, stated):
    """As Autoware numbers them from 32000 on, and the objects node of this graph those that Autoware has not."""
    message = radar_tracks(((10.0, 1.0, 0.0), (1.0, 0.0, 0.0), NOTHING, NOTHING), classification=label)
    found = {name: values[0] for name, values in points(message, "radar/tracks", source="tracks").items()}
    named = {name: value for name, value in found.items() if name.startswith("class_")}
    assert named == ({name: pytest.approx(0.9 * (name == f"class_{stated}")) for name in named} if stated else {})
    assert len(named) == (9 if stated else 0)


def test_detection_reads_the_points():
    settings = DetectionSettings(frame_id="front_radar")
    columns = points(radar_scan((10.0, 0.5, 0.1, -3.0, 20.0)), "radar/scan")
    scan, dropped = read_points(columns, settings, stamp_ns=1, frame_id="front_radar", sequence=1)
    assert not dropped
    assert scan.range.tolist() == [10.0]
    assert scan.range_rate.tolist() == [-3.0]


finite = st.floats(-200.0, 200.0)


@given(st.tuples(finite, finite, finite), st.tuples(finite, finite, finite))
def test_a_track_is_where_it_is_and_goes_as_it_goes(position, velocity):
    """Range rate against a finite difference of the range."""
    if math.hypot(*position[:2]) < 1.0:
        return
    columns = track_columns(radar_tracks((position, velocity, NOTHING, NOTHING)), RadarMsgsSettings())
    r, azimuth, elevation = (columns[name][0] for name in ("range", "azimuth", "elevation"))
    back = r * np.array(
        [math.cos(elevation) * math.cos(azimuth), math.cos(elevation) * math.sin(azimuth), math.sin(elevation)]
    )
    np.testing.assert_allclose(back, position, atol=1e-9)
    dt = 1e-6
    later, earlier = (math.dist((0, 0, 0), np.array(position) + s * dt * np.array(velocity)) for s in (1, -1))
    assert columns["range_rate"][0] == pytest.approx((later - earlier) / (2 * dt), abs=1e-4)
    assert all(np.isnan(columns[name][0]) for name in columns if name.endswith("_sigma"))


def test_errors_of_a_track_against_samples():
    rng = np.random.default_rng(1)
    position, velocity = np.array([80.0, -40.0, 15.0]), np.array([-9.0, 4.0, 1.0])
    root = rng.normal(size=(3, 3)) * 0.5
    cov, velocity_cov = root @ root.T, 0.3 * root.T @ root
    upper = np.triu_indices(3)
    columns = track_columns(radar_tracks((position, velocity, cov[upper], velocity_cov[upper])), RadarMsgsSettings())
    x, y, z = rng.multivariate_normal(position, cov, 40_000).T
    v = rng.multivariate_normal(velocity, velocity_cov, 40_000)
    samples = {
        "range_sigma": np.sqrt(x**2 + y**2 + z**2),
        "azimuth_sigma": np.arctan2(y, x),
        "elevation_sigma": np.arctan2(z, np.hypot(x, y)),
        "range_rate_sigma": v @ (position / np.linalg.norm(position)),
    }
    for name, values in samples.items():
        assert columns[name][0] == pytest.approx(values.std(), rel=0.03), name


def test_a_2d_track_has_no_height():
    tracks = radar_tracks(((30.0, 40.0, 99.0), (3.0, 4.0, 99.0), (1, 0, 0, 1, 0, 1), NOTHING))
    found = points(tracks, "radar/tracks", source="tracks", has_elevation=False)
    assert found["range"].tolist() == [50.0]
    assert found["range_rate"].tolist() == [5.0]
    assert "elevation" not in found
    assert "elevation_sigma" not in found


def test_a_track_at_the_radar_has_no_direction():
    columns = track_columns(radar_tracks(((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), NOTHING, NOTHING)), RadarMsgsSettings())
    assert columns["range"][0] == 0.0
    assert np.isnan(columns["range_rate"][0])


def test_only_one_topic_is_read():
    stage = RadarMsgsStage(RadarMsgsSettings(source="tracks"), StageContext())
    assert stage.reads("radar/tracks")
    assert not stage.reads("radar/scan")


def test_live_it_says_what_is_missing(monkeypatch):
    monkeypatch.setattr("aegis.ros.stages.radar_msgs.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"ros-perception/radar_msgs"):
        RadarMsgsStage(RadarMsgsSettings(), StageContext(live=True))
