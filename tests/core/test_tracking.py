"""The tracker's parts against filterpy and closed forms, and its behaviour on simple scenes."""

from itertools import permutations

import numpy as np
import pytest
from filterpy.common import Q_continuous_white_noise
from filterpy.kalman import ExtendedKalmanFilter, KalmanFilter
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from scipy.stats import chi2

from aegis.core.ids import UniqueIds
from aegis.core.params import ConfigError
from aegis.core.tracking import measurement, motion
from aegis.core.tracking.association import assign, near_pairs
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.tracker import Tracker
from aegis.core.types import N_CLASSES, Detections, TrackStatus

SECOND = 1_000_000_000
SIGMA = np.array([5.0, 0.005, 0.005, 0.2])


def detections_of(polar: np.ndarray, stamp_s: float, *, sigma=SIGMA, sequence=1, cartesian=False) -> Detections:
    """Return detections of rows (range, azimuth, elevation, range rate); NaN is unknown."""
    polar = np.asarray(polar, dtype=float).reshape(-1, 4)
    n = len(polar)
    variance = np.where(np.isfinite(polar), np.broadcast_to(np.asarray(sigma) ** 2, (n, 4)), np.nan)
    if cartesian:
        variance[:, :3] = np.where(
            np.isfinite(polar[:, :3]),
            sigma[0] ** 2 / np.column_stack([np.ones(n), polar[:, 0], polar[:, 0]]) ** [0, 2, 2],
            np.nan,
        )
    unknown = np.full(n, np.nan)
    return Detections(
        stamp_ns=round(stamp_s * SECOND), frame_id="radar", sequence=sequence, sensor_id="test", cartesian_accuracy=cartesian,
        id=np.arange(1, n + 1), range=polar[:, 0], azimuth=polar[:, 1], elevation=polar[:, 2], range_rate=polar[:, 3],
        variance=variance, snr_db=unknown, rcs_dbsm=unknown, noise_db=unknown, points=np.ones(n, dtype=int),
        class_id=np.zeros(n, dtype=int), confidence=np.zeros(n), class_probability=np.zeros((n, N_CLASSES)),
    )  # fmt: skip


def polar_of(state: np.ndarray, origin=(0.0, 0.0, 0.0), yaw=0.0) -> np.ndarray:
    """Return (range, azimuth, elevation, range rate) of a state, by the definition."""
    c, s = np.cos(-yaw), np.sin(-yaw)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    p, v = turn @ (state[:3] - np.asarray(origin)), turn @ state[3:]
    r = np.linalg.norm(p)
    return np.array([r, np.arctan2(p[1], p[0]), np.arcsin(p[2] / r), p @ v / r])


STATE = st.builds(
    lambda a, b, c, v: np.array([a, b, c, *v]),
    st.floats(100, 5000), st.floats(-5000, 5000), st.floats(-500, 3000), st.tuples(*[st.floats(-300, 300)] * 3),
)  # fmt: skip


@settings(deadline=None)
@given(STATE, st.floats(-100, 100), st.floats(-180, 180), st.booleans())
def test_measurement_and_its_jacobian(state, offset, yaw_deg, polar):
    s = TrackingSettings(sensor_x=offset, sensor_y=-offset, sensor_z=offset / 10, sensor_yaw_deg=yaw_deg)

    def h(x):
        return measurement.expected(x[None], s.position(), s.rotation(), polar=polar)[0][0]

    value, jacobian = measurement.expected(state[None], s.position(), s.rotation(), polar=polar)
    definition = polar_of(state, s.position(), np.deg2rad(yaw_deg))
    if polar:
        np.testing.assert_allclose(measurement.residual(value, definition[None], polar=True), 0.0, atol=1e-9)
    else:
        np.testing.assert_allclose(value[0], [*state[:3], definition[3]], atol=1e-9)
    if abs(abs(definition[1]) - np.pi) > 1e-3:  # a finite difference across the jump of the azimuth says nothing
        # Positions are thousands of metres: a step of 1e-3 keeps the difference above rounding.
        np.testing.assert_allclose(jacobian[0], approx_fprime(state, h, 1e-3), atol=2e-4)


@given(st.floats(0.01, 10.0), st.floats(0.1, 20.0))
def test_process_noise_is_that_of_filterpy(dt, sigma):
    ours = motion.process_noise(dt, np.full((1, 3), sigma))[0]
    theirs = Q_continuous_white_noise(dim=2, dt=dt, spectral_density=sigma**2, block_size=3, order_by_dim=False)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def follow(tracker: Tracker, scans: list[Detections]):
    """Return the single track's pictures."""
    out = []
    for scan in scans:
        tracks = tracker.step(scan).tracks
        assert len(tracks) <= 1
        out.append(tracks)
    return out


