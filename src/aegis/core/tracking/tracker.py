"""The tracker: what a scan does to the picture. Tracks are rows of arrays; the inner loops are compiled.

A Poisson multi-Bernoulli filter with one Gaussian mixture over motion modes a track. Every scan: predict, gate, probabilities of
all associations, update, existence, new tracks, and what is left is named, confirmed or deleted.
"""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.stats import chi2

from aegis.core.classification.physical import PhysicalModel, decide
from aegis.core.ids import UniqueIds
from aegis.core.tracking import existence, extent, measurement, motion, rows
from aegis.core.tracking.association import gate_keys
from aegis.core.tracking.births import BirthPlaces, first_state
from aegis.core.tracking.clutter import ClutterMap
from aegis.core.tracking.consistency import Consistency, Nis
from aegis.core.tracking.existence import Existence
from aegis.core.tracking.measurement import Plots, SensorView
from aegis.core.tracking.motion import Kinematics, Motion
from aegis.core.tracking.registration import Bias, Registration
from aegis.core.tracking.rows import Rows
from aegis.core.tracking.scan import Association, Predicted, observe
from aegis.core.tracking.settings import Sensor, TrackingSettings
from aegis.core.types import ClassId, Detections, Floats, Ints, Pose, Tracks, TrackStatus, take_rows

AXES = np.arange(3)
PROBABLE = 0.5  # more probable than not: a detection that no track explains is counted as a false alarm
NO_IDS = np.empty(0, dtype=np.int64)
CLEAR = 0.9  # probability of an association from which it tells of the sensor: for NIS and registration
SETTLED_HITS = 3  # before, a track's velocity is still that of the prior
SCANS_KEPT = 256  # for putting late scans in their place, at most
SCATTER_RATE = 0.2  # weight of a scan in the spread of an extended object's detections
BIRTH_NUMBERS = 2**24  # detections of one scan are numbered below this


@dataclass
class StepResult:
    """What a scan did: the picture, or the reason why the scan was dropped; and what changed."""

    tracks: Tracks | None
    dropped: str | None = None
    reset: bool = False
    reordered: bool = False  # the scan came late and was put in its place
    resumed: bool | None = None  # the picture of an earlier process was taken up, or was too old; None: there was none
    confirmed: Ints = field(default_factory=NO_IDS.copy)
    lost: Ints = field(default_factory=NO_IDS.copy)  # ids of confirmed tracks now deleted
    refused: int = 0  # detections that could not be used
    over_capacity: int = 0  # detections that would have started a track beyond max_tracks


@dataclass(frozen=True)
class _Sensor:
    """A sensor's parameters, and what follows from them."""

    model: Sensor
    pose: Pose
    log_polar: Floats  # (4,) ln of the extent of the view in range, azimuth, elevation, range rate
    log_plane: Floats  # (4,) the same of the plane (as the first component), height, range rate
    view: tuple[float, float, float, float]  # nearest, farthest [m], largest |azimuth|, |elevation| [rad]

    @classmethod
    def of(cls, model: Sensor) -> _Sensor:
        azimuth, elevation = np.deg2rad(model.azimuth_fov_deg), np.deg2rad(model.elevation_fov_deg)
        near, far = model.min_range_m, model.max_range_m
        height = 2.0 * far * np.sin(elevation / 2.0)
        return cls(
            model,
            Pose(model.position(), model.rotation(), np.zeros(3)),
            np.log([far - near, azimuth, elevation, model.range_rate_span_mps]),
            np.log([0.5 * azimuth * (far**2 - near**2), 1.0, height, model.range_rate_span_mps]),
            (near, far, azimuth / 2.0 + 1e-9, elevation / 2.0 + 1e-9),
        )


@dataclass(frozen=True)
class _Moment:
    """The picture after a scan, kept so that a late scan can be put before later ones."""

    stamp_ns: int
    serial: int
    detections: Detections | None  # None: the picture comes from another process
    after: Rows
    context: _Context


