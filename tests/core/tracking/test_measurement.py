# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a sensor would measure, against the definition and finite differences."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scenes import central_difference, detections_of, polar_of
from scipy.spatial.transform import Rotation
from settings_of import settings_of

from aegis.core.kernels import gate
from aegis.core.tracking import measurement
from aegis.core.tracking.measurement import SensorView
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.types import Pose

STATE = st.builds(
    lambda a, b, c, v: np.array([a, b, c, *v]),
    st.floats(100, 5000), st.floats(-5000, 5000), st.floats(-500, 3000), st.tuples(*[st.floats(-300, 300)] * 3),
)  # fmt: skip


def expected(x: np.ndarray, pose: Pose, *, polar: bool) -> tuple[np.ndarray, np.ndarray]:
    value, H = np.empty((1, 4)), np.zeros((1, 1, 4, len(x)))
    gate.expect(x[None, None], 0, 0, pose.position, pose.rotation, pose.velocity, polar, value, H)
    return value[0], H[0, 0]


@given(STATE, st.floats(-100, 100), st.floats(-180, 180), st.tuples(*[st.floats(-50, 50)] * 3), st.booleans())
def test_measurement_and_its_jacobian(state, offset, yaw_deg, velocity, polar):
    s = settings_of(TrackingSettings, sensor_x=offset, sensor_y=-offset, sensor_z=offset / 10, sensor_yaw_deg=yaw_deg)
    pose = Pose(s.position(), s.rotation(), np.array(velocity))
    value, jacobian = expected(state, pose, polar=polar)
    definition = polar_of(state, pose.position, np.deg2rad(yaw_deg), velocity)
    if polar:
        turn = (value[1] - definition[1] + np.pi) % (2 * np.pi) - np.pi
        np.testing.assert_allclose(value[[0, 2, 3]], definition[[0, 2, 3]], atol=1e-9)
        assert turn == pytest.approx(0.0, abs=1e-9)
    else:
        np.testing.assert_allclose(value, [*state[:3], definition[3]], atol=1e-9)
    ground_range = np.hypot(*(state - [*pose.position, 0, 0, 0])[:2])
    assume(ground_range > 1.0)  # straight above a sensor the azimuth has no slope
    if abs(abs(definition[1]) - np.pi) > 1e-3:  # a finite difference across the jump of the azimuth says nothing
        # The slopes change over the range: a fixed step would be too coarse near the sensor, or lost in rounding far from it.
        slope = central_difference(lambda x: expected(x, pose, polar=polar)[0], state, 1e-4 * ground_range)
        np.testing.assert_allclose(jacobian, slope, rtol=1e-6, atol=1e-6)


def test_the_covariance_is_that_of_the_jacobian_for_the_components_wanted():
    rng = np.random.default_rng(1)
    root = rng.normal(size=(7, 7))
    P, x = root @ root.T, np.array([900.0, 400.0, 100.0, 10.0, 20.0, 3.0, 0.1])
    wanted = np.array([True, True, False, True])
    _, H = expected(x, Pose(np.zeros(3), np.eye(3), np.zeros(3)), polar=True)
    S = np.full((4, 4), np.nan)
    gate.spread_of(P[None, None], H[None, None], 0, 0, wanted.view(np.uint8), S[None])
    full = H @ P @ H.T
    np.testing.assert_allclose(S[np.ix_(wanted, wanted)], full[np.ix_(wanted, wanted)])


def test_polar_detections_are_placed_in_map():
    pose = Pose(
        np.array([10.0, 20.0, 3.0]), np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]), np.zeros(3)
    )
    z = measurement.from_detections(detections_of([[100.0, 0.0, np.nan, 5.0], [100.0, 0.1, 0.2, np.nan]], 0.0), pose)
    np.testing.assert_allclose(
        z.position[0], [10.0, 120.0, 3.0], atol=1e-9
    )  # ahead is north; height that of the sensor
    flat = 100.0 * np.cos(0.2)
    np.testing.assert_allclose(
        z.position[1], [10.0 - flat * np.sin(0.1), 20.0 + flat * np.cos(0.1), 3.0 + 100.0 * np.sin(0.2)]
    )
    assert z.measured.tolist() == [[True, True, False, True], [True, True, True, False]]
    assert not z.value[0, 2]
    assert z.components().all()


@pytest.mark.parametrize("upside_down", [False, True])
@given(st.floats(-3.1, 3.1), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.floats(-3.0, 3.0), st.floats(5.0, 50_000.0))
def test_what_has_no_elevation_is_as_high_as_a_sensor_that_is_tilted(upside_down, yaw, pitch, roll, azimuth, reach):
    """Whatever a ship's roll, and how the sensor hangs on it: at the range and the azimuth measured, by scipy's rotation, and no
    higher than the sensor.
    """
    turn = Rotation.from_euler("ZYX", [yaw, pitch, roll + np.pi * upside_down])
    pose = Pose(np.array([100.0, -50.0, 12.0]), turn.as_matrix(), np.zeros(3))
    z = measurement.from_detections(detections_of([[reach, azimuth, np.nan, np.nan]], 0.0), pose)
    away = z.position[0] - pose.position
    local = turn.inv().apply(away)
    assert abs(away[2]) <= 1e-9 * reach
    assert np.linalg.norm(away) == pytest.approx(reach)
    assert np.arctan2(local[1], local[0]) == pytest.approx(azimuth)


@given(st.floats(-50.0, 50.0))
def test_wrapped_angles_are_the_same_direction(angle):
    out = gate.wrapped(angle)
    assert -np.pi <= out <= np.pi
    assert np.exp(1j * out) == pytest.approx(np.exp(1j * angle), abs=1e-9)


def test_the_view_is_a_sector_in_azimuth_elevation_and_range():
    """A sensor that looks north, 90 degrees wide, 40 degrees high, from 100 m to 1 km."""
    north = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    places = np.array([
        [0.0, 500.0, 0.0], [450.0, 500.0, 0.0], [550.0, 500.0, 0.0], [0.0, 90.0, 0.0], [0.0, 1001.0, 0.0],
        [0.0, 500.0, 150.0], [0.0, 500.0, 200.0], [0.0, 500.0, -200.0], [0.0, -500.0, 0.0],
    ])  # fmt: skip
    pose = Pose(np.zeros(3), north, np.zeros(3))
    view = SensorView(pose, 100.0, 1000.0, np.deg2rad(45.0), np.deg2rad(-20.0), np.deg2rad(20.0), 0.9)
    known = np.ones(len(places), dtype=bool)
    found = measurement.in_view(places, known, view)
    assert found.tolist() == [True, True, False, False, False, True, False, False, False]
    flat = measurement.in_view(places, ~known, view)  # height unknown: so is the elevation
    assert flat.tolist() == [True, True, False, False, False, True, True, True, False]