def test_a_polar_track_is_filterpys_extended_kalman_filter():
    """The same numbers as filterpy's EKF, from the same start, over 30 scans of a passing target."""
    rng = np.random.default_rng(3)
    s = TrackingSettings(gate_probability=1 - 1e-12, clutter_per_scan=1e-6)
    tracker = Tracker(s)
    truth = np.array([2000.0, -1500.0, 300.0, -60.0, 90.0, 5.0])
    start = tracker.step(detections_of(polar_of(truth) + rng.normal(0, SIGMA), 0.0))
    rows = tracker._rows
    ekf = ExtendedKalmanFilter(dim_x=6, dim_z=4)
    ekf.x, ekf.P, ekf.R = rows.state[0].copy(), rows.covariance[0].copy(), np.diag(SIGMA**2)
    assert start.tracks is not None
    for k in range(1, 31):
        truth[:3] += truth[3:]
        z = polar_of(truth) + rng.normal(0, SIGMA)
        tracks = tracker.step(detections_of(z, float(k))).tracks
        ekf.F, ekf.Q = motion.transition(1.0), np.zeros((6, 6))
        for axes, sigma in (((0, 1), s.acceleration_sigma_mps2), ((2,), s.vertical_acceleration_sigma_mps2)):
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
    s = TrackingSettings(gate_probability=1 - 1e-12, clutter_per_scan=1e-6, acceleration_sigma_mps2=0.5)
    tracker = Tracker(s)
    sigma = np.array([6.0, 0, 0, 1.0])

    def plot(xy, t):
        return detections_of([np.hypot(*xy), np.arctan2(xy[1], xy[0]), np.nan, np.nan], t, sigma=sigma, cartesian=True)

    truth = np.array([5.0, 3.0, -2.0, 4.0])  # passes the origin, where polar coordinates are of no use
    tracker.step(plot(truth[:2] + rng.normal(0, 6, 2), 0.0))
    kf = KalmanFilter(dim_x=4, dim_z=2)
    axes = [0, 1, 3, 4]
    kf.x, kf.P = tracker._rows.state[0][axes].copy(), tracker._rows.covariance[0][np.ix_(axes, axes)].copy()
    kf.F = motion.transition(2.0)[np.ix_(axes, axes)]
    kf.Q = Q_continuous_white_noise(dim=2, dt=2.0, spectral_density=0.25, block_size=2, order_by_dim=False)
    kf.H, kf.R = np.eye(2, 4), np.eye(2) * 36.0
    for k in range(1, 21):
        truth[:2] += 2.0 * truth[2:]
        z = truth[:2] + rng.normal(0, 6, 2)
        tracks = tracker.step(plot(z, 2.0 * k)).tracks
        kf.predict()
        kf.update(z)
        np.testing.assert_allclose(tracks.state[0][axes], kf.x, atol=1e-6)
        np.testing.assert_allclose(tracks.covariance[0][np.ix_(axes, axes)], kf.P, atol=1e-6)
    assert tracks.covariance[0, 2, 2] == pytest.approx(s.initial_height_sigma_m**2)  # height stays as unknown as it was


def test_estimates_are_consistent():
    """NEES of 200 matched runs inside its 95 % bounds: the covariance is what the errors are."""
    rng = np.random.default_rng(5)
    runs, total = 200, 0.0
    s = TrackingSettings(gate_probability=1 - 1e-12, clutter_per_scan=1e-6, acceleration_sigma_mps2=1.0,
                         vertical_acceleration_sigma_mps2=1.0, initial_speed_sigma_mps=30.0)  # fmt: skip
    chol = np.linalg.cholesky(motion.process_noise(1.0, np.ones((1, 3)))[0])
    for _ in range(runs):
        truth = np.array([3000.0, 1000.0, 500.0, *rng.normal(0, 30.0, 3)])
        tracker = Tracker(s)
        for k in range(15):
            tracks = tracker.step(detections_of(polar_of(truth) + rng.normal(0, SIGMA), float(k))).tracks
            at = truth
            truth = motion.transition(1.0) @ truth + chol @ rng.normal(size=6)
        error = tracks.state[0] - at
        total += error @ np.linalg.solve(tracks.covariance[0], error)
    assert chi2.ppf(0.025, 6 * runs) < total < chi2.ppf(0.975, 6 * runs)


def best_total(gain: dict[tuple[int, int], float], n: int, m: int) -> float:
    """Return the largest total gain of any assignment, by trying all."""
    best = 0.0
    targets = [*range(m), *[-1] * n]
    for order in set(permutations(targets, n)):
        best = max(best, sum(gain.get((i, j), 0.0 if j < 0 else -np.inf) for i, j in enumerate(order)))
    return best


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 10_000))
def test_the_assignment_is_the_best_there_is(n, m, seed):
    rng = np.random.default_rng(seed)
    pairs = [(i, j) for i in range(n) for j in range(m) if rng.random() < 0.6]
    gain = rng.normal(0, 1, len(pairs))
    t, d = np.array([p[0] for p in pairs], dtype=int), np.array([p[1] for p in pairs], dtype=int)
    chosen = assign(t, d, gain, n, m)
    assert len(set(t[chosen])) == len(set(d[chosen])) == len(chosen)
    assert gain[chosen].sum() == pytest.approx(best_total(dict(zip(pairs, gain, strict=True)), n, m))


