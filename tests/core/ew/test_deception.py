# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Pull-off and false targets: detection probabilities against closed forms, and calm scenes that raise nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, norm

from aegis.core.ew.deception import FalseTargetMonitor, Hit, PullOffMonitor, pull_off
from aegis.core.ew.settings import DeceptionSettings
from aegis.core.types import N_CLASSES, Detections

N, STEP, SIGMA_R, SIGMA_V = 20, 0.1, 10.0, 0.5
T = STEP * np.arange(N)


def window(rng, true_range, true_rate):
    """Return what `pull_off` takes."""
    variance = np.tile([SIGMA_R**2, SIGMA_V**2], (N, 1))
    return T, true_range + rng.normal(0, SIGMA_R, N), true_rate + rng.normal(0, SIGMA_V, N), variance


def share(rng, acceleration, trials=2000):
    """Return how often a false echo that accelerates away in range, at the target's Doppler, is beyond 4 standard deviations."""
    away = 0.5 * acceleration * T**2
    return sum(abs(pull_off(*window(rng, 5000.0 - 100.0 * T + away, np.full(N, -100.0))).z) > 4 for _ in range(trials))


@pytest.mark.parametrize(("acceleration", "stated"), [(10.0, 0.05), (20.0, 0.81), (50.0, 1.0)])
def test_a_pull_off_is_seen_as_often_as_stated(acceleration, stated):
    trials = 2000
    seen = share(np.random.default_rng(1), acceleration, trials) / trials
    # The slope of a t^2 / 2 over the window is a times its middle; its error is that of a straight line.
    expected = norm.sf(4.0 - acceleration * T.mean() / (SIGMA_R / np.sqrt(((T - T.mean()) ** 2).sum())))
    assert expected == pytest.approx(stated, abs=0.02)
    assert seen == pytest.approx(stated, abs=0.02)


@pytest.mark.parametrize("kind", ["straight", "braking", "turning"])
def test_a_target_that_manoeuvres_deceives_nobody(kind):
    """The mismatch is a standard normal, so that 4 are passed 6e-5 of the time."""
    rng = np.random.default_rng(2)
    if kind == "straight":
        r, v = 5000.0 - 80.0 * T, np.full(N, -80.0)
    elif kind == "braking":
        r, v = 5000.0 - 80.0 * T + 0.5 * 30.0 * T**2, -80.0 + 30.0 * T
    else:
        r, v = 5000.0 + 150.0 * np.sin(1.5 * T), 225.0 * np.cos(1.5 * T)
    z = np.array([pull_off(*window(rng, r, v)).z for _ in range(3000)])
    assert abs(z.mean()) < 0.15  # a turn of 34 g leaves this much to the trapezoids
    assert z.std() == pytest.approx(1.0, abs=0.05)
    assert (np.abs(z) > 4).sum() <= binom.ppf(0.999, 3000, 2 * norm.sf(4.0))


def test_a_velocity_gate_that_is_pulled_is_told_from_a_range_gate():
    rng = np.random.default_rng(3)
    velocity = [pull_off(*window(rng, 5000.0 - 100.0 * T, -100.0 + 60.0 * T)) for _ in range(200)]
    assert np.mean([found.velocity_gate and found.z < -4 for found in velocity]) > 0.9
    gate = [pull_off(*window(rng, 5000.0 + 25.0 * T**2, np.zeros(N))) for _ in range(200)]
    assert not any(found.velocity_gate for found in gate)


def test_errors_larger_than_stated_do_not_alarm():
    rng = np.random.default_rng(4)
    variance = np.tile([1.0, 0.01], (N, 1))
    z = [pull_off(T, 100.0 + rng.normal(0, 10, N), rng.normal(0, 0.1, N), variance).z for _ in range(2000)]
    assert (np.abs(z) > 6.5).sum() == 0


def test_a_folded_range_rate_is_no_pull_off():
    rng = np.random.default_rng(5)
    folded = [pull_off(*window(rng, 5000.0 + 150.0 * T, np.full(N, 33.0)), 117.0).z for _ in range(500)]
    assert (np.abs(folded) > 4.5).sum() == 0


def hit(k, away=0.0, doppler=0.0, rng=None):
    noise = rng.normal(0, 1, 2) * [SIGMA_R, SIGMA_V] if rng is not None else (0.0, 0.0)
    return Hit(STEP * k, 5000.0 + away + noise[0], doppler + noise[1], SIGMA_R**2, SIGMA_V**2, 0.3)


def test_a_pull_off_is_a_signal_of_its_track_and_ends():
    rng = np.random.default_rng(6)
    monitor = PullOffMonitor(DeceptionSettings())
    raised = []
    for k in range(200):
        away = 0.5 * 50.0 * max(0.0, STEP * (k - 60)) ** 2 if k < 120 else 0.0
        raised += [(k, s) for s in monitor.step({7: hit(k, away, rng=rng), 8: hit(k, rng=rng)}, {7, 8})]
    ((k, signal),) = raised
    assert 60 < k <= 100
    assert (signal.track_id, signal.kind.name) == (7, "DECEPTION")
    assert "range gate pull-off of track 7" in signal.evidence
    assert monitor.signals == []
    monitor.step({}, set())
    assert monitor.signals == []


