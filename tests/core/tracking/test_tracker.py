# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The tracker against filterpy and closed forms, and its behaviour on simple scenes."""

import numpy as np
import pytest
from filterpy.common import Q_continuous_white_noise
from filterpy.kalman import ExtendedKalmanFilter, IMMEstimator, KalmanFilter
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import SIGMA, approach, crossing, detections_of, plot_of, polar_of, process_noise, transition
from scipy.optimize import approx_fprime
from scipy.stats import chi2
from settings_of import settings_of

from aegis.core.detection.detector import Detector
from aegis.core.detection.settings import DetectionSettings
from aegis.core.params import ConfigError
from aegis.core.tracking import motion
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import Pose, TrackStatus
from aegis.simulation.points import Simulator
from aegis.simulation.scenario import Scenario
from aegis.simulation.settings import SimulatorSettings
from aegis.state import kept_ids


def test_a_polar_track_is_filterpys_extended_kalman_filter():
    """The same numbers as filterpy's EKF, from the same start, over 30 scans of a passing target."""
    rng = np.random.default_rng(3)
    s = settings_of(TrackingSettings, model="cv", gate_probability=1 - 1e-12, clutter_per_scan=1e-6)
    tracker = Tracker(s)
    truth = np.array([2000.0, -1500.0, 300.0, -60.0, 90.0, 5.0])
    start = tracker.step(detections_of(polar_of(truth) + rng.normal(0, SIGMA), 0.0))
    rows = tracker.state.tracks.kinematics
    ekf = ExtendedKalmanFilter(dim_x=6, dim_z=4)
    ekf.x, ekf.P, ekf.R = rows.x[0, 0].copy(), rows.P[0, 0].copy(), np.diag(SIGMA**2)
    assert start.tracks is not None
    for k in range(1, 31):
        truth[:3] += truth[3:]
        z = polar_of(truth) + rng.normal(0, SIGMA)
        tracks = tracker.step(detections_of(z, float(k))).tracks
        ekf.F, ekf.Q = transition(1.0), np.zeros((6, 6))
        for axes, sigma in (
            ((0, 1), s.motion.acceleration_sigma_mps2),
            ((2,), s.motion.vertical_acceleration_sigma_mps2),
        ):
            for a in axes:
                block = Q_continuous_white_noise(dim=2, dt=1.0, spectral_density=sigma**2)
                ekf.Q[np.ix_([a, a + 3], [a, a + 3])] = block
        ekf.predict()
        jacobian = approx_fprime(ekf.x, polar_of, 1e-4)
        ekf.update(z, HJacobian=lambda x, j=jacobian: j, Hx=polar_of)
        np.testing.assert_allclose(tracks.state[0], ekf.x, rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(tracks.covariance[0], ekf.P, rtol=1e-3, atol=1e-3)


def test_a_cartesian_track_is_filterpys_kalman_filter():
    rng = np.random.default_rng(4)
    s = settings_of(
        TrackingSettings,
        model="cv",
        gate_probability=1 - 1e-12,
        clutter_per_scan=1e-6,
        births_per_scan=1e-6,
        acceleration_sigma_mps2=0.5,
    )
    tracker = Tracker(s)
    truth = np.array([5.0, 3.0, -2.0, 4.0])  # passes the origin, where polar coordinates are of no use
    tracker.step(plot_of(truth[:2] + rng.normal(0, 6, 2), 0.0, 6.0))
    kf = KalmanFilter(dim_x=4, dim_z=2)
    axes = [0, 1, 3, 4]
    first = tracker.state.tracks.kinematics
    kf.x, kf.P = first.x[0, 0][axes].copy(), first.P[0, 0][np.ix_(axes, axes)].copy()
    kf.F = transition(2.0)[np.ix_(axes, axes)]
    kf.Q = Q_continuous_white_noise(dim=2, dt=2.0, spectral_density=0.25, block_size=2, order_by_dim=False)
    kf.H, kf.R = np.eye(2, 4), np.eye(2) * 36.0
    for k in range(1, 21):
        truth[:2] += 2.0 * truth[2:]
        z = truth[:2] + rng.normal(0, 6, 2)
        tracks = tracker.step(plot_of(z, 2.0 * k, 6.0)).tracks
        kf.predict()
        kf.update(z)
        np.testing.assert_allclose(tracks.state[0][axes], kf.x, atol=1e-6)
        np.testing.assert_allclose(tracks.covariance[0][np.ix_(axes, axes)], kf.P, atol=1e-6)
    assert tracks.covariance[0, 2, 2] == pytest.approx(
        s.birth.initial_height_sigma_m**2
    )  # height stays as unknown as it was


def test_an_imm_track_is_filterpys_interacting_multiple_models():
    """Constant velocity and a turn of unknown rate, over a target that goes straight, turns, and goes straight again."""
    rng = np.random.default_rng(11)
    s = settings_of(
        TrackingSettings,
        gate_probability=1 - 1e-12,
        clutter_per_scan=1e-6,
        births_per_scan=1e-6,
        initial_height_sigma_m=1.0,
    )
    tracker = Tracker(s)
    truth = np.array([3000.0, 1000.0, 0.0, -60.0, 40.0, 0.0])
    rows = None
    H = np.eye(7)[:2]
    between = motion.mode_transition(1.0, s.motion.mean_straight_s, s.motion.mean_turn_s)
    Q = np.zeros((7, 7))
    Q[:6, :6] = process_noise(1.0, s.motion.acceleration_sigma_mps2, 0.0)

    def turned(x):
        w, t = x[6], 1.0
        c, k = np.cos(w * t), np.sin(w * t)
        along, across = (k / w, (1 - c) / w) if abs(w) > 1e-4 else (t * (1 - (w * t) ** 2 / 6), t * w * t / 2)
        return np.array([
            x[0] + along * x[3] - across * x[4], x[1] + across * x[3] + along * x[4], x[2] + x[5],
            c * x[3] - k * x[4], k * x[3] + c * x[4], x[5], w,
        ])  # fmt: skip

    class Turn(KalmanFilter):
        def predict(self, u=None):
            F = approx_fprime(self.x, turned, 1e-6)
            self.x, self.P = turned(self.x), F @ self.P @ F.T + self.Q

    for k in range(40):
        if 10 <= k < 25:
            c, q = np.cos(0.12), np.sin(0.12)
            truth[3:5] = np.array([[c, -q], [q, c]]) @ truth[3:5]
        z = truth[:2] + rng.normal(0.0, 10.0, 2)
        tracks = tracker.step(plot_of(z, float(k), 10.0)).tracks
        if rows is None:
            rows = tracker.state.tracks.kinematics
            straight, turn = KalmanFilter(7, 2), Turn(7, 2)
            for kind, f in enumerate((straight, turn)):
                f.x, f.P, f.H, f.R, f.Q = rows.x[0, kind].copy(), rows.P[0, kind].copy(), H, np.eye(2) * 100.0, Q.copy()
            straight.F = np.eye(7)
            straight.F[:6, :6], straight.F[6, 6] = transition(1.0), 0.0
            straight.Q[6, 6] = np.deg2rad(s.motion.turn_rate_sigma_degps) ** 2
            turn.Q[6, 6] = np.deg2rad(s.motion.turn_rate_change_degps) ** 2
            imm = IMMEstimator([straight, turn], rows.weight[0].copy(), between)
        else:
            imm.predict()
            imm.update(z)
            np.testing.assert_allclose(tracker.state.tracks.kinematics.weight[0], imm.mu, atol=2e-3)
            np.testing.assert_allclose(tracks.state[0, [0, 1, 3, 4]], imm.x[[0, 1, 3, 4]], atol=0.05)
        truth[:3] += truth[3:]


def error_in_turns(model: str, sigma: float, seed: int) -> float:
    """Return the RMS position error [m] within the turns of a target that turns by 3 to 6 degrees a second, at times."""
    rng = np.random.default_rng(seed)
    # With fewer births and a wider gate a plot off the track is still the track's: then constant velocity holds on to it as well.
    s = settings_of(
        TrackingSettings, model=model, acceleration_sigma_mps2=sigma, births_per_scan=0.5, gate_probability=0.997
    )
    tracker = Tracker(s)
    state, squares = np.array([8000.0, -6000.0, 1000.0, -150.0, 100.0, 0.0]), []
    for k in range(120):
        rate = np.deg2rad([0.0, 5.0, 0.0, -3.0, 0.0, 6.0][k // 20])
        polar = polar_of(state) + rng.normal(0.0, [20.0, 0.003, 0.003, 1.0])
        polar[3] = np.nan
        tracks = tracker.step(detections_of(polar, float(k), sigma=np.array([20.0, 0.003, 0.003, 1.0]))).tracks
        if rate and len(tracks):
            squares.append(np.sum((tracks.state[tracks.hits.argmax(), :3] - state[:3]) ** 2))
        c, q = np.cos(rate), np.sin(rate)
        half = np.array([[np.cos(rate / 2), -np.sin(rate / 2)], [np.sin(rate / 2), np.cos(rate / 2)]])
        chord = 1.0 if rate == 0.0 else np.sin(rate / 2) / (rate / 2)
        state[:2] += chord * half @ state[3:5]
        state[3:5] = np.array([[c, -q], [q, c]]) @ state[3:5]
    return float(np.sqrt(np.mean(squares)))


def test_in_turns_the_imm_is_at_least_30_percent_more_exact_than_constant_velocity():
    seeds = range(10)
    imm = np.mean([error_in_turns("imm", 1.0, seed) for seed in seeds])
    same = np.mean([error_in_turns("cv", 1.0, seed) for seed in seeds])
    best = min(np.mean([error_in_turns("cv", sigma, seed) for seed in seeds]) for sigma in (5.0, 10.0, 20.0))
    print(
        f"RMS position error in turns: IMM {imm:.1f} m, CV of the same noise {same:.1f} m, CV of its best noise {best:.1f} m"
    )
    assert imm <= 0.7 * best <= 0.7 * same


def matched_runs(model: str, runs: int, scans: int, seed: int):
    """Yield the tracker, the last picture and the truth of targets that move as the filter assumes."""
    rng = np.random.default_rng(seed)
    s = settings_of(TrackingSettings, model=model, gate_probability=1 - 1e-12, clutter_per_scan=1e-6, births_per_scan=1e-6,
                         acceleration_sigma_mps2=1.0, vertical_acceleration_sigma_mps2=1.0, initial_speed_sigma_mps=30.0,
                         turn_rate_sigma_degps=1.5, turn_rate_change_degps=0.1)  # fmt: skip
    chol = np.linalg.cholesky(process_noise(1.0, 1.0, 1.0))
    for _ in range(runs):
        truth = np.array([3000.0, 1000.0, 500.0, *rng.normal(0, 30.0, 3)])
        rate = rng.normal(0.0, np.deg2rad(1.5)) if model == "ct" else 0.0
        tracker = Tracker(s)
        for k in range(scans):
            tracks = tracker.step(detections_of(polar_of(truth) + rng.normal(0, SIGMA), float(k))).tracks
            at = truth
            c, q = np.cos(rate), np.sin(rate)
            F = transition(1.0)
            if rate:
                F[:2, 3:5] = [[q / rate, -(1 - c) / rate], [(1 - c) / rate, q / rate]]
                F[3:5, 3:5] = [[c, -q], [q, c]]
            truth = F @ truth + chol @ rng.normal(size=6)
            rate += rng.normal(0.0, np.deg2rad(0.1)) if rate else 0.0
        yield tracker, tracks, at


@pytest.mark.parametrize("model", ["cv", "ct"])
def test_estimates_are_consistent(model):
    """NEES and NIS of 150 matched runs inside their 95 % bounds: the covariance is what the errors are."""
    runs, nees, nis, components = 150, 0.0, 0.0, 0
    for tracker, tracks, truth in matched_runs(model, runs, 15, 5):
        error = tracks.state[0] - truth
        nees += error @ np.linalg.solve(tracks.covariance[0], error)
        (one,) = tracker.nis().values()
        nis += one.mean * one.components
        components += one.components
    assert chi2.ppf(0.025, 6 * runs) < nees < chi2.ppf(0.975, 6 * runs)
    assert chi2.ppf(0.025, components) < nis < chi2.ppf(0.975, components)
    assert components > 5000


def test_confirm_coast_delete_and_a_new_id():
    s = TrackingSettings()
    tracker = Tracker(s)
    statuses = []
    for k in range(8):
        tracks = tracker.step(detections_of(approach(k), float(k), sequence=k + 1)).tracks
        statuses.append(tracks.status.tolist())
        assert tracks.sequence == k + 1
    assert statuses[0] == []  # one plot is not a track yet
    assert statuses[1] == [TrackStatus.TENTATIVE] or statuses[1] == [TrackStatus.CONFIRMED]
    assert statuses[-1] == [TrackStatus.CONFIRMED]
    assert tracks.hits.tolist() == [8]
    assert tracks.age.tolist() == [7.0]
    first = int(tracks.track_id[0])

    silent = tracker.step(detections_of(np.empty((0, 4)), 8.0)).tracks
    assert silent.status.tolist() == [TrackStatus.COASTING]
    assert silent.time_since_update.tolist() == [1.0]
    np.testing.assert_allclose(silent.state[0, :3], tracks.state[0, :3] + tracks.state[0, 3:], atol=0.01)
    assert silent.existence_probability[0] < tracks.existence_probability[0]
    k, lost = 9, []
    while not lost and k < 60:
        lost = tracker.step(detections_of(np.empty((0, 4)), float(k))).lost.tolist()
        k += 1
    assert lost == [first]
    assert k < 9 + 10 * s.existence.mean_hidden_s
    while len(tracker.step(detections_of(np.empty((0, 4)), float(k))).tracks):
        k += 1
    assert k < 9 + s.existence.max_coast_s + 2
    for j in range(4):
        tracks = tracker.step(detections_of(approach(j), float(k + j))).tracks
    assert tracks.track_id.tolist() == [first + 1]


def test_a_target_outside_the_view_is_not_punished():
    s = settings_of(TrackingSettings, azimuth_fov_deg=90.0)
    tracker = Tracker(s)
    for k in range(10):
        before = tracker.step(detections_of(approach(k), float(k))).tracks
    behind = before.state[0].copy()
    behind[:3] = [-1000.0, 0.0, 200.0]
    tracker.state.tracks.kinematics.x[0, :, :3] = behind[:3]
    after = tracker.step(detections_of(np.empty((0, 4)), 10.0)).tracks
    assert after.existence_probability[0] > 0.99 * before.existence_probability[0]


def test_outside_the_stated_view_nothing_is_confirmed_and_plots_are_counted():
    """A target at 30 km, in a view stated out to 10 km; when it comes into view, its track is confirmed at once."""
    tracker, sighted = Tracker(TrackingSettings()), []
    for k in range(200):
        truth = np.array([30_000.0 - 150.0 * k, 500.0, 200.0, -150.0, 0.0, 0.0])
        result = tracker.step(detections_of(polar_of(truth), float(k)))
        (status,) = result.tracks.status.tolist() or [0]
        outside = np.linalg.norm(truth[:3]) > 10_000.0
        assert result.outside.tolist() == pytest.approx([np.linalg.norm(truth[:3])] if outside else [])
        sighted.append(status == TrackStatus.CONFIRMED)
        if outside:
            assert status in {0, TrackStatus.TENTATIVE}
    assert result.tracks.track_id.tolist() == [1]
    entered = int((30_000.0 - np.sqrt(1e8 - 500.0**2 - 200.0**2)) // 150.0) + 1
    assert not any(sighted[:entered])
    assert all(sighted[entered + 1 :])


@pytest.mark.parametrize(("fov_deg", "axis_deg", "confirmed"), [(180.0, 0.0, 1), (65.0, 0.0, 0), (65.0, 27.5, 1)])
def test_the_view_in_elevation_is_not_limited_unless_it_is_stated(fov_deg, axis_deg, confirmed):
    s = settings_of(TrackingSettings, elevation_fov_deg=fov_deg, elevation_axis_deg=axis_deg)
    tracker = Tracker(s)
    for k in range(8):  # at 50 degrees above the horizon
        result = tracker.step(detections_of(polar_of(np.array([3000.0, 20.0 * k, 3600.0, 0.0, 20.0, 0.0])), float(k)))
    assert (result.tracks.status == TrackStatus.CONFIRMED).sum() == confirmed
    assert len(result.outside) == 1 - confirmed


def test_an_empty_sky_stays_empty_at_the_settings_that_ship():
    """600 s of the simulated radar's false alarms, which lie up to 60 degrees above the horizon."""
    radar = Simulator(SimulatorSettings(seed=11), Scenario(name="empty", duration_s=1e4))
    tracker, detector = Tracker(TrackingSettings()), Detector(DetectionSettings())
    for k in range(1200):
        detections, _ = detector.step(radar.step(0.5 * k, k * 500_000_000))
        assert not len(tracker.step(detections).confirmed)


def test_false_alarms_alone_confirm_almost_nothing():
    rng = np.random.default_rng(7)
    s = settings_of(
        TrackingSettings, clutter_per_scan=20.0, max_range_m=10_000.0, elevation_fov_deg=30.0, range_rate_span_mps=600.0
    )
    tracker, confirmed, scans = Tracker(s), 0, 300
    for k in range(scans):
        n = rng.poisson(20)
        plots = np.column_stack([
            rng.uniform(10, 10_000, n), rng.uniform(-np.pi, np.pi, n), rng.uniform(-0.26, 0.26, n), rng.uniform(-300, 300, n),
        ])  # fmt: skip
        confirmed += len(tracker.step(detections_of(plots, 0.5 * k)).confirmed)
    assert confirmed <= 3  # 6000 false alarms


def test_two_targets_that_cross_keep_their_ids():
    rng = np.random.default_rng(8)
    tracker = Tracker(TrackingSettings())
    for k in range(21):
        plots = crossing(k) + rng.normal(0, SIGMA, (2, 4))
        tracks = tracker.step(detections_of(rng.permutation(plots), float(k))).tracks
        if k == 5:
            northbound = int(tracks.track_id[np.argmax(tracks.state[:, 4])])
    confirmed = tracks.status == TrackStatus.CONFIRMED
    assert confirmed.sum() == 2
    assert int(tracks.track_id[np.argmax(tracks.state[:, 4])]) == northbound


def test_old_and_repeated_scans_are_dropped_and_a_new_epoch_resets():
    tracker = Tracker(TrackingSettings())
    for k in range(10):
        tracker.step(detections_of(approach(k), 100.0 + k))
    assert tracker.step(detections_of(approach(9), 109.0)).dropped == "duplicate scan"
    assert tracker.step(detections_of(approach(8), 108.0)).dropped == "duplicate scan"
    assert tracker.step(detections_of(approach(5), 105.0)).dropped == "scan older than the reorder window"
    again = tracker.step(detections_of(approach(0), 0.0))
    assert again.reset
    assert again.lost.tolist() == [1]
    assert len(again.tracks) == 0
    later = tracker.step(detections_of(approach(1), 1.0))
    assert not later.reset
    assert later.tracks.track_id.tolist() == [2]


def test_time_that_begins_anew_resets_once_with_two_sensors():
    """The second sensor's last scan before the loop comes after the first one's first scan of it."""
    tracker = Tracker(TrackingSettings())
    for k in range(10):
        tracker.step(detections_of(approach(k), 100.0 + k, sensor="a"))
        tracker.step(detections_of(approach(k + 0.4), 100.4 + k, sensor="b"))
    resets = [tracker.step(detections_of(approach(0), 0.0, sensor="a")).reset]
    assert tracker.step(detections_of(approach(9.6), 109.6, sensor="b")).dropped == "scan from before the reset"
    for k in range(1, 8):
        resets.append(tracker.step(detections_of(approach(k), float(k), sensor="a")).reset)
        result = tracker.step(detections_of(approach(k + 0.4), k + 0.4, sensor="b"))
        resets.append(result.reset)
    assert resets == [True] + [False] * 14
    assert len(result.tracks) == 1


@pytest.mark.parametrize("period_s", [0.1, 0.25])
@pytest.mark.parametrize("length_s", [0.8, 1.0, 1.5, 3.0, 5.0, 5.5, 8.0])
@pytest.mark.parametrize("sensors", [["a"], ["a", "b"]])
def test_a_loop_of_any_length_gives_a_picture_of_every_scan(period_s, length_s, sensors):
    """Shorter and longer than `reset_after_s` and the reorder window."""
    tracker = Tracker(TrackingSettings())
    resets, dropped = 0, []
    loops, scans = 5, round(length_s / period_s)
    for _ in range(loops):
        for k in range(scans):
            for n, sensor in enumerate(sensors):
                at = k * period_s + n * 0.02
                result = tracker.step(detections_of(approach(at), at, sensor=sensor))
                resets += result.reset
                dropped += [result.dropped] if result.tracks is None else []
    assert dropped == []
    assert resets == loops - 1
    assert len(result.tracks) == 1


@pytest.mark.parametrize("length_s", [0.8, 3.0, 8.0])
def test_a_loop_whose_first_scan_is_lost_every_time_is_known_by_the_second_time(length_s):
    tracker = Tracker(TrackingSettings())
    pictures = 0
    for k in range(round(length_s / 0.1)):
        tracker.step(detections_of(approach(k * 0.1), k * 0.1))
    for _ in range(10):
        for k in range(1, round(length_s / 0.1)):
            pictures += tracker.step(detections_of(approach(k * 0.1), k * 0.1)).tracks is not None
    assert pictures >= 9 * (round(length_s / 0.1) - 1)


def test_two_sensors_in_a_short_loop_lose_only_what_was_on_its_way():
    """The second one's last scan of each round comes after the first one's first scan of the next."""
    tracker = Tracker(TrackingSettings())
    loop = [(sensor, round(k * 0.1 + late, 3)) for k in range(30) for sensor, late in (("a", 0.0), ("b", 0.05))]
    stream = loop * 4
    for start in range(len(loop), len(stream), len(loop)):
        stream[start - 1], stream[start] = stream[start], stream[start - 1]
    results = [tracker.step(detections_of(approach(at), at, sensor=sensor)) for sensor, at in stream]
    assert [r.dropped for r in results if r.dropped] == ["scan from before the reset"] * 3
    assert sum(r.reset for r in results) == 3


@pytest.mark.parametrize("wrong", [range(20, 21), range(20, 60)], ids=["one scan", "from then on"])
def test_a_sensor_whose_clock_leaps_an_hour_ahead_does_not_stop_another(wrong):
    tracker = Tracker(TrackingSettings())
    dropped, shown = {"a": [], "b": []}, None
    for k in range(60):
        for sensor, late in (("a", 0.0), ("b", 0.4)):
            at = k + late + (3600.0 if sensor == "b" and k in wrong else 0.0)
            result = tracker.step(detections_of(approach(k + late), at, sensor=sensor))
            dropped[sensor] += [result.dropped] if result.dropped else []
            shown = result.tracks if result.tracks is not None else shown
            assert not result.reset
    assert dropped == {"a": [], "b": ["scan far ahead of the other sensors"] * len(wrong)}
    assert shown.track_id.tolist() == [1]


def test_after_an_hour_without_any_sensor_all_go_on():
    """The recording was paused: the first scan is refused, and taken from the second sensor's on."""
    tracker = Tracker(TrackingSettings())
    dropped = []
    for k in range(40):
        for sensor, late in (("a", 0.0), ("b", 0.4)):
            at = k + late + (3600.0 if k >= 20 else 0.0)
            result = tracker.step(detections_of(approach(k + late), at, sensor=sensor))
            dropped += [(k, sensor)] if result.dropped else []
    assert dropped == [(20, "a")]


def test_a_sensor_that_leaps_where_the_others_have_fallen_silent_is_believed_after_ten_seconds():
    tracker = Tracker(TrackingSettings())
    tracker.step(detections_of(approach(0), 0.0, sensor="b"))
    dropped = []
    for k in range(40):
        at = k + (3600.0 if k >= 10 else 0.0)
        dropped += [k] if tracker.step(detections_of(approach(k), at, sensor="a")).dropped else []
    assert dropped == list(range(10, 21))


@given(st.lists(st.integers(0, 5), max_size=40), st.integers(20, 60))
@settings(max_examples=30)
def test_strays_and_copies_of_a_sensor_that_goes_on_never_reset(ages, scans):
    """Now and then a scan comes twice, or out of its place, between those in order."""
    tracker = Tracker(TrackingSettings())
    stamps = [10.0 + 0.1 * k for k in range(scans)]
    for k, stamp in enumerate(stamps):
        assert not tracker.step(detections_of(np.empty((0, 4)), stamp)).reset
        if k > 6 and k < len(ages):
            assert not tracker.step(detections_of(np.empty((0, 4)), stamps[k - ages[k]])).reset


def test_a_clock_that_is_set_back_a_little_freezes_the_picture_only_until_it_has_caught_up():
    tracker = Tracker(TrackingSettings())
    stamps = [*np.arange(0.0, 10.0, 0.1), *np.arange(8.0, 12.0, 0.1)]
    results = [tracker.step(detections_of(approach(at), at)) for at in stamps]
    assert not any(r.reset for r in results)
    assert results[-1].tracks.track_id.tolist() == [1]


def in_order_and_late(scans: list, late: int, by: int, **settings):
    """Return the last pictures of a tracker that gets the scans in order, and of one that gets one of them later."""
    s = settings_of(TrackingSettings, reorder_window_s=3.0, **settings)
    order = [*scans[:late], *scans[late + 1 : late + 1 + by], scans[late], *scans[late + 1 + by :]]
    plain, mixed = Tracker(s), Tracker(s)
    reordered = [mixed.step(scan).reordered for scan in order]
    for scan in scans:
        expected = plain.step(scan).tracks
    assert sum(reordered) == 1
    return (
        expected,
        mixed.step(detections_of(crossing(21), 21.0)).tracks,
        plain.step(detections_of(crossing(21), 21.0)).tracks,
    )


@pytest.mark.parametrize(("late", "by"), [(1, 1), (5, 2), (12, 3), (17, 2)])
@pytest.mark.parametrize("settings", [{}, {"method": "gnn", "model": "cv"}, {"memory_s": 20.0}])
def test_a_late_scan_gives_what_it_would_have_given_in_time(late, by, settings):
    rng = np.random.default_rng(12)
    scans = [detections_of(crossing(k) + rng.normal(0, SIGMA, (2, 4)), float(k)) for k in range(21)]
    _, mixed, plain = in_order_and_late(scans, late, by, **settings)
    i, j = np.argsort(plain.state[:, 4]), np.argsort(mixed.state[:, 4])
    np.testing.assert_allclose(mixed.state[j], plain.state[i], rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(mixed.existence_probability[j], plain.existence_probability[i])
    assert mixed.hits[j].tolist() == plain.hits[i].tolist()


def test_a_track_keeps_its_id_when_a_late_scan_is_put_before_it_was_named():
    rng = np.random.default_rng(13)
    tracker = Tracker(settings_of(TrackingSettings, reorder_window_s=5.0))
    scans = [detections_of(crossing(k) + rng.normal(0, SIGMA, (2, 4)), float(k)) for k in range(5)]
    for k in (0, 2, 3, 4):
        before = tracker.step(scans[k])
    late = tracker.step(scans[1])
    assert late.reordered
    assert late.tracks.stamp_ns == scans[4].stamp_ns
    assert late.tracks.track_id.tolist() == before.tracks.track_id.tolist()
    assert (late.tracks.hits == before.tracks.hits + 1).all()
    assert late.lost.tolist() == []


def test_two_sensors_make_one_picture_each_with_its_own_place_errors_and_rate():
    """An exact slow one and a coarse fast one, which looks elsewhere: the track has one id, and better errors than either."""
    rng = np.random.default_rng(14)
    sites = {"exact": np.array([0.0, 0.0, 0.0]), "coarse": np.array([3000.0, -4000.0, 20.0])}
    sigma = {"exact": np.array([5.0, 0.003, 0.003, np.nan]), "coarse": np.array([40.0, 0.02, 0.02, 0.5])}
    s = settings_of(TrackingSettings,
        sensors={
            "coarse": {
                "sensor_x": 3000, "sensor_y": -4000, "sensor_z": 20, "sensor_yaw_deg": 90, "detection_probability": 0.7,
                "clutter_per_scan": 8, "azimuth_fov_deg": 120,
            }
        },
        model="cv", acceleration_sigma_mps2=1.0,
    )  # fmt: skip
    tracker, alone, ids, nees = Tracker(s), Tracker(s), set(), []
    for k in range(160):
        stamp = 0.25 * k
        truth = np.array([2500.0 + 20.0 * stamp, 1500.0, 400.0, 20.0, 0.0, 0.0])
        name = "exact" if k % 8 == 0 else "coarse"
        if name == "coarse" and rng.random() > 0.7:
            scan = detections_of(np.empty((0, 4)), stamp, sensor=name)
        else:
            polar = polar_of(truth, sites[name], np.pi / 2 if name == "coarse" else 0.0) + rng.normal(
                0, np.nan_to_num(sigma[name])
            )
            polar[np.isnan(sigma[name])] = np.nan
            scan = detections_of(polar, stamp, sigma=sigma[name], sensor=name)
        tracks = tracker.step(scan).tracks
        if name == "exact":
            single, fused = alone.step(scan).tracks, tracks
        if k > 40:
            assert len(tracks) == 1
            ids.update(tracks.track_id.tolist())
            error = tracks.state[0] - truth
            nees.append(error @ np.linalg.solve(tracks.covariance[0], error))
    assert len(ids) == 1
    for axes in (slice(0, 2), slice(3, 5)):
        assert np.trace(fused.covariance[0, axes, axes]) < 0.8 * np.trace(single.covariance[0, axes, axes])
    assert np.mean(nees) < 12.0  # one run: its values are not independent, so no bounds of a chi-square
    assert set(tracker.nis()) == {"exact", "coarse"}


def test_a_sensor_on_a_turning_platform_sees_a_standing_target_stand():
    """The pose comes with each scan; the range rate that the platform's own motion makes is taken out."""
    rng = np.random.default_rng(15)
    tracker = Tracker(settings_of(TrackingSettings, max_range_m=1000.0))
    target = np.array([200.0, 150.0, 5.0, 0.0, 0.0, 0.0])
    for k in range(80):
        angle = 0.02 * k
        place = np.array([100.0 * np.sin(angle), 100.0 * (1 - np.cos(angle)), 1.0])
        velocity = 100.0 * 0.2 * np.array([np.cos(angle), np.sin(angle), 0.0])  # 20 m/s, ten scans a second
        c, q = np.cos(angle), np.sin(angle)
        pose = Pose(place, np.array([[c, -q, 0.0], [q, c, 0.0], [0.0, 0.0, 1.0]]), velocity)
        sigma = np.array([0.5, 0.01, 0.01, 0.1])
        polar = polar_of(target, place, angle, velocity) + rng.normal(0, sigma)
        tracks = tracker.step(detections_of(polar, 0.1 * k, sigma=sigma, pose=pose)).tracks
    assert len(tracks) == 1
    np.testing.assert_allclose(tracks.state[0, :3], target[:3], atol=1.5)
    assert np.linalg.norm(tracks.state[0, 3:5]) < 2.0  # the platform does 20 m/s


def test_the_class_decides_how_a_track_may_move():
    """A vessel of stated agility has a smaller velocity error than the same track without a class."""
    sigmas = []
    for entries in ({}, {"VESSEL": 0.1}):
        s = settings_of(
            TrackingSettings,
            classes=("VESSEL",),
            **{"motion.acceleration_by_class": entries},
            model="cv",
            initial_speed_sigma_mps=10.0,
        )
        tracker = Tracker(s)
        for k in range(30):
            plot = detections_of(
                polar_of(np.array([2000.0 - 5.0 * k, 300.0, 0.0, -5.0, 0.0, 0.0])), float(k), rcs=[20.0]
            )
            tracks = tracker.step(plot).tracks
        assert tracks.class_id.tolist() == [8]
        sigmas.append(np.sqrt(tracks.covariance[0, 4, 4]))
    assert sigmas[1] < 0.3 * sigmas[0]


@pytest.mark.parametrize("entry", ["VESSEL", {"BOAT": 1}, {"VESSEL": -1}, {"VESSEL": "fast"}])
def test_a_wrong_acceleration_is_refused(entry):
    with pytest.raises(ConfigError, match=next(iter(entry)) if isinstance(entry, dict) else entry):
        TrackingSettings.load({"motion.acceleration_by_class": entry})


def test_an_object_hidden_for_a_while_is_the_same_afterwards():
    """Ten misses in a row end a track, unless the parameters say that objects hide for as long."""
    kept = {}
    for visible_s in (0.0, 60.0):
        tracker = Tracker(settings_of(TrackingSettings, mean_visible_s=visible_s, mean_hidden_s=10.0))
        for k in range(40):
            seen = (
                detections_of(approach(k), float(k)) if not 15 <= k < 25 else detections_of(np.empty((0, 4)), float(k))
            )
            tracks = tracker.step(seen).tracks
            if k == 14:
                first = tracks.track_id.tolist()
        kept[visible_s] = tracks.track_id.tolist() == first
    assert kept == {0.0: False, 60.0: True}


@settings(max_examples=50)
@given(st.lists(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=4, max_size=4), max_size=5))
def test_nonsense_is_refused_and_the_picture_stays_finite(rows):
    tracker = Tracker(TrackingSettings())
    for k in range(4):
        tracker.step(detections_of(approach(k), float(k)))
    result = tracker.step(detections_of(np.array(rows).reshape(-1, 4), 4.0))
    possible = [
        0 < r[0] <= 1e8 and abs(r[1]) <= 2 * np.pi and not abs(r[2]) > np.pi and not abs(r[3]) > 299_792_458
        for r in rows
    ]
    assert result.refused == len(rows) - sum(possible)
    after = tracker.step(detections_of(approach(5), 5.0)).tracks
    assert np.isfinite(after.state).all()
    assert np.linalg.eigvalsh(after.covariance).min() > 0.0


def test_more_tracks_than_allowed_are_not_started_and_are_counted():
    tracker = Tracker(settings_of(TrackingSettings, max_tracks=5))
    plots = np.column_stack([np.full(8, 1000.0), np.linspace(-3, 3, 8), np.zeros(8), np.zeros(8)])
    assert tracker.step(detections_of(plots, 0.0)).over_capacity == 3


def test_ids_go_on_after_a_restart(tmp_path):
    def run(start: float) -> set[int]:
        tracker = Tracker(TrackingSettings(), kept_ids(tmp_path / "ids.json"))
        seen: set[int] = set()
        for k in range(5):
            seen.update(tracker.step(detections_of(approach(k), start + k)).tracks.track_id.tolist())
        return seen

    assert not run(0.0) & run(100.0)


def test_contradicting_parameters_are_refused():
    with pytest.raises(ConfigError, match="delete_probability < confirm_probability"):
        TrackingSettings.load({"existence.delete_probability": 0.995})


@pytest.mark.parametrize("kind", ["noise", "one heap", "on a line", "repeated"])
def test_a_hundred_thousand_detections_are_survived(kind):
    rng = np.random.default_rng(16)
    n = 100_000
    polar = np.column_stack(
        [rng.uniform(10, 9000, n), rng.uniform(-np.pi, np.pi, n), rng.uniform(-0.2, 0.2, n), np.zeros(n)]
    )
    if kind == "one heap":
        polar = approach(4) + rng.normal(0, SIGMA, (n, 4))
    elif kind == "on a line":
        polar[:, 1:3] = [np.pi / 2, 0.0]
    elif kind == "repeated":
        polar[:] = approach(4)
    polar[::1000, 0] = np.nan
    s = settings_of(TrackingSettings, max_tracks=500)
    tracker = Tracker(s)
    for k in range(4):
        tracker.step(detections_of(approach(k), float(k)))
    result = tracker.step(detections_of(polar, 4.0))
    assert result.refused == n // 1000
    assert len(tracker.state.tracks) <= s.max_tracks
    after = tracker.step(detections_of(approach(5), 5.0)).tracks
    assert np.isfinite(after.state).all()


@settings(max_examples=30)
@given(st.integers(0, 2**31), st.sampled_from(["cv", "ct", "imm"]), st.sampled_from(["pmb", "gnn"]))
def test_covariances_stay_symmetric_and_positive_definite(seed, model, association):
    """Through whatever comes: components missing, gaps in time, exact and coarse detections, clutter."""
    rng = np.random.default_rng(seed)
    tracker, stamp = Tracker(settings_of(TrackingSettings, model=model, method=association)), 0.0
    for k in range(12):
        stamp += 10.0 ** rng.uniform(-3, 1)
        n = int(rng.integers(0, 6))
        polar = np.array([approach(min(stamp, 60.0)) * rng.uniform(0.98, 1.02, 4) for _ in range(n)]).reshape(-1, 4)
        polar[:, 2:][rng.random((n, 2)) < 0.4] = np.nan
        tracker.step(detections_of(polar, stamp, sigma=SIGMA * 10.0 ** rng.uniform(-3, 2), cartesian=bool(k % 2)))
        P = tracker.state.tracks.kinematics.P
        np.testing.assert_array_equal(P, P.swapaxes(2, 3))
        if len(P):
            scale = np.sqrt(np.einsum("tmii->tmi", P))
            assert np.linalg.eigvalsh(P / (scale[..., :, None] * scale[..., None, :])).min() > 0.0
        assert (tracker.state.tracks["existence"] > 0.0).all()
        assert (tracker.state.tracks["existence"] <= 0.999).all()


@settings(max_examples=20)
@given(st.integers(0, 2**31))
def test_any_order_of_the_detections_gives_the_same_picture(seed):
    rng = np.random.default_rng(seed)
    plain, shuffled = Tracker(TrackingSettings()), Tracker(TrackingSettings())
    for k in range(8):
        noise = [approach(k) + rng.normal(0, 40 * SIGMA) for _ in range(int(rng.integers(0, 6)))]
        plots = np.vstack([crossing(k) + rng.normal(0, SIGMA, (2, 4)), *noise])
        a = plain.step(detections_of(plots, float(k))).tracks
        b = shuffled.step(detections_of(rng.permutation(plots), float(k))).tracks
        np.testing.assert_array_equal(a.track_id, b.track_id)
        np.testing.assert_array_equal(a.state, b.state)
        np.testing.assert_array_equal(a.covariance, b.covariance)
        np.testing.assert_array_equal(a.existence_probability, b.existence_probability)


@pytest.mark.parametrize("period_s", [16.0, 20.0])
@pytest.mark.parametrize("seed", [0, 2])
def test_a_radar_that_looks_every_twenty_seconds_keeps_its_tracks_over_a_miss(period_s, seed):
    """Against the same tracker that would coast for minutes: up to three misses in a row make no difference."""
    rng, sigma = np.random.default_rng(seed), np.array([100.0, 0.002, 0.002, 1.0])
    usual, patient = (Tracker(settings_of(TrackingSettings, max_range_m=4e5, max_coast_s=c)) for c in (30.0, 600.0))
    missed = 0
    for k in range(50):
        there = np.array([-200_000.0 + 200.0 * k * period_s, 50_000.0, 9000.0, 200.0, 0.0, 0.0])
        shown = k < 5 or rng.random() < 0.85
        polar = [polar_of(there) + rng.normal(size=4) * sigma] if shown else []
        missed = 0 if shown else missed + 1
        if missed > 3:
            break
        one, other = (t.step(detections_of(polar, k * period_s, sigma=sigma)) for t in (usual, patient))
        assert one.tracks.hits.tolist() == other.tracks.hits.tolist()
        assert one.tracks.state.tolist() == other.tracks.state.tolist()
        assert not len(one.lost)
    assert k > 20


def test_a_gap_of_minutes_is_no_period():
    """A radar that looks every second and is silent for five minutes: what it held is gone with its first scan after that."""
    tracker = Tracker(settings_of(TrackingSettings))
    for k in range(12):
        tracks = tracker.step(detections_of([approach(k)], float(k))).tracks
    assert tracks.status.tolist() == [TrackStatus.CONFIRMED]
    after = tracker.step(detections_of([], 311.0))
    assert len(after.lost) == 1
    assert not len(after.tracks)
