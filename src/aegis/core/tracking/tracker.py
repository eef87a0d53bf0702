"""The tracker: EKF on polar measurements, global nearest neighbour, existence as log odds. Tracks are rows of arrays.

Existence follows the log-likelihood ratio of Sittler's track score (Blackman and Popoli, Design and Analysis of Modern Tracking
Systems, 1999, chapter 6): its logistic is the existence probability. A hit adds ln(Pd p(z) / clutter density), a miss ln(1 - Pd).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit, logit
from scipy.stats import chi2

from aegis.core.classification.physical import PhysicalModel, decide
from aegis.core.ids import UniqueIds
from aegis.core.tracking import measurement, motion
from aegis.core.tracking.association import assign, near_pairs
from aegis.core.tracking.measurement import Measurements
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.types import ClassId, Detections, Floats, Ints, Tracks, TrackStatus, take_rows


@dataclass
class StepResult:
    """What a scan did: the picture, or the reason why the scan was dropped; and what changed."""

    tracks: Tracks | None
    dropped: str | None = None
    reset: bool = False
    confirmed: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    lost: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))  # ids of confirmed tracks now deleted
    refused: int = 0  # detections that could not be used
    over_capacity: int = 0  # detections that would have started a track beyond max_tracks


@dataclass
class _Rows:
    """All tracks; arrays of one row a track."""

    state: Floats = field(default_factory=lambda: np.empty((0, 6)))
    covariance: Floats = field(default_factory=lambda: np.empty((0, 6, 6)))
    log_odds: Floats = field(default_factory=lambda: np.empty(0))
    id: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))  # 0 before the second detection
    confirmed: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=bool))
    has_height: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=bool))
    born_ns: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    updated_ns: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    hits: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    rcs_sum: Floats = field(default_factory=lambda: np.empty(0))
    rcs_looks: Floats = field(default_factory=lambda: np.empty(0))

    def __len__(self) -> int:
        return len(self.id)

    def join(self, other: _Rows) -> _Rows:
        return _Rows(
            **{name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in self.__dataclass_fields__}
        )


class Tracker:
    """The tracking stage: `step` takes the detections of a scan and returns the picture after it."""

    def __init__(self, settings: TrackingSettings, ids: UniqueIds | None = None) -> None:
        self.settings = settings
        self.ids = ids or UniqueIds()
        self.model = PhysicalModel(tuple(ClassId[name] for name in settings.classes))
        self._origin = settings.position()
        self._rotation = settings.rotation()
        self._gate = np.array([np.inf, *(chi2.ppf(settings.gate_probability, k) for k in (1, 2, 3, 4))])
        self._hit_gain = np.log(settings.detection_probability)
        self._miss_gain = np.log1p(-settings.detection_probability)
        self._rows = _Rows()
        self._now_ns: int | None = None

    def reset(self) -> None:
        """Forget all tracks and the time; ids go on."""
        self._rows = _Rows()
        self._now_ns = None

    def step(self, detections: Detections) -> StepResult:
        """Advance the picture to a scan. A scan not newer than the picture is dropped, unless time has plainly begun anew."""
        result = StepResult(None)
        stamp = detections.stamp_ns
        if self._now_ns is not None and stamp <= self._now_ns:
            age_s = (self._now_ns - stamp) * 1e-9
            if age_s <= self.settings.reset_after_s:
                result.dropped = "duplicate scan" if age_s == 0.0 else "scan older than the picture"
                return result
            result.reset = True
            result.lost = self._rows.id[self._rows.confirmed]
            self.reset()
        usable = np.flatnonzero(measurement.plausible(detections))
        result.refused = len(detections) - len(usable)
        detections = take_rows(detections, usable)
        z = measurement.from_detections(detections, self._origin, self._rotation)
        self._predict(stamp)
        before = self._rows.id[self._rows.confirmed]
        used = self._update(z, detections.rcs_dbsm, stamp)
        result.over_capacity = self._initiate(z, detections.rcs_dbsm, ~used, stamp)
        self._prune(stamp)
        rows = self._rows
        newly = ~rows.confirmed & (rows.log_odds >= logit(self.settings.confirm_probability)) & (rows.id > 0)
        rows.confirmed |= newly
        result.confirmed = np.sort(rows.id[newly])
        result.lost = np.concatenate([result.lost, np.setdiff1d(before, rows.id)])
        result.tracks = self._picture(detections.sequence, stamp)
        return result

    def _predict(self, stamp: int) -> None:
        rows, s = self._rows, self.settings
        dt = 0.0 if self._now_ns is None else (stamp - self._now_ns) * 1e-9
        self._now_ns = stamp
        if not len(rows) or dt == 0.0:
            return
        sigma = np.empty((len(rows), 3))
        sigma[:, :2] = s.acceleration_sigma_mps2
        # Where height has never been measured its variance stays that of the prior, instead of growing for ever.
        sigma[:, 2] = np.where(rows.has_height, s.vertical_acceleration_sigma_mps2, 0.0)
        rows.state, rows.covariance = motion.predict(rows.state, rows.covariance, dt, motion.process_noise(dt, sigma))
        # Survival: the existence probability shrinks with the mean lifetime.
        rows.log_odds = logit(expit(rows.log_odds) * np.exp(-dt / s.mean_lifetime_s))

    def _update(self, z: Measurements, rcs: Floats, stamp: int) -> np.ndarray:
        """Associate and update; return which detections (D,) were used."""
        rows = self._rows
        used = np.zeros(len(rcs), dtype=bool)
        hit = np.zeros(len(rows), dtype=bool)
        if len(rows):
            value, jacobian = measurement.expected(rows.state, self._origin, self._rotation, polar=z.polar)
            spread = jacobian @ rows.covariance @ jacobian.swapaxes(1, 2)
            # Confirmed tracks choose first: a tentative track beside one is more often its echo than its rival.
            for group in (rows.confirmed, ~rows.confirmed):
                free = np.flatnonzero(~used)
                index = np.flatnonzero(group)
                t, d, gain, innovation, total = self._gated(z, index, free, value, spread)
                pair = assign(t, d, gain, len(rows), len(used))
                self._correct(z, t[pair], d[pair], jacobian, innovation[pair], total[pair])
                rows.log_odds[t[pair]] += gain[pair] + self._miss_gain
                rows.rcs_sum[t[pair]] += np.nan_to_num(rcs[d[pair]])
                rows.rcs_looks[t[pair]] += np.isfinite(rcs[d[pair]])
                rows.has_height[t[pair]] |= z.measured[d[pair], 2]
                used[d[pair]] = True
                hit[t[pair]] = True
            rows.hits[hit] += 1
            rows.updated_ns[hit] = stamp
            second = np.flatnonzero(hit & (rows.id == 0))
            rows.id[second] = self.ids.take(len(second))
        missed = ~hit & self._in_view(rows.state)
        rows.log_odds[missed] += self._miss_gain
        rows.log_odds = np.minimum(rows.log_odds, logit(self.settings.max_existence))
        return used

    def _gated(
        self, z: Measurements, index: Ints, free: Ints, value: Floats, spread: Floats
    ) -> tuple[Ints, Ints, Floats, Floats, Floats]:
        """Return the gated pairs: track, detection, gain over a miss, innovation (K, 4) and its covariance (K, 4, 4)."""
        rows = self._rows
        dimension = 3 if z.measured[free, 2].any() else 2
        position_variance = np.trace(rows.covariance[index][:, :dimension, :dimension], axis1=1, axis2=2)
        widest = float(z.position_sigma[free].max(initial=0.0))
        radius = np.sqrt(self._gate[-1] * (position_variance + dimension * widest**2))
        t, d = near_pairs(rows.state[index, :dimension], radius, z.position[free, :dimension])
        t, d = index[t], free[d]
        both = z.measured[d]
        innovation = np.where(both, measurement.residual(z.value[d], value[t], polar=z.polar), 0.0)
        mask = both[:, :, None] & both[:, None, :]
        total = np.where(mask, spread[t], 0.0)
        diagonal = np.arange(4)
        # An unmeasured component gets innovation 0 and variance 1: it then weighs nothing below.
        total[:, diagonal, diagonal] += np.where(both, z.variance[d], 1.0)
        distance = np.einsum("ki,ki->k", innovation, np.linalg.solve(total, innovation[:, :, None])[:, :, 0])
        size = both.sum(axis=1)
        inside = distance <= self._gate[size]
        t, d, innovation, total, distance, size = (
            a[inside] for a in (t, d, innovation, total, distance, size)
        )  # fmt: skip
        _, log_det = np.linalg.slogdet(total)
        likelihood = -0.5 * (distance + log_det + size * np.log(2.0 * np.pi))
        clutter = np.log(self.settings.clutter_per_scan) - self._log_volume(z.measured[d], polar=z.polar)
        return t, d, self._hit_gain + likelihood - clutter - self._miss_gain, innovation, total

    def _correct(self, z: Measurements, t: Ints, d: Ints, jacobian: Floats, innovation: Floats, total: Floats) -> None:
        """Kalman update of tracks t by detections d, in Joseph's form, which keeps the covariance positive."""
        rows = self._rows
        h = np.where(z.measured[d][:, :, None], jacobian[t], 0.0)
        p = rows.covariance[t]
        gain = np.linalg.solve(total, h @ p).swapaxes(1, 2)
        rows.state[t] += np.einsum("kij,kj->ki", gain, innovation)
        keep = np.eye(6) - gain @ h
        noise = np.where(z.measured[d], z.variance[d], 1.0)
        updated = keep @ p @ keep.swapaxes(1, 2) + (gain * noise[:, None, :]) @ gain.swapaxes(1, 2)
        rows.covariance[t] = 0.5 * (updated + updated.swapaxes(1, 2))

    def _initiate(self, z: Measurements, rcs: Floats, candidate: np.ndarray, stamp: int) -> int:
        """Start a track from every candidate detection (D,); return how many would have been too many."""
        rows, s = self._rows, self.settings
        if s.birth_exclusion_m > 0.0:
            fresh = rows.state[rows.confirmed & (rows.updated_ns == stamp), :2]
            _, crowded = near_pairs(fresh, np.full(len(fresh), s.birth_exclusion_m), z.position[:, :2])
            candidate = candidate.copy()
            candidate[crowded] = False
        index = np.flatnonzero(candidate)
        room = max(0, s.max_tracks - len(rows))
        refused = max(0, len(index) - room)
        index = index[:room]
        n = len(index)
        state = np.zeros((n, 6))
        state[:, :3] = z.position[index]
        line = state[:, :3] - self._origin
        line /= np.maximum(np.linalg.norm(line, axis=1), measurement.MIN_RANGE_M)[:, None]
        measured = z.measured[index]
        state[:, 3:] = line * np.where(measured[:, 3], z.value[index, 3], 0.0)[:, None]

        covariance = np.zeros((n, 6, 6))
        covariance[:, :3, :3] = self._position_covariance(z, index, line)
        along = line[:, :, None] * line[:, None, :]
        free = np.broadcast_to(np.eye(3), (n, 3, 3)) * s.initial_speed_sigma_mps**2
        radial = np.where(measured[:, 3], z.variance[index, 3] - s.initial_speed_sigma_mps**2, 0.0)
        covariance[:, 3:, 3:] = free + along * radial[:, None, None]
        flat = ~measured[:, 2]
        covariance[flat, 2, :] = covariance[flat, :, 2] = 0.0
        covariance[flat, 5, :] = covariance[flat, :, 5] = 0.0
        covariance[flat, 2, 2] = s.initial_height_sigma_m**2

        looks = np.isfinite(rcs[index]).astype(float)
        self._rows = rows.join(
            _Rows(
                state=state,
                covariance=covariance,
                log_odds=np.full(n, np.log(s.births_per_scan / s.clutter_per_scan)),
                id=np.zeros(n, dtype=np.int64),
                confirmed=np.zeros(n, dtype=bool),
                has_height=measured[:, 2].copy(),
                born_ns=np.full(n, stamp),
                updated_ns=np.full(n, stamp),
                hits=np.ones(n, dtype=np.int64),
                rcs_sum=np.nan_to_num(rcs[index]),
                rcs_looks=looks,
            )
        )
        return refused

    def _position_covariance(self, z: Measurements, index: Ints, line: Floats) -> Floats:
        """Return (n, 3, 3): the measurement's errors along and across the line of sight, in map."""
        variance = z.variance[index]
        if not z.polar:
            return np.eye(3)[None] * variance[:, 0, None, None]
        reach = z.position[index] - self._origin
        r2 = np.einsum("ni,ni->n", reach, reach)
        up = self._rotation[:, 2]
        side = np.cross(up, line)
        ground = np.maximum(np.linalg.norm(side, axis=1), 1e-6)
        side /= ground[:, None]
        lift = np.cross(line, side)
        out: Floats = (
            (line[:, :, None] * line[:, None, :]) * variance[:, 0, None, None]
            + (side[:, :, None] * side[:, None, :]) * (r2 * ground**2 * variance[:, 1])[:, None, None]
            + (lift[:, :, None] * lift[:, None, :]) * (r2 * variance[:, 2])[:, None, None]
        )
        return out

    def _prune(self, stamp: int) -> None:
        rows, s = self._rows, self.settings
        silent_s = (stamp - rows.updated_ns) * 1e-9
        # A new track begins at the odds of a birth against a false alarm, which may lie under the deletion bound.
        lowest = min(logit(s.delete_probability), np.log(s.births_per_scan / s.clutter_per_scan) - 1e-9)
        keep = (rows.log_odds >= lowest) & (silent_s <= s.max_coast_s) & np.isfinite(rows.state).all(axis=1)
        if not keep.all():
            self._rows = take_rows(rows, np.flatnonzero(keep))

    def _in_view(self, state: Floats) -> np.ndarray:
        """Return (N,) whether the sensor could have seen each track."""
        s = self.settings
        local = (state[:, :3] - self._origin) @ self._rotation
        r = np.linalg.norm(local, axis=1)
        azimuth = np.arctan2(local[:, 1], local[:, 0])
        visible: np.ndarray = (
            (r >= s.min_range_m) & (r <= s.max_range_m) & (np.abs(azimuth) <= np.deg2rad(s.azimuth_fov_deg) / 2 + 1e-9)
        )  # fmt: skip
        return visible

    def _log_volume(self, measured: np.ndarray, *, polar: bool) -> Floats:
        """Return (K,) ln of the volume of measurement space over which false alarms spread, of what was measured."""
        s = self.settings
        azimuth, elevation = np.deg2rad(s.azimuth_fov_deg), np.deg2rad(s.elevation_fov_deg)
        if polar:
            extent = np.array([s.max_range_m - s.min_range_m, azimuth, elevation, s.range_rate_span_mps])
            out: Floats = measured @ np.log(extent)
            return out
        area = 0.5 * azimuth * (s.max_range_m**2 - s.min_range_m**2)
        height = 2.0 * s.max_range_m * np.sin(min(elevation, np.pi) / 2.0)
        optional: Floats = measured[:, 2] * np.log(height) + measured[:, 3] * np.log(s.range_rate_span_mps)
        flat: Floats = np.log(area) + optional
        return flat

    def _picture(self, sequence: int, stamp: int) -> Tracks:
        rows = self._rows
        index = np.flatnonzero(rows.id > 0)
        rows = take_rows(rows, index[np.argsort(rows.id[index])])
        silent_s: Floats = np.asarray(stamp - rows.updated_ns, dtype=np.float64) * 1e-9
        status = np.where(rows.confirmed, int(TrackStatus.CONFIRMED), int(TrackStatus.TENTATIVE))
        status[rows.confirmed & (silent_s > 0.0)] = int(TrackStatus.COASTING)
        with np.errstate(invalid="ignore", divide="ignore"):
            rcs = rows.rcs_sum / rows.rcs_looks  # NaN where no detection stated it
        speed = np.linalg.norm(rows.state[:, 3:], axis=1)
        speed_sigma = np.sqrt(np.trace(rows.covariance[:, 3:, 3:], axis1=1, axis2=2))
        height = np.where(rows.has_height, rows.state[:, 2] - self._origin[2], np.nan)
        probability = self.model.posterior(
            len(rows),
            rcs_dbsm=rcs,
            looks=rows.rcs_looks,
            speed=speed,
            speed_sigma=speed_sigma,
            height=height,
            height_sigma=np.sqrt(rows.covariance[:, 2, 2]),
        )
        class_id, _ = decide(probability, self.settings.confidence_threshold)
        return Tracks(
            stamp_ns=stamp,
            frame_id=self.settings.frame_id,
            sequence=sequence,
            track_id=rows.id,
            status=status.astype(np.int64),
            state=rows.state,
            covariance=rows.covariance,
            class_id=class_id,
            class_probability=probability,
            existence_probability=expit(rows.log_odds),
            rcs_dbsm=rcs,
            age=np.asarray(stamp - rows.born_ns, dtype=np.float64) * 1e-9,
            time_since_update=silent_s,
            hits=rows.hits,
        )