def test_calm_tracks_raise_nothing_for_hours():
    """50 tracks at 10 Hz: 20 windows of each in 40 s; 2 in a row beyond 4 with one sign are 2e-9."""
    rng = np.random.default_rng(7)
    monitor = PullOffMonitor(DeceptionSettings())
    raised = 0
    for k in range(400):
        raised += len(monitor.step({i: hit(k, rng=rng) for i in range(50)}, set(range(50))))
    assert raised == 0


@settings(max_examples=25)
@given(st.lists(st.tuples(*[st.floats()] * 6), min_size=12, max_size=20))
def test_odd_hits_are_survived_and_what_is_said_is_finite(rows):
    monitor = PullOffMonitor(DeceptionSettings(hits=6))
    for row in rows:
        for signal in monitor.step({1: Hit(*row)}, {1}):
            assert 0.0 <= signal.confidence <= 1.0


def scan(rng, k, n=6, bearing=None, false=0, swarm=0) -> Detections:
    azimuth = rng.uniform(-np.pi, np.pi, n)
    reach = rng.uniform(500, 9000, n)
    if false:
        azimuth = np.r_[azimuth, bearing + rng.normal(0, 0.003, false)]
        reach = np.r_[reach, 2000 + 400.0 * np.arange(false)]
    if swarm:  # as wide as it is deep
        place = np.array([3000.0, 0.0]) + rng.uniform(-250, 250, (swarm, 2))
        azimuth, reach = np.r_[azimuth, np.arctan2(*place.T[::-1])], np.r_[reach, np.hypot(*place.T)]
    m = len(azimuth)
    nan = np.full(m, np.nan)
    return Detections(
        stamp_ns=k, frame_id="radar", sequence=k, sensor_id="r", cartesian_accuracy=False, id=np.arange(m), range=reach,
        azimuth=azimuth, elevation=nan, range_rate=nan, variance=np.tile([100.0, 0.003**2, np.nan, np.nan], (m, 1)), snr_db=nan,
        rcs_dbsm=nan, noise_db=nan, points=np.ones(m, dtype=int), class_id=np.zeros(m, dtype=int), confidence=np.zeros(m),
        class_probability=np.zeros((m, N_CLASSES)),
    )  # fmt: skip


def test_false_targets_on_one_line_of_sight_are_a_signal_with_its_bearing_and_end():
    rng = np.random.default_rng(8)
    monitor = FalseTargetMonitor(DeceptionSettings())
    raised = []
    for k in range(60):
        false = 8 if 20 <= k < 40 else 0
        new = monitor.step(scan(rng, k, bearing=1.0, false=false))
        raised += [(k, new)] if new is not None else []
    ((k, signal),) = raised
    assert k == 21
    assert signal.bearing == pytest.approx(1.0, abs=0.01)
    assert monitor.signal is None


def test_clutter_and_a_swarm_are_no_false_targets():
    rng = np.random.default_rng(9)
    monitor = FalseTargetMonitor(DeceptionSettings())
    raised = sum(monitor.step(scan(rng, k, n=40, swarm=12 if k > 500 else 0)) is not None for k in range(1000))
    assert raised == 0


@pytest.mark.parametrize("n", [20, 40, 80])
@pytest.mark.parametrize("vague", [1, 3])
def test_a_detection_that_may_be_anywhere_makes_no_line_of_sight(n, vague):
    """Where one bearing is known to 17 degrees, all that is before it is not on a line."""
    rng = np.random.default_rng(11)
    monitor = FalseTargetMonitor(DeceptionSettings())
    for k in range(300):
        detections = scan(rng, k, n=n)
        detections.variance[:vague, 1] = 0.3**2
        assert monitor.step(detections) is None


@pytest.mark.parametrize("bearing", [-2.0, 0.0, 2.0])
def test_false_targets_are_found_among_very_many_detections_wherever_they_are(bearing):
    rng = np.random.default_rng(12)
    monitor = FalseTargetMonitor(DeceptionSettings())
    raised = [monitor.step(scan(rng, k, n=1500, bearing=bearing, false=60 if k >= 20 else 0)) for k in range(30)]
    (signal,) = [one for one in raised if one is not None]
    assert signal.bearing == pytest.approx(bearing, abs=0.01)


def test_a_detection_whose_bearing_nobody_knows_how_well_hides_no_false_targets():
    rng = np.random.default_rng(13)
    monitor, raised = FalseTargetMonitor(DeceptionSettings()), []
    for k in range(30):
        detections = scan(rng, k, n=8, bearing=1.0, false=12 if k >= 20 else 0)
        detections.variance[0, 1] = np.nan
        raised.append(monitor.step(detections))
    (signal,) = [one for one in raised if one is not None]
    assert signal.bearing == pytest.approx(1.0, abs=0.01)
