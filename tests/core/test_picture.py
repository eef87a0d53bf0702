# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The picture's geometry against numpy and scipy, its rate against what "at most" means, its deletions by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from picture_data import SECOND, make_threats, make_tracks
from scipy.spatial.transform import Rotation

from aegis.core.palette import LEVEL_COLOURS, UNASSESSED
from aegis.core.picture import (
    COASTING_ALPHA,
    PictureFeed,
    PictureSettings,
    ellipse,
    pointing,
)
from aegis.core.sensor import SensorPose
from aegis.core.types import ThreatLevel, TrackStatus

finite = st.floats(-1e4, 1e4)


@given(major=st.floats(0.1, 1e4), ratio=st.floats(0.01, 0.9), yaw=st.floats(-1.5, 1.5))
def test_ellipse_has_the_axes_the_covariance_was_made_of(major, ratio, yaw):
    turn = np.array([[math.cos(yaw), -math.sin(yaw)], [math.sin(yaw), math.cos(yaw)]])
    covariance = turn @ np.diag([major**2, (ratio * major) ** 2]) @ turn.T
    found = ellipse(covariance, sigma=2.0)
    assert found is not None
    assert found.semi_major == pytest.approx(2 * major, rel=1e-6)
    assert found.semi_minor == pytest.approx(2 * ratio * major, rel=1e-4)
    assert abs(math.sin(found.yaw - yaw)) < 1e-6  # an axis has no sign
    values, vectors = np.linalg.eigh(covariance)
    assert found.semi_major == pytest.approx(2 * math.sqrt(values[1]))
    assert abs(vectors[:, 1] @ [math.cos(found.yaw), math.sin(found.yaw)]) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "covariance", [[[np.nan, 0], [0, 1]], [[1, 2], [2, 1]], [[0, 0], [0, 0]], [[-1, 0], [0, -1]], [[np.inf, 0], [0, 1]]]
)
def test_what_is_no_covariance_has_no_ellipse(covariance):
    assert ellipse(np.array(covariance, dtype=float)) is None


@given(st.tuples(finite, finite, finite).filter(lambda v: math.hypot(*v) > 1e-3))
def test_pointing_turns_the_x_axis_into_the_vector(vector):
    turned = Rotation.from_quat(pointing(vector)).apply([1.0, 0.0, 0.0])
    np.testing.assert_allclose(turned, np.array(vector) / math.hypot(*vector), atol=1e-9)


@given(yaw=st.floats(-360, 360), at=st.tuples(finite, finite, finite), point=st.tuples(finite, finite, finite))
def test_sensor_pose_is_a_turn_about_z_and_a_shift(yaw, at, point):
    pose = SensorPose(sensor_x=at[0], sensor_y=at[1], sensor_z=at[2], sensor_yaw_deg=yaw)
    expected = Rotation.from_euler("z", yaw, degrees=True).apply(point) + np.array(at)
    np.testing.assert_allclose(pose.to_map(np.array([point]))[0], expected, atol=1e-6)


@given(gaps=st.lists(st.integers(1, 2 * SECOND), min_size=1, max_size=60), rate=st.floats(0.5, 20))
def test_the_rate_is_never_exceeded(gaps, rate):
    feed = PictureFeed(PictureSettings(max_rate_hz=rate))
    stamps = np.cumsum([0, *gaps]).tolist()
    drawn = [stamp for stamp in stamps if feed.take_tracks(make_tracks([1], stamp_ns=stamp)) is not None]
    assert drawn[0] == 0
    assert len(drawn) + feed.skipped == len(stamps)
    for i, first in enumerate(drawn):
        for j in range(i + 1, len(drawn)):
            assert j - i <= (drawn[j] - first) * 1e-9 * rate + 1 + 1e-6


