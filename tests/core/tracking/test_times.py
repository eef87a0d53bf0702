# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Detections at their own times: against a Kalman filter that goes to each of them, and finite differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import SECOND, central_difference, detections_of, plot_of, process_noise, transition
from scipy.optimize import linear_sum_assignment
from settings_of import settings_of

from aegis.core.kernels import gate
from aegis.core.tracking import motion
from aegis.core.tracking.looks import in_time
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import Sector, TrackStatus

SIGMA = 5.0
PLANE = np.eye(2, 6)


def at(detections, offset, sector=None):
    """Return the detections with these times after their stamp."""
    detections.time_offset = np.broadcast_to(np.asarray(offset, dtype=float), (len(detections),)).copy()
    detections.sector = sector
    return detections


def tracker(**changes) -> Tracker:
    return Tracker(settings_of(TrackingSettings, **({"model": "cv", "method": "gnn"} | changes)))


def textbook(plots, until: float):
    """Return state and covariance of a Kalman filter that goes from plot to plot (x, y, time), and then to a time."""
    s = settings_of(TrackingSettings)
    x, P, now = None, None, 0.0
    for *xy, when in plots:
        if x is None:
            x = np.array([*xy, 0.0, 0.0, 0.0, 0.0])
            speed = s.birth.initial_speed_sigma_mps**2
            P = np.diag([SIGMA**2, SIGMA**2, s.birth.initial_height_sigma_m**2, speed, speed, 1e-6])
        else:
            F = transition(when - now)
            x, P = F @ x, F @ P @ F.T + process_noise(when - now, s.motion.acceleration_sigma_mps2, 0.0)
            K = P @ PLANE.T @ np.linalg.inv(PLANE @ P @ PLANE.T + np.eye(2) * SIGMA**2)
            x, P = x + K @ (xy - PLANE @ x), P - K @ PLANE @ P
        now = when
    F = transition(until - now)
    return F @ x, F @ P @ F.T + process_noise(until - now, s.motion.acceleration_sigma_mps2, 0.0)


@settings(max_examples=30)
@given(st.lists(st.floats(-0.9, 0.0), min_size=4, max_size=8), st.integers(0, 1000))
def test_a_scan_is_filtered_as_if_it_came_when_it_was_measured(offsets, seed):
    rng = np.random.default_rng(seed)
    tracking, plots = tracker(), []
    for k, offset in enumerate(offsets):
        when = k + offset
        xy = [1000.0 + 30.0 * when, 500.0 - 20.0 * when] + rng.normal(0.0, SIGMA, 2)
        plots.append((*xy, when))
        result = tracking.step(at(plot_of(xy, float(k), SIGMA), offset))
    x, P = textbook(plots, float(k))
    assert len(result.tracks) == 1
    np.testing.assert_allclose(result.tracks.state[0], x, atol=1e-6)
    np.testing.assert_allclose(result.tracks.covariance[0], P, rtol=1e-6, atol=1e-6)
    assert result.tracks.stamp_ns == k * SECOND
    assert result.tracks.time_since_update[0] == pytest.approx(-offsets[-1], abs=1e-8)
    assert result.tracks.age[0] == pytest.approx(k - offsets[0], abs=1e-8)
    assert result.tracks.status[0] == 2


def test_two_tracks_in_one_scan_have_each_its_own_time():
    tracking = tracker()
    first, second = [], []
    for k in range(6):
        a, b = k - 0.8, k - 0.1
        xy = np.array([[1000.0 + 50.0 * a, 0.0], [-3000.0, 70.0 * b]])
        first.append((*xy[0], a))
        second.append((*xy[1], b))
        result = tracking.step(at(plot_of(xy, float(k), SIGMA), [-0.8, -0.1]))
    found = {round(x): (x, y) for x, y in result.tracks.state[:, :2]}
    for plots in (first, second):
        x, _ = textbook(plots, 5.0)
        np.testing.assert_allclose(found[round(x[0])], x[:2], atol=1e-6)


def test_the_picture_is_of_the_stamp_whatever_was_measured_after_it():
    """One is measured after the stamp; another is not detected in the last scan: it is where it was expected."""
    tracking, after, unseen = tracker(), [], []
    for k in range(6):
        after.append((1000.0 + 40.0 * (k + 0.3), 0.0, k + 0.3))
        places = [after[-1][:2]]
        if k < 5:
            unseen.append((-4000.0, 25.0 * (k + 0.2), k + 0.2))
            places.append(unseen[-1][:2])
        result = tracking.step(at(plot_of(places, float(k), SIGMA), [0.3, 0.2][: len(places)]))
    tracks = result.tracks
    assert tracks.stamp_ns == 5 * SECOND
    one, other = np.argsort(-tracks.state[:, 0])
    x, P = textbook(after, 5.3)
    back = transition(-0.3)
    np.testing.assert_allclose(tracks.state[one], back @ x, atol=1e-6)
    np.testing.assert_allclose(tracks.covariance[one], back @ P @ back.T, rtol=1e-6, atol=1e-6)
    x, P = textbook(unseen, 5.0)
    np.testing.assert_allclose(tracks.state[other], x, atol=1e-6)
    np.testing.assert_allclose(tracks.covariance[other], P, rtol=1e-6, atol=1e-6)
    assert tracks.time_since_update.tolist() == pytest.approx([0.0, 0.8] if one == 0 else [0.8, 0.0])
    assert tracks.status[one] == 2