@dataclass(frozen=True)
class _Context:
    """What besides the tracks a scan finds and leaves; replaced, not changed."""

    entered: tuple[Floats, Floats, Floats] | None = None  # of BirthPlaces
    clutter: dict[str, ClutterMap] = field(default_factory=dict)  # by sensor
    undetected: dict[str, float] = field(default_factory=dict)  # objects in each sensor's view, not shown yet


@dataclass(frozen=True)
class _Scan:
    """What a scan brings to the tracks."""

    stamp_ns: int
    sensor: _Sensor
    pose: Pose
    z: Plots
    rcs: Floats
    scatter: Floats  # variance of an extended object's scatterers [m^2]
    log_background: Floats
    sensor_id: str
    learn: bool


class Tracker:
    """The tracking stage: `step` takes the detections of a scan and returns the picture after it."""

    def __init__(self, settings: TrackingSettings, ids: UniqueIds | None = None) -> None:
        """Make a tracker."""
        s = self.settings = settings.flat()
        self.ids = ids or UniqueIds()
        self.model = PhysicalModel(settings.classification.class_ids())
        self._sensors = {name: _Sensor.of(model) for name, model in settings.sensor_models().items()}
        self._gate = np.array([0.0, *(chi2.ppf(s.gate_probability, k) for k in (1, 2, 3, 4))])
        modes = motion.MODES[s.motion]
        self._blank = Rows.empty(len(modes), motion.dimension(s.motion))
        self._turn_variance = np.deg2rad(s.turn_rate_sigma_degps) ** 2
        acceleration = np.full((len(ClassId), 2), [s.acceleration_sigma_mps2, s.vertical_acceleration_sigma_mps2])
        for class_id, sigma in s.accelerations.items():
            acceleration[class_id] = sigma
        self._motion = Motion(modes, acceleration**2, self._turn_variance, np.deg2rad(s.turn_rate_change_degps) ** 2)
        self._association = Association(self._gate, s.association == "gnn", s.association_sharpness)
        self._places = (
            BirthPlaces(s.birth_places, s.initial_speed_sigma_mps, s.initial_height_sigma_m) if s.birth_places else None
        )
        self._max_coast_ns = round(s.max_coast_s * 1e9)
        self._serial = 0
        self.consistency = Consistency(self._gate)
        self.registration = Registration(s.registration_reference)
        self._resume: tuple[Rows, int] | None = None
        self.reset()

    def reset(self) -> None:
        """Forget all tracks and the time; ids go on."""
        self._rows = self._blank
        self._confirmed = NO_IDS  # of the last picture, ascending
        self._now_ns: int | None = None
        self._context = _Context()
        self._ended_ns: int | None = None  # the picture's time before a reset by the stamps
        self._history: list[_Moment] = []
        self._base: _Moment | None = None  # what the history follows
        self._sensor_ns: dict[str, int] = {}
        self._known: dict[int, int] = {}
        self._resume = None
        self.registration.forget()
        if self._places is not None:
            self._places.forget()

    def step(self, detections: Detections) -> StepResult:
        """Advance the picture to a scan, or put a late one in its place; else drop it, unless time has plainly begun anew."""
        result = StepResult(None)
        stamp, sensor_id = detections.stamp_ns, detections.sensor_id
        window_ns = round(self.settings.reorder_window_s * 1e9)
        before = self._confirmed
        last = self._sensor_ns.get(sensor_id)
        again_ns = max(window_ns, round(self.settings.reset_after_s * 1e9))
        if last is not None and last - stamp > again_ns:
            result.reset = True
            ended_ns, last = self._now_ns, None
            self.reset()
            self._ended_ns = ended_ns
        result.resumed = self._take_up(stamp)
        if (
            self._ended_ns is not None and self._now_ns is not None and last is None
            and abs(stamp - self._ended_ns) <= again_ns < stamp - self._now_ns
        ):  # fmt: skip
            result.dropped = "scan from before the reset"  # of another sensor, on its way when time began anew
            return result
        if self._now_ns is not None and stamp <= self._now_ns:
            if (sensor_id, stamp) in {
                (m.detections.sensor_id, m.stamp_ns) for m in (*self._history, self._base) if m and m.detections
            } or stamp == last:
                result.dropped = "duplicate scan"
            elif self._now_ns - stamp > window_ns or (self._base is not None and stamp < self._base.stamp_ns):
                result.dropped = "scan older than the reorder window"
            if result.dropped:
                return result
        usable = measurement.plausible(detections)
        result.refused = int((~usable).sum())
        if result.refused:
            detections = take_rows(detections, np.flatnonzero(usable))
        self._sensor_ns[sensor_id] = stamp if last is None else max(stamp, last)
        self._serial += 1
        result.reordered = self._now_ns is not None and stamp < self._now_ns
        later = self._go_back(stamp) if result.reordered else []
        result.tracks, result.over_capacity = self._advance(detections, self._serial, learn=True)
        for moment in later:
            if moment.detections is not None:
                result.tracks, _ = self._advance(moment.detections, moment.serial, learn=False)
        self._known.clear()
        self._confirmed = result.tracks.track_id[result.tracks.status != int(TrackStatus.TENTATIVE)]
        result.confirmed, result.lost = rows.changes(before, self._confirmed)
        return result

    def snapshot(self) -> bytes | None:
        """Return the picture for `resume` in another process; None before the first scan."""
        return None if self._now_ns is None else rows.to_bytes(self._rows, self._now_ns, self.settings.motion)

    def resume(self, snapshot: bytes) -> None:
        """Go on from a snapshot, if the first scan follows it within `snapshot_max_age_s`; else it is forgotten.

        Raises:
            ValueError: it is no snapshot, or of another motion model.
        """
        self._resume = rows.from_bytes(snapshot, self.settings.motion)

    def nis(self) -> dict[str, Nis]:
        """Return the consistency of each sensor's measurements with the tracks."""
        return self.consistency.report()

    def biases(self) -> dict[str, Bias]:
        """Return the bias of each sensor, where there are several."""
        return self.registration.report()

    def _take_up(self, stamp: int) -> bool | None:
        """Adopt the picture of an earlier process, if it is not too old; tell whether, None where there is none."""
        if self._resume is None:
            return None
        kept, kept_ns = self._resume
        self._resume = None
        if not 0 < stamp - kept_ns <= self.settings.snapshot_max_age_s * 1e9:
            return False
        self._rows, self._now_ns = kept, kept_ns
        self._base = _Moment(kept_ns, 0, None, kept, self._context)
        self._serial = int(kept.birth.max(initial=0)) // BIRTH_NUMBERS + 1
        return True

    def _go_back(self, stamp: int) -> list[_Moment]:
        """Return to the picture at a time; return the moments after it, which have to be done again."""
        at = next((i for i, m in enumerate(self._history) if m.stamp_ns > stamp), len(self._history))
        later, self._history = self._history[at:], self._history[:at]
        for moment in later:  # a track found again keeps its id
            named = moment.after.id > 0
            self._known.update(zip(moment.after.birth[named].tolist(), moment.after.id[named].tolist(), strict=True))
        base = self._history[-1] if self._history else self._base
        self._rows, self._now_ns = (base.after, base.stamp_ns) if base is not None else (self._blank, None)
        self._context = base.context if base is not None else _Context()
        if self._places is not None:
            self._places.restore(self._context.entered)
        return later

    def _remember(self, detections: Detections, serial: int, stamp: int) -> None:
        """Keep the moment, and those that a late scan could still come between."""
        window_ns = round(self.settings.reorder_window_s * 1e9)
        if window_ns:
            self._history.append(_Moment(stamp, serial, detections, self._rows, self._context))
            while len(self._history) > SCANS_KEPT or self._history[0].stamp_ns < stamp - window_ns:
                self._base = self._history.pop(0)

    def _advance(self, detections: Detections, serial: int, *, learn: bool) -> tuple[Tracks, int]:
        """Do one scan; `learn` from it about the sensor, unless it is done again. Return the picture, and births refused."""
        s, stamp = self.settings, detections.stamp_ns
        sensor = self._sensors.get(detections.sensor_id) or self._sensors[""]
        pose = detections.pose or sensor.pose
        if s.registration == "apply":
            bias = self.registration.bias(detections.sensor_id)
            detections = replace(
                detections,
                range=np.maximum(detections.range - bias.range_m, measurement.MIN_RANGE_M),
                azimuth=detections.azimuth - bias.azimuth_rad,
            )
        z = measurement.from_detections(detections, pose)
        # In the order that the gate needs; with ties broken, so that the order of the detections changes nothing.
        keys = gate_keys(z.position)
        order = np.argsort(keys)
        sorted_keys = keys[order]
        if (sorted_keys[1:] == sorted_keys[:-1]).any():
            order = np.lexsort((*z.value.T, *z.position.T, keys))
        z, rcs = z.ordered(order), detections.rcs_dbsm[order]
        self._rows = copy(self._rows)  # its arrays are replaced below, those of the last picture stay
        self._predict(stamp)
        scatter = np.full(len(rcs), np.nan)
        mean, covariance = self._rows.mean()
        if s.max_extent_m > 0.0:
            z, rcs, scatter = self._merge(z, rcs, mean, covariance)
        density, state, spread = self._background(z, sensor, pose, detections.sensor_id)
        log_background = np.log(density.sum(axis=0))
        alone = unexplained = np.ones(len(rcs))
        if len(self._rows):
            scan = _Scan(stamp, sensor, pose, z, rcs, scatter, log_background, detections.sensor_id, learn)
            alone, unexplained = self._associate(scan, mean, covariance)
        self._leave(z, detections.sensor_id, unexplained, stamp)
        born, over = self._births(z, rcs, pose, alone, density, (state, spread), serial, stamp)
        self._settle(born, stamp)
        self._now_ns = stamp
        tracks = self._picture(detections, stamp)
        self._remember(detections, serial, stamp)
        return tracks, over

    def _predict(self, stamp: int) -> None:
        """Move the tracks to a time."""
        tracks, s = self._rows, self.settings
        dt = 0.0 if self._now_ns is None else (stamp - self._now_ns) * 1e-9
        survival = math.exp(-dt / s.mean_lifetime_s)
        undetected = {name: count * survival for name, count in self._context.undetected.items()}
        self._context = _Context(self._context.entered, self._context.clutter, undetected)
        if self._places is not None:
            self._places.predict(dt, survival, s.acceleration_sigma_mps2**2)
        if not len(tracks) or dt == 0.0:
            return
        between = motion.mode_transition(dt, s.mean_straight_s, s.mean_turn_s)
        moved = motion.predict(
            Kinematics(tracks.x, tracks.P, tracks.weight), dt, self._motion, between, tracks.class_id, tracks.has_height
        )
        exists = existence.predict(
            Existence(tracks.existence, tracks.lasting, tracks.hidden), survival, math.exp(-dt / s.transient_life_s),
            -math.expm1(-dt / s.mean_visible_s) if s.mean_visible_s > 0.0 else 0.0, -math.expm1(-dt / s.mean_hidden_s),
        )  # fmt: skip
        tracks.x, tracks.P, tracks.weight = moved
        tracks.existence, tracks.lasting, tracks.hidden = exists

    def _merge(self, z: Plots, rcs: Floats, mean: Floats, covariance: Floats) -> tuple[Plots, Floats, Floats]:
        """Return one measurement an extended object, with its RCS and the variance of its scatterers."""
        tracks = self._rows
        known = np.flatnonzero(tracks.confirmed)
        sigma = np.sqrt(np.maximum(covariance[known, 0, 0], covariance[known, 1, 1]))
        objects = extent.merge(
            z, extent.Known(mean[known, :3], sigma, tracks.scatter[known]), self.settings.max_extent_m
        )
        # Powers add: the echo of an object is that of all its parts.
        power = np.bincount(objects.group, 10.0 ** (rcs / 10.0), minlength=len(objects.scatter))
        order = np.argsort(gate_keys(objects.z.position), kind="stable")
        return objects.z.ordered(order), (10.0 * np.log10(power))[order], objects.scatter[order]

    def _background(self, z: Plots, sensor: _Sensor, pose: Pose, sensor_id: str) -> tuple[Floats, Floats, Floats]:
        """Return the density of detections (3, D) from false alarms, from new objects anywhere, and from those that entered at
        known places; and the states (D, 6) and covariances (D, 6, 6) of the latter."""
        s, model = self.settings, sensor.model
        # New objects come in, and leave those not detected yet when they are: as many of each in the long run.
        pd = model.detection_probability
        settled = model.births_per_scan * (1.0 - pd) / pd
        undetected = self._context.undetected.get(sensor_id, settled + s.initial_objects) + model.births_per_scan
        left = {**self._context.undetected, sensor_id: undetected * (1.0 - pd)}
        self._context = _Context(self._context.entered, self._context.clutter, left)
        extent_of_view = sensor.log_polar if z.polar else sensor.log_plane
        density = measurement.background(z.measured, extent_of_view, model.clutter_per_scan, pd * undetected)
        if s.clutter_memory_s > 0.0 and len(z.position):
            near, far, half, _ = sensor.view
            if z.polar:  # false alarms spread evenly over range and azimuth: thinner over the ground farther out
                reach = np.sqrt(((z.position[:, :2] - pose.position[:2]) ** 2).sum(axis=1))
                area = 2.0 * half * (far - near) * np.maximum(reach, measurement.MIN_RANGE_M)
            else:
                area = np.full(len(z.position), half * (far**2 - near**2))
            usual = model.clutter_per_scan / area
            known = self._context.clutter.get(sensor_id, ClutterMap.empty())
            density[0] *= known.density(z.position[:, :2], usual, s.clutter_radius_m) / usual
        if self._places is None:
            return density, np.empty((0, 6)), np.empty((0, 6, 6))
        density[2], state, covariance = self._places.detected(z, pose, self._gate, pd)
        self._places.missed(pd)
        return density, state, covariance

    def _leave(self, z: Plots, sensor_id: str, unexplained: Floats, stamp: int) -> None:
        """Leave to the next scan what this one says of places."""
        context = self._context
        if self.settings.clutter_memory_s > 0.0:
            known = context.clutter.get(sensor_id, ClutterMap.empty())
            plots = z.position[unexplained > PROBABLE, :2]
            after = known.after(plots, stamp, round(self.settings.clutter_memory_s * 1e9))
            context = replace(context, clutter={**context.clutter, sensor_id: after})
        if self._places is not None:
            context = replace(context, entered=self._places.kept())
        self._context = context

    def _associate(self, scan: _Scan, mean: Floats, covariance: Floats) -> tuple[Floats, Floats]:
        """Update the tracks by a scan; return (D,) the probability of each detection that it belongs to none of them, and
        that it belongs to no confirmed one."""
        tracks, z, pose, model = self._rows, scan.z, scan.pose, scan.sensor.model
        if self._now_ns == scan.stamp_ns:  # no time has passed: the arrays are those of the last picture
            tracks.x, tracks.P, tracks.weight = tracks.x.copy(), tracks.P.copy(), tracks.weight.copy()
        velocity = mean[:, 3:5].copy()  # before the update, which happens in place
        near, far, azimuth, elevation = scan.sensor.view
        view = SensorView(pose, near, far, azimuth, elevation, model.detection_probability)
        before = Predicted(
            Kinematics(tracks.x, tracks.P, tracks.weight), tracks.existence, tracks.hidden, tracks.has_height,
            np.ascontiguousarray(mean[:, :3]), np.ascontiguousarray(covariance[:, AXES, AXES]),
        )  # fmt: skip
        seen = observe(before, view, z, scan.log_background, self._association)
        start, detection, probability, best = seen.pairs.start, seen.pairs.detection, seen.probability, seen.best
        sightings = rows.Sightings(tracks.hits, tracks.updated_ns, tracks.has_height, tracks.rcs_sum, tracks.rcs_looks)
        sightings, found = rows.after_hits(sightings, seen.hit, best, detection, scan.rcs, z.measured, scan.stamp_ns)
        if scan.learn:
            self._learn(scan, velocity, found, best, detection, probability, seen.pairs.distance)
        first_height = sightings.has_height & ~tracks.has_height
        if first_height.any():
            tracks.P[first_height, :, 5, 5] += self.settings.initial_speed_sigma_mps**2
        tracks.existence, tracks.hidden = np.minimum(seen.existence, self.settings.max_existence), seen.hidden
        tracks.hits, tracks.updated_ns, tracks.has_height, tracks.rcs_sum, tracks.rcs_looks = sightings
        if self.settings.max_extent_m > 0.0:
            d = detection[best[found]]
            shown = np.isfinite(scan.scatter[d])
            old = tracks.scatter[found[shown]] ** 2
            tracks.scatter = tracks.scatter.copy()
            tracks.scatter[found[shown]] = np.sqrt(old + SCATTER_RATE * (scan.scatter[d[shown]] - old))
        if self.settings.clutter_memory_s == 0.0:
            return seen.alone, seen.alone
        explained = np.bincount(
            detection, probability * np.repeat(tracks.confirmed, np.diff(start)), minlength=len(z.position)
        )
        return seen.alone, np.asarray(1.0 - explained, dtype=np.float64)

    def _learn(
        self, scan: _Scan, velocity: Floats, found: Ints, best: Ints, detection: Ints, probability: Floats, distance: Floats
    ) -> None:  # fmt: skip
        """Take from clear associations what they say of the sensor."""
        tracks, z = self._rows, scan.z
        clear = found[(probability[best[found]] > CLEAR) & (tracks.hits[found] >= SETTLED_HITS)]
        pair = best[clear]
        self.consistency.add(scan.sensor_id, distance[pair, 0], distance[pair, 1])
        if self.settings.registration == "off" or len(self._sensor_ns) < 2:
            return
        clear = clear[tracks.id[clear] > 0]
        d = detection[best[clear]]
        local = (z.position[d] - scan.pose.position) @ scan.pose.rotation
        reach = np.linalg.norm(local, axis=1)
        variance = z.variance[d, :2] if z.polar else z.variance[d, :2] / np.stack([np.ones(len(d)), reach**2], axis=1)
        applied = self.registration.bias(scan.sensor_id) if self.settings.registration == "apply" else None
        self.registration.observe(
            scan.sensor_id, scan.stamp_ns, scan.pose, tracks.id[clear], velocity[clear],
            np.maximum(tracks.P[clear, 0, 3, 3], tracks.P[clear, 0, 4, 4]),
            reach + (applied.range_m if applied else 0.0),
            np.arctan2(local[:, 1], local[:, 0]) + (applied.azimuth_rad if applied else 0.0),
            np.arcsin(np.clip(local[:, 2] / np.maximum(reach, measurement.MIN_RANGE_M), -1.0, 1.0)), variance,
        )  # fmt: skip

    def _births(
        self, z: Plots, rcs: Floats, pose: Pose, alone: Floats, density: Floats, entered: tuple[Floats, Floats],
        serial: int, stamp: int,
    ) -> tuple[Rows, int]:  # fmt: skip
        """Return tracks for what no track explains, and how many would have been too many."""
        s = self.settings
        new = density[1:].sum(axis=0)
        first = new / (new + density[0])  # existence, were the detection alone
        index = np.flatnonzero(alone * first >= np.minimum(s.delete_probability, 0.5 * first))
        room = max(0, s.max_tracks - len(self._rows))
        over = max(0, len(index) - room)
        index = index[:room]
        n = len(index)
        state, covariance = first_state(z, index, pose, s.initial_speed_sigma_mps, s.initial_height_sigma_m)
        if len(entered[0]):
            here = density[2, index] > density[1, index]
            state[here], covariance[here] = entered[0][index[here]], entered[1][index[here]]
        modes, size = self._blank.x.shape[1:]
        x, P = np.zeros((n, modes, size)), np.zeros((n, modes, size, size))
        x[:, :, :6], P[:, :, :6, :6] = state[:, None], covariance[:, None]
        if size > motion.TURN:
            P[:, :, motion.TURN, motion.TURN] = self._turn_variance
        weight = np.ones((n, 1))
        if modes == 2:
            turning = s.mean_turn_s / (s.mean_straight_s + s.mean_turn_s)
            weight = np.tile([1.0 - turning, turning], (n, 1))
        stated = np.isfinite(rcs[index])
        born = Rows(
            x=x, P=P, weight=weight,
            existence=np.minimum(alone[index] * first[index], s.max_existence),
            lasting=np.full(n, 1.0 - s.transient_share),
            hidden=np.zeros(n),
            id=np.zeros(n, dtype=np.int64),
            birth=serial * BIRTH_NUMBERS + index,
            confirmed=np.zeros(n, dtype=bool),
            has_height=z.measured[index, 2],
            born_ns=np.full(n, stamp),
            updated_ns=np.full(n, stamp),
            hits=np.ones(n, dtype=np.int64),
            rcs_sum=np.where(stated, rcs[index], 0.0),
            rcs_looks=stated.astype(np.float64),
            class_id=np.zeros(n, dtype=np.int64),
            scatter=np.zeros(n),
        )  # fmt: skip
        return born, over

    def _settle(self, born: Rows, stamp: int) -> None:
        """Delete, name and confirm."""
        s = self.settings
        keep = rows.worth_keeping(
            self._rows.existence, self._rows.updated_ns, stamp, s.delete_probability, self._max_coast_ns
        )
        tracks = self._rows = self._rows.keep_and_add(keep, born)
        sure = tracks.existence >= s.confirm_probability
        nameless = np.flatnonzero((tracks.id == 0) & (sure | (tracks.hits > 1)))
        if len(nameless):
            tracks.id = tracks.id.copy()
            if self._known:
                tracks.id[nameless] = [self._known.get(number, 0) for number in tracks.birth[nameless].tolist()]
                nameless = nameless[tracks.id[nameless] == 0]
            tracks.id[nameless] = self.ids.take(len(nameless))
        stays = tracks.confirmed & (tracks.existence >= s.demote_probability)
        tracks.confirmed = stays | (sure & (tracks.id > 0))

    def _picture(self, detections: Detections, stamp: int) -> Tracks:
        tracks = self._rows
        order = np.argsort(tracks.id)
        shown = order[np.searchsorted(tracks.id[order], 1) :]  # those without a name, 0, come first
        mean, covariance = tracks.mean(shown)
        seen = rows.shown_as(tracks, shown, mean, covariance, stamp, self._sensors[""].pose.position[2])
        probability = self.model.posterior(
            len(shown),
            rcs_dbsm=seen.rcs,
            looks=seen.looks,
            speed=seen.speed,
            speed_sigma=seen.speed_sigma,
            height=seen.height,
            height_sigma=seen.height_sigma,
        )
        class_id, _ = decide(probability, self.settings.confidence_threshold)
        tracks.class_id = tracks.class_id.copy()
        tracks.class_id[shown] = class_id
        return Tracks(
            stamp_ns=stamp,
            frame_id=self.settings.frame_id,
            sequence=detections.sequence,
            sensor_id=detections.sensor_id,
            track_id=seen.id,
            status=seen.status,
            state=mean,
            covariance=covariance,
            class_id=class_id,
            class_probability=probability,
            existence_probability=seen.existence,
            rcs_dbsm=seen.rcs,
            age=seen.age_s,
            time_since_update=seen.silent_s,
            hits=seen.hits,
        )