def test_ten_scans_a_second_with_jitter_give_five_pictures_a_second():
    feed = PictureFeed(PictureSettings(max_rate_hz=5.0))
    jitter = np.random.default_rng(3).integers(-5_000_000, 5_000_000, size=101)
    stamps = [int(SECOND + i * SECOND // 10 + jitter[i]) for i in range(101)]
    drawn = sum(feed.take_tracks(make_tracks([1], stamp_ns=stamp)) is not None for stamp in stamps)
    assert 48 <= drawn <= 51


def test_vanished_tracks_are_gone_once():
    feed = PictureFeed(PictureSettings())
    first = feed.take_tracks(make_tracks([1, 2, 3], stamp_ns=SECOND))
    second = feed.take_tracks(make_tracks([2, 4], stamp_ns=2 * SECOND))
    third = feed.take_tracks(make_tracks([2, 4], stamp_ns=3 * SECOND))
    assert first.clear
    assert first.gone == []
    assert not second.clear
    assert second.gone == [1, 3]
    assert third.gone == []


def test_a_track_that_vanished_between_two_pictures_is_gone_too():
    feed = PictureFeed(PictureSettings(max_rate_hz=1.0))
    feed.take_tracks(make_tracks([1], stamp_ns=SECOND))
    assert feed.take_tracks(make_tracks([], stamp_ns=SECOND + 1)) is None
    assert feed.take_tracks(make_tracks([], stamp_ns=3 * SECOND)).gone == [1]


def test_a_stamp_that_goes_back_begins_anew():
    feed = PictureFeed(PictureSettings())
    feed.take_tracks(make_tracks([7], stamp_ns=100 * SECOND))
    again = feed.take_tracks(make_tracks([1], stamp_ns=SECOND))
    assert again is not None
    assert again.clear


def test_colours_and_labels_follow_the_threat_level():
    feed = PictureFeed(PictureSettings())
    feed.take_threats(make_threats([1, 2], [ThreatLevel.CRITICAL, ThreatLevel.LOW]))
    one, two, three = feed.take_tracks(make_tracks([1, 2, 3])).glyphs
    assert one.colour == LEVEL_COLOURS[ThreatLevel.CRITICAL]
    assert two.colour == LEVEL_COLOURS[ThreatLevel.LOW]
    assert three.colour == UNASSESSED
    assert one.label == "1 DRONE 5 m/s CRITICAL"  # speed of (3, 4, 0)
    assert three.label == "3 DRONE 5 m/s"


def test_a_track_below_the_list_of_threats_is_drawn_as_assessed():
    feed = PictureFeed(PictureSettings())
    feed.take_threats(make_threats([1], [ThreatLevel.HIGH], unlisted=[(2, ThreatLevel.LOW)]))
    _, two, three = feed.take_tracks(make_tracks([1, 2, 3])).glyphs
    assert (two.colour, two.label) == (LEVEL_COLOURS[ThreatLevel.LOW], "2 DRONE 5 m/s LOW")
    assert three.colour == UNASSESSED


@pytest.mark.parametrize(("lag", "shown"), [(-1, True), (0, True), (3, True), (4, False), (-500, False)])
def test_stale_threats_are_not_shown_as_fresh(lag, shown):
    feed = PictureFeed(PictureSettings(threat_max_lag=3))
    feed.take_threats(make_threats([1], [ThreatLevel.HIGH], sequence=1000 - lag))
    (glyph,) = feed.take_tracks(make_tracks([1], sequence=1000)).glyphs
    assert (glyph.colour == LEVEL_COLOURS[ThreatLevel.HIGH]) == shown
    assert ("HIGH" in glyph.label) == shown


def test_coasting_is_faint_and_tentative_hidden_unless_asked_for():
    feed = PictureFeed(PictureSettings())
    (glyph,) = feed.take_tracks(make_tracks([1], status=TrackStatus.COASTING)).glyphs
    assert glyph.colour.a == COASTING_ALPHA
    assert PictureFeed(PictureSettings()).take_tracks(make_tracks([1], status=TrackStatus.TENTATIVE)).glyphs == []
    asked = PictureFeed(PictureSettings(show_tentative=True))
    assert len(asked.take_tracks(make_tracks([1], status=TrackStatus.TENTATIVE)).glyphs) == 1


def test_a_track_without_a_finite_state_is_counted_not_drawn():
    feed = PictureFeed(PictureSettings())
    picture = feed.take_tracks(make_tracks([1, 2], state=[[np.nan] * 6, [0.0] * 6]))
    assert [glyph.track_id for glyph in picture.glyphs] == [2]
    assert feed.undrawable == 1