@pytest.mark.parametrize("model", ["cv", "ct", "imm"])
@pytest.mark.parametrize("cartesian", [False, True])
def test_a_turning_track_too(model, cartesian):
    """One filter is told the times as offsets, the other as stamps, and is then moved on."""
    # The tolerance is that of mixing modes at other times, and so depends on how they change.
    how = {"acceleration_sigma_mps2": 3.0, "turn_rate_sigma_degps": 6.0, "mean_straight_s": 60.0, "mean_turn_s": 20.0}
    told, moved = (tracker(model=model, max_range_m=2500.0, **how) for _ in range(2))
    rate, speed, pause = np.deg2rad(2.0), 60.0, 0.6
    for k in range(20):
        when = 2.0 * k
        angle = rate * when
        xy = speed / rate * np.array([np.sin(angle), -np.cos(angle)])
        if cartesian:
            scan = lambda stamp: plot_of(xy, stamp, SIGMA)  # noqa: E731, B023
        else:
            polar = [np.hypot(*xy), np.arctan2(xy[1], xy[0]), np.nan, np.nan]
            scan = lambda stamp: detections_of(polar, stamp)  # noqa: E731, B023
        here = told.step(at(scan(when + pause), -pause)).tracks
        there = moved.step(scan(when)).tracks
    assert len(here) == len(there) == 1
    here, there = told.state.tracks, moved.state.tracks
    s = told.settings.motion
    between = motion.mode_transition(pause, s.mean_straight_s, s.mean_turn_s)
    later = motion.predict(
        there.kinematics, pause, moved._filter._motion, between, there["class_id"], there["has_height"]
    )
    mean, covariance = motion.combine(later)
    got, spread = here.mean()
    # A turn is linearised once in all that time, or twice; several modes are mixed so.
    np.testing.assert_allclose(
        got[0, [0, 1, 3, 4]], mean[0, [0, 1, 3, 4]], atol={"cv": 1e-6, "ct": 1e-3, "imm": 0.3}[model]
    )
    np.testing.assert_allclose(spread[0, :2, :2], covariance[0, :2, :2], rtol=1e-6 if model == "cv" else 0.05)


@given(
    st.tuples(*[st.floats(-300.0, 300.0)] * 3),
    st.one_of(st.just(0.0), st.floats(-0.3, 0.3)),
    st.floats(0.001, 5.0),
    st.booleans(),
    st.booleans(),
)
def test_what_was_to_be_measured_and_its_slope(velocity, turn_rate, age, turning, polar):
    x = np.array([3000.0, -2000.0, 400.0, *velocity, turn_rate])
    origin, R, still = np.array([10.0, -20.0, 3.0]), np.eye(3), np.zeros(3)
    P = np.eye(7) * 100.0

    def ago(state):
        value, slope, S = np.empty((1, 4)), np.empty((1, 1, 4, 7)), np.empty((1, 4, 4))
        past = np.empty((1, 1, 7))
        gate.expect_earlier(
            state[None, None], P[None, None], 0, 0, age, 0.0, turning, np.zeros((1, 2)), 0.0, origin, R, still, polar, past,
            np.zeros((1, 1, 4, 7)), value, slope, 0, S,
        )  # fmt: skip
        return value[0], slope[0, 0], S[0], past[0, 0]

    _, slope, S, past = ago(x)
    # The way there, from the velocities on it.
    times = np.linspace(0.0, -age, 2001)
    velocities = (x[3] + 1j * x[4]) * np.exp(1j * (turn_rate if turning else 0.0) * times)
    p, v = x[0] + 1j * x[1] + np.trapezoid(velocities, times), velocities[-1]
    np.testing.assert_allclose(past[[0, 1, 3, 4]], [p.real, p.imag, v.real, v.imag], rtol=1e-6, atol=1e-3)
    assert past[2] == pytest.approx(400.0 - age * velocity[2])
    numeric = central_difference(lambda state: ago(state)[0], x, 1e-4)
    np.testing.assert_allclose(slope, numeric, rtol=2e-5, atol=2e-4)
    np.testing.assert_allclose(S, slope @ P @ slope.T, rtol=1e-9, atol=1e-9)


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_the_covariance_stays_positive_definite_whatever_the_ages(seed):
    rng = np.random.default_rng(seed)
    tracking = tracker(model="imm", method="pmb", max_range_m=1e4)
    for k in range(8):
        polar = np.column_stack(
            [rng.uniform(900.0, 1100.0, 6), rng.uniform(-0.1, 0.1, 6), rng.uniform(0, 0.1, 6), np.zeros(6)]
        )
        scan = at(detections_of(polar, float(k), sigma=[5.0, 0.005, 0.005, 0.2]), -rng.exponential(2.0, 6))
        tracking.step(scan)
    P = tracking.state.tracks.kinematics.P
    assert np.linalg.eigvalsh(P)[..., 0].min() > 0.0
    assert np.isfinite(tracking.state.tracks.kinematics.x).all()