def test_near_pairs_are_all_within_the_radius():
    rng = np.random.default_rng(6)
    a, b, radius = rng.uniform(0, 10, (40, 2)), rng.uniform(0, 10, (50, 2)), rng.uniform(0, 4, 40)
    t, d = near_pairs(a, radius, b)
    inside = np.linalg.norm(a[:, None] - b[None], axis=2) <= radius[:, None]
    assert set(zip(t.tolist(), d.tolist(), strict=True)) == {tuple(p) for p in np.argwhere(inside).tolist()}


def approach(k: float) -> np.ndarray:
    return polar_of(np.array([4000.0 - 50.0 * k, 500.0, 200.0, -50.0, 0.0, 0.0]))


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
    np.testing.assert_allclose(silent.state[0, :3], tracks.state[0, :3] + tracks.state[0, 3:], rtol=1e-9)
    assert silent.existence_probability[0] < tracks.existence_probability[0]
    k, lost = 9, []
    while not lost and k < 60:
        lost = tracker.step(detections_of(np.empty((0, 4)), float(k))).lost.tolist()
        k += 1
    assert lost == [first]
    assert k < 9 + s.max_coast_s + 2
    for j in range(4):
        tracks = tracker.step(detections_of(approach(j), float(k + j))).tracks
    assert tracks.track_id.tolist() == [first + 1]


def test_a_target_outside_the_view_is_not_punished():
    s = TrackingSettings(azimuth_fov_deg=90.0)
    tracker = Tracker(s)
    for k in range(10):
        before = tracker.step(detections_of(approach(k), float(k))).tracks
    behind = before.state[0].copy()
    behind[:3] = [-1000.0, 0.0, 200.0]
    tracker._rows.state[0] = behind
    after = tracker.step(detections_of(np.empty((0, 4)), 10.0)).tracks
    assert after.existence_probability[0] > 0.99 * before.existence_probability[0]


def test_false_alarms_alone_confirm_almost_nothing():
    rng = np.random.default_rng(7)
    s = TrackingSettings(clutter_per_scan=20.0, max_range_m=10_000.0, elevation_fov_deg=30.0, range_rate_span_mps=600.0)
    tracker, confirmed, scans = Tracker(s), 0, 300
    for k in range(scans):
        n = rng.poisson(20)
        plots = np.column_stack([
            rng.uniform(10, 10_000, n), rng.uniform(-np.pi, np.pi, n), rng.uniform(-0.26, 0.26, n), rng.uniform(-300, 300, n),
        ])  # fmt: skip
        confirmed += len(tracker.step(detections_of(plots, 0.5 * k)).confirmed)
    assert confirmed <= 3  # 6000 false alarms


def crossing(k: int) -> np.ndarray:
    a = np.array([2000.0, -400.0 + 40.0 * k, 100.0, 0.0, 40.0, 0.0])
    b = np.array([2050.0, 400.0 - 40.0 * k, 100.0, 0.0, -40.0, 0.0])
    return np.array([polar_of(a), polar_of(b)])


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


def test_the_order_of_the_detections_changes_nothing():
    rng = np.random.default_rng(9)
    plain, shuffled = Tracker(TrackingSettings()), Tracker(TrackingSettings())
    for k in range(10):
        plots = np.vstack([crossing(k), approach(k)]) + rng.normal(0, SIGMA, (3, 4))
        order = rng.permutation(3)
        a = plain.step(detections_of(plots, float(k))).tracks
        b = shuffled.step(detections_of(plots[order], float(k))).tracks
        i, j = np.lexsort(a.state.T), np.lexsort(b.state.T)
        np.testing.assert_allclose(a.state[i], b.state[j], rtol=1e-9)


def test_old_and_repeated_scans_are_dropped_and_a_new_epoch_resets():
    tracker = Tracker(TrackingSettings())
    for k in range(10):
        tracker.step(detections_of(approach(k), 100.0 + k))
    assert tracker.step(detections_of(approach(9), 109.0)).dropped == "duplicate scan"
    assert tracker.step(detections_of(approach(8), 108.0)).dropped == "scan older than the picture"
    again = tracker.step(detections_of(approach(0), 0.0))
    assert again.reset
    assert again.lost.tolist() == [1]
    assert len(again.tracks) == 0
    later = tracker.step(detections_of(approach(1), 1.0))
    assert not later.reset
    assert later.tracks.track_id.tolist() == [2]


@settings(deadline=None, max_examples=50)
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
    tracker = Tracker(TrackingSettings(max_tracks=5))
    plots = np.column_stack([np.full(8, 1000.0), np.linspace(-3, 3, 8), np.zeros(8), np.zeros(8)])
    assert tracker.step(detections_of(plots, 0.0)).over_capacity == 3


def test_ids_go_on_after_a_restart(tmp_path):
    def run(start: float) -> set[int]:
        tracker = Tracker(TrackingSettings(), UniqueIds(tmp_path / "ids.json"))
        seen: set[int] = set()
        for k in range(5):
            seen.update(tracker.step(detections_of(approach(k), start + k)).tracks.track_id.tolist())
        return seen

    assert not run(0.0) & run(100.0)


def test_contradicting_parameters_are_refused():
    with pytest.raises(ConfigError, match="delete_probability < confirm_probability"):
        TrackingSettings.load({"delete_probability": 0.995})