def test_errors_are_as_stated_where_points_of_a_scan_differ_in_time():
    """Cars in lanes of their own, each measured anywhere within the scan; the Doppler shows each push of the motion's noise."""
    rng = np.random.default_rng(2)
    sigma = np.array([0.2, 0.003, 0.003, 0.1])
    cars, nees = 20, []
    tracking = tracker(method="pmb", acceleration_sigma_mps2=2.0, max_range_m=1000.0)
    x = np.column_stack(
        [
            rng.uniform(50, 900, cars),
            np.linspace(-300, 300, cars),
            np.zeros(cars),
            rng.uniform(-30, 30, cars),
            rng.uniform(-2, 2, cars),
            np.zeros(cars),
        ]
    )
    now = np.full(cars, -0.1)

    def go_to(when):
        # By the Cholesky factor of process_noise: other factors give other draws with another LAPACK.
        dt = (when - now)[:, None]
        first, second = rng.normal(0.0, 2.0, (2, cars, 2))
        x[:, :2] += dt * x[:, 3:5] + np.sqrt(dt**3 / 3.0) * first
        x[:, 3:5] += np.sqrt(0.75 * dt) * first + np.sqrt(0.25 * dt) * second
        now[:] = when

    for k in range(60):
        offset = rng.uniform(-0.1, 0.0, cars)
        go_to(0.1 * k + offset)
        r = np.hypot(x[:, 0], x[:, 1])
        rate = (x[:, 0] * x[:, 3] + x[:, 1] * x[:, 4]) / r
        polar = np.column_stack([r, np.arctan2(x[:, 1], x[:, 0]), np.full(cars, np.nan), rate])
        polar += rng.normal(0.0, 1.0, (cars, 4)) * sigma
        tracks = tracking.step(at(detections_of(polar, 0.1 * k, sigma=sigma), offset)).tracks
        go_to(np.full(cars, 0.1 * k))
        if k < 30:
            continue
        confirmed = tracks.status == TrackStatus.CONFIRMED
        assert confirmed.sum() == cars
        states, covariances = tracks.state[confirmed], tracks.covariance[confirmed]
        distance = np.hypot(*(x[:, None, :2] - states[:, :2]).T)
        for state, P, i in zip(states, covariances, linear_sum_assignment(distance)[1], strict=True):
            error = (x[i] - state)[[0, 1, 3, 4]]
            nees.append(error @ np.linalg.solve(P[np.ix_([0, 1, 3, 4], [0, 1, 3, 4])], error) / 4.0)
    assert np.mean(nees) == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("delay_s", [0.0, 0.7])
def test_a_known_delay_of_the_sensor_is_carried_on_over(delay_s):
    """A target of 100 m/s whose plots show where it was: the picture shows where it is, as with times of their own."""
    rng = np.random.default_rng(4)
    late, timed = tracker(delay_s=delay_s), tracker()
    for k in range(20):
        plot = plot_of([[1000.0 + 100.0 * (k - delay_s), 500.0] + rng.normal(0.0, SIGMA, 2)], float(k), SIGMA)
        tracks = late.step(plot).tracks
        same = timed.step(at(plot, -delay_s)).tracks
    np.testing.assert_allclose(tracks.state, same.state)
    np.testing.assert_allclose(tracks.covariance, same.covariance)
    assert tracks.time_since_update == pytest.approx([delay_s], abs=1e-6)
    assert tracks.state[0, :2] == pytest.approx([1000.0 + 100.0 * k, 500.0], abs=4.0 * SIGMA)


def test_no_detection_is_later_than_its_scan_allows():
    scan = at(plot_of([[1000.0, 0.0]] * 4, 5.0, SIGMA), [-0.5, np.nan, 60.0, 0.4])
    limited, until, wrong = in_time(scan, 0.5)
    assert limited.time_offset.tolist() == [-0.5, 0.0, 0.5, 0.4]
    assert (until, wrong) == (round(5.5 * SECOND), 2)
    limited, until, wrong = in_time(at(scan, [-0.5, 0.1, 0.2, 0.0], Sector(-1.0, 0.1)), 0.5)
    assert limited.time_offset.tolist() == [-0.5, 0.1, 0.1, 0.0]
    assert (until, wrong) == (round(5.1 * SECOND), 1)


def test_one_plot_of_the_future_does_not_stop_the_picture():
    tracking = tracker()
    for k in range(20):
        scan = at(plot_of([[1000.0 + 10.0 * k, 0.0]], float(k), SIGMA), 1000.0 if k == 5 else 0.0)
        result = tracking.step(scan)
        assert result.mistimed == (k == 5)
        assert result.tracks is not None
    assert len(result.tracks) == 1
