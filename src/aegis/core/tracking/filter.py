# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The filter: from a state and the detections of a scan to the next state. States are never changed, so that time can be gone back.

A Poisson multi-Bernoulli filter with one Gaussian mixture over motion modes a track. Every scan: predict, gate, probabilities of
all associations, update, existence, new tracks, and what is left is named, confirmed or deleted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from aegis.core.classification.track_model import TrackModel
from aegis.core.ids import UniqueIds
from aegis.core.kernels import clutter as clutter_kernels
from aegis.core.kernels import neighbours
from aegis.core.kernels import rows as kernels
from aegis.core.tracking import existence, measurement, misses, motion, rows
from aegis.core.tracking.association import How, Known, Moved, gate_keys
from aegis.core.tracking.births import BirthPlaces, carried_on, first_detections, first_state, missed
from aegis.core.tracking.class_looks import ClassLooks, class_looks, total_power
from aegis.core.tracking.clutter import ClutterMap
from aegis.core.tracking.existence import HIDDEN_LOOKS, Hiding
from aegis.core.tracking.filter_state import Background, Plotted, Report, Seen, State
from aegis.core.tracking.lifecycle import InView, settled
from aegis.core.tracking.measurement import Plots, SensorView
from aegis.core.tracking.motion import Kinematics, Motion
from aegis.core.tracking.rows import Rows
from aegis.core.tracking.scan import Part, Predicted, observe
from aegis.core.tracking.sensors import KnownSensor
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.sweep import NEGLIGIBLE, Passed, Sweep, covered
from aegis.core.tracking.view import View
from aegis.core.types import ClassId, Detections, Floats, Ints

SCATTER_RATE = 0.2  # weight of a scan in the spread of an extended object's detections
SURE = 0.9  # existence probability of a track that another one may hide
PROBABLE = 0.5  # more probable than not
LOOKS_COASTED = 3.5  # at least, however seldom a sensor looks: three misses in a row
BIRTH_NUMBERS = 2**24  # detections of one scan are numbered below this


class Filter:
    """Advances states by scans."""

    def __init__(self, settings: TrackingSettings, ids: UniqueIds, model: TrackModel) -> None:
        """Make a filter; tracks get their names from `ids`, and their classes from `model`."""
        self._settings = s = settings
        self._ids, self._model = ids, model
        # Quantiles of chi-square.
        self.bound = np.array([0.0, *2.0 * gammaincinv(np.arange(1, 5) / 2.0, s.association.gate_probability)])
        self._sensors = {name: KnownSensor.of(model) for name, model in s.sensor_models().items()}
        move = s.motion
        modes = motion.MODES[move.model]
        self._remember = model.remembers
        self.blank = State(Rows.empty(len(modes), motion.dimension(move.model), remember=model.remembers))
        acceleration = np.full((len(ClassId), 2), [move.acceleration_sigma_mps2, move.vertical_acceleration_sigma_mps2])
        for name, sigma in move.acceleration_by_class.items():
            acceleration[ClassId[name]] = sigma
        turn_variance, turn_noise = np.deg2rad([move.turn_rate_sigma_degps, move.turn_rate_change_degps]) ** 2
        self._motion = Motion(modes, acceleration**2, turn_variance, turn_noise)
        self._turning = np.array(modes, np.uint8)
        life = s.existence
        self._hiding = Hiding(life.mean_visible_s, life.mean_hidden_s, HIDDEN_LOOKS)
        self._how = How(self.bound, s.association.method == "gnn", s.association.sharpness, s.association.cell_sigmas)
        self._places = None
        if s.birth.places:
            places = [(p.x, p.y, p.sigma_m, p.objects_per_scan) for p in s.birth.places.values()]
            self._places = BirthPlaces(places, s.birth.initial_speed_sigma_mps, s.birth.initial_height_sigma_m)
        ground = float(self._sensors[""].view.pose.position[2])
        self._view = View(s.frame_id, model, s.classification, ground)

    def with_settings(self, settings: TrackingSettings) -> Filter:
        """Return a filter with other settings, and the same names and classes."""
        return Filter(settings, self._ids, self._model)

    def advance(
        self, state: State, detections: Detections, serial: int, known: Mapping[int, int], now_ns: int | None = None,
        sweep: Sweep | None = None, picture_ns: int | None = None,
    ) -> tuple[State, Report]:  # fmt: skip
        """Return the state after a scan, and what else it gave.

        Args:
            state: before; it stays as it is.
            detections: of the scan.
            serial: of the scan, different from those of all others.
            known: names that tracks had, by their birth, when the scan was done before.
            now_ns: the time of the new state, not before the old one, nor before a detection's own time; None: the stamp.
            sweep: the part of its view that a turning antenna has looked at; None: all of it.
            picture_ns: the time of the picture, not after the new state's; None: that.
        """
        sensor_id, stamp = detections.sensor_id, detections.stamp_ns if now_ns is None else now_ns
        sensor = self._sensors.get(sensor_id) or self._sensors[""]
        view = sensor.view if detections.pose is None else replace(sensor.view, pose=detections.pose)
        dt = 0.0 if state.now_ns is None else (stamp - state.now_ns) * 1e-9
        share = 1.0 if sweep is None else sweep.share
        state = self._predicted(state, dt, share)
        number = misses.number_of(sensor_id)
        state = state._replace(heard=misses.hear(state.heard, number, stamp, sweep))
        tracks = state.tracks
        mean, covariance = tracks.mean()
        looks = None
        if self._remember:
            usual = state.quiet_db.get(sensor_id, math.nan)
            looks, quiet_db = class_looks(detections, usual, self._settings.classification)
            state = state._replace(quiet_db={**state.quiet_db, sensor_id: quiet_db})
        scan = self._plotted(
            detections, looks, view, tracks, mean, covariance, stamp, round(sensor.model.delay_s * 1e9)
        )
        state, background = self._background(state, sensor, scan, sensor_id, dt, sweep)
        alone = np.ones(len(scan.z))
        seen, visible = None, np.empty(0, np.bool_)
        part = None
        if sweep is not None:
            passed = state.passed.get(sensor_id) or Passed.nobody()
            taken, in_vain = passed.of(tracks["birth"], stamp - round(sweep.same_pass_s * 1e9))
            part = Part(covered(sweep, mean, covariance, view.pose), taken, in_vain)
        if len(tracks):
            log_background = measurement.log_of_all(background.density)
            tracks, seen, visible, looked = self._associate(
                tracks, scan, mean, covariance, log_background, stamp, dt, part, misses.alone(state.heard, number)
            )
            unseen = misses.missed(seen.before, looked, state.heard, number, stamp, whole=part is None)
            unseen[seen.found] = False
            tracks["missed_ns"][unseen] = stamp
            tracks["held_by"][seen.found] = number
            alone = seen.observed.hypotheses.alone
        if self._settings.clutter.memory_s > 0.0:
            state = self._remember_clutter(state, scan.z, sensor_id, seen, stamp, share)
        born, over = self._births(scan, alone, background, serial, len(tracks))
        born["held_by"] = number
        if sweep is not None:
            state = self._note_passed(state, sensor_id, sweep, part, seen, born, stamp)
        new = measurement.in_view(born.kinematics.x[:, 0, :3].copy(), born["has_height"], view)
        looks_s = dt if sweep is None else 2.0 * sweep.same_pass_s
        # Beside others, a turn of a slow antenna is told of when it is over.
        slow = LOOKS_COASTED if misses.alone(state.heard, number) else LOOKS_COASTED + 1.0
        coast_s = max(self._settings.existence.max_coast_s, slow * misses.slowest_s(state.heard))
        if sweep is not None:
            coast_s = max(coast_s, LOOKS_COASTED * looks_s)
        expected = misses.expected(tracks, visible, state.heard, number, stamp, looks_s, self._hiding)
        begin = int(scan.measured_ns.min(initial=stamp))
        in_view = InView(visible, expected, new)
        tracks = settled(tracks, born, in_view, (begin, stamp), coast_s, known, self._settings.existence, self._ids)
        then = stamp if picture_ns is None else min(picture_ns, stamp)
        picture, shown, known_now = self._view.picture(self._before(tracks, stamp, then), detections, then)
        tracks["class_id"][shown] = picture.class_id
        if known_now is not None:
            tracks.memory[:, shown], tracks.stated[:, shown] = known_now
            tracks["noted_ns"][shown] = tracks["updated_ns"][shown]
        outside = measurement.ranges_outside(scan.z, view)
        return state._replace(tracks=tracks, now_ns=stamp), Report(picture, over, outside, seen)

    def _before(self, tracks: Rows, now_ns: int, then_ns: int) -> Rows:
        """Return the tracks of now at a time before."""
        if then_ns == now_ns or not len(tracks):
            return tracks
        back = motion.taken_back(
            tracks.kinematics, (now_ns - then_ns) * 1e-9, self._motion, tracks["class_id"], tracks["has_height"],
            tracks["updated_ns"] <= then_ns,
        )  # fmt: skip
        return tracks.copy(back)

    def _predicted(self, state: State, dt: float, share: float) -> State:
        """Return the state after a time [s], in which a sensor did a share of a scan, with tracks that are nobody else's."""
        s, before = self._settings, state.tracks
        survival = math.exp(-dt / s.existence.mean_lifetime_s)
        undetected = {name: count * survival for name, count in state.undetected.items()}
        entered = state.entered
        if self._places is not None:
            entered = self._places.predict(
                entered or self._places.nobody(), dt, survival, s.motion.acceleration_sigma_mps2**2, share
            )
        if not len(before) or dt == 0.0:
            tracks = before.predicted(before.kinematics.copy(), before.existing())
            return state._replace(tracks=tracks, entered=entered, undetected=undetected)
        between = motion.mode_transition(dt, s.motion.mean_straight_s, s.motion.mean_turn_s)
        tracks = before.predicted(
            motion.predict(before.kinematics, dt, self._motion, between, before["class_id"], before["has_height"]),
            existence.predict(before.existing(), survival, math.exp(-dt / s.existence.transient_life_s)),
        )
        return state._replace(tracks=tracks, entered=entered, undetected=undetected)

    def _moved(self, class_id: Ints, climbs: NDArray[np.bool_], modes: tuple[int, ...], dt: float) -> Moved:
        """Return how tracks of these classes, of which some are known to climb, came here within dt [s]."""
        noise = self._motion.noise[class_id]
        noise[:, 1] *= climbs
        return Moved(dt, np.array(modes, np.uint8), noise, self._motion.turn_noise)

    def _plotted(
        self, detections: Detections, looks: ClassLooks | None, view: SensorView, tracks: Rows, mean: Floats, covariance: Floats,
        stamp: int, delay_ns: int,
    ) -> Plotted:  # fmt: skip
        """Return the scan as measurements, one of each extended object, which are older by a delay than they say."""
        z = measurement.from_detections(detections, view.pose, stamp + delay_ns)
        # In the order that the gate needs; with ties broken, so that the order of the detections changes nothing.
        keys = gate_keys(z.position)
        order = np.argsort(keys)
        sorted_keys = keys[order]
        if not neighbours.ascend(sorted_keys):
            order = np.lexsort((*z.value.T, *z.position.T, keys))
        z, rcs = z.ordered(order), detections.rcs_dbsm[order]
        looks = None if looks is None else looks.take(order)
        if self._settings.max_extent_m == 0.0:
            return Plotted(view, z, rcs, looks, np.full(len(order), np.nan), z.measured_ns(stamp))
        from aegis.core.tracking import extent  # with trees and graphs of scipy: 15 MB that points do not need

        known = np.flatnonzero(tracks["confirmed"])
        double = extent.also_of(
            mean[known, :2], mean[known, 3:5], tracks["born_ns"][known], self._settings.max_extent_m
        )
        known = known[~double]
        sigma = np.sqrt(np.maximum(covariance[known, 0, 0], covariance[known, 1, 1]))
        objects = extent.merge(
            z, extent.Known(mean[known, :3], sigma, tracks["scatter"][known]), self._settings.max_extent_m
        )
        order = np.argsort(gate_keys(objects.z.position), kind="stable")
        rcs = total_power(rcs, objects.group, len(order))[order]
        looks = None if looks is None else looks.merged(objects.group, len(order)).take(order)
        z = objects.z.ordered(order)
        return Plotted(view, z, rcs, looks, objects.scatter[order], z.measured_ns(stamp))

    def _background(
        self, state: State, sensor: KnownSensor, scan: Plotted, sensor_id: str, dt: float, sweep: Sweep | None
    ) -> tuple[State, Background]:
        """Return where the detections can come from besides the tracks, and the state with those not shown yet."""
        s, model, view, z = self._settings, sensor.model, scan.view, scan.z
        # New objects come in, and leave those not detected yet when they are: as many of each in the long run.
        pd, share = model.detection_probability, 1.0 if sweep is None else sweep.share
        settled = model.births_per_scan * (1.0 - pd) / pd
        undetected = state.undetected.get(sensor_id, settled + s.birth.initial_objects) + model.births_per_scan * share
        left = {**state.undetected, sensor_id: undetected * (1.0 - pd * share)}
        density = measurement.background(z.measured, sensor.extent(z), model.clutter_per_scan, pd * undetected)
        if s.clutter.memory_s > 0.0 and len(z):
            local = state.clutter.get(sensor_id) or ClutterMap.empty()
            density[0] *= local.excess(z, view, model.clutter_per_scan, s.clutter.radius_m)
        entered = state.entered
        found = Background(density, np.empty((0, 6)), np.empty((0, 6, 6)))
        if entered is not None:
            here = np.zeros(len(entered.objects), np.int64)
            moved = self._moved(here, here > 0, (motion.CONSTANT_VELOCITY,), dt)
            density[2], x, P = first_detections(entered, z, view.pose, self.bound, pd, moved)
            shown = 1.0 if sweep is None else covered(sweep, entered.x[:, 0], entered.P[:, 0], view.pose)
            found, entered = Background(density, x, P), missed(entered, pd * shown)
        return state._replace(entered=entered, undetected=left), found

    def _associate(
        self,
        tracks: Rows,
        scan: Plotted,
        mean: Floats,
        covariance: Floats,
        log_background: Floats,
        stamp: int,
        dt: float,
        part: Part | None,
        alone: bool,
    ) -> tuple[Rows, Seen, NDArray[np.bool_], NDArray[np.bool_]]:
        """Return the tracks updated by a scan, what it showed, (N,) which are in view, and (N,) which it looked at.

        `alone`: no other sensor looks where this one does not.
        """
        s, z = self._settings, scan.z
        n, (reals, wholes, flags) = len(tracks), tracks.tables
        (centre, spread), (velocity, noise), sure = np.empty((2, n, 3)), np.empty((2, n, 2)), np.empty(n, np.bool_)
        # Not for ever: a track that is a mistake for another one would have a part in all its detections.
        since_ns = stamp - round(s.existence.max_coast_s * 1e9)
        kernels.ready(  # before the update, which happens in place
            mean, covariance, reals, wholes, flags.view(np.uint8), self._motion.noise, since_ns, SURE,
            centre, spread, velocity, noise, sure.view(np.uint8),
        )  # fmt: skip
        visible = looked = measurement.in_view(centre, tracks["has_height"], scan.view)
        if part is not None:
            looked = visible & ~part.taken & (part.covered + part.in_vain >= PROBABLE)
        hidden = existence.hide(tracks["hidden"], tracks["lasting"], tracks["looked_ns"], stamp, looked, self._hiding)
        before = Predicted(
            tracks.kinematics, tracks["existence"], hidden, visible, centre, spread,
            Moved(dt, self._turning, noise, self._motion.turn_noise), Known(sure, tracks["born_ns"], tracks["apart_ns"]),
        )  # fmt: skip
        observed = observe(before, scan.view, z, log_background, self._how, part)
        (pairs, chances, close), best = observed, observed.hypotheses.best
        after = tracks.copy()
        after["looked_ns"][slice(None) if part is None and alone else looked] = stamp
        found = rows.note_hits(after, chances.hit, close, best, pairs.detection, scan.rcs, z.measured, scan.measured_ns)
        if scan.looks is not None:
            scan.looks.note(after, found, pairs.detection[best[found]])
        seen = Seen(scan, tracks, velocity, visible, observed, found)
        first_height = after["has_height"] & ~tracks["has_height"]
        if first_height.any():
            P = tracks.kinematics.P.copy()
            P[first_height, :, 5, 5] += s.birth.initial_speed_sigma_mps**2
            after = replace(after, kinematics=tracks.kinematics._replace(P=P))
        after["existence"], after["hidden"] = np.minimum(chances.existence, s.existence.max_probability), chances.hidden
        if s.max_extent_m > 0.0:
            d = pairs.detection[best[found]]
            shown = np.isfinite(scan.scatter[d])
            old = tracks["scatter"][found[shown]] ** 2
            after["scatter"][found[shown]] = np.sqrt(old + SCATTER_RATE * (scan.scatter[d[shown]] - old))
        return after, seen, visible, looked

    def _note_passed(
        self, state: State, sensor_id: str, sweep: Sweep, part: Part | None, seen: Seen | None, born: Rows, stamp: int
    ) -> State:
        """Return the state that knows which tracks a turning antenna has shown in this pass, or looked for in vain."""
        birth, measured_ns = born["birth"], born["updated_ns"]
        looked: tuple[Ints, Floats] = np.empty(0, np.int64), np.empty(0)
        if seen is not None and part is not None:
            now = (part.covered > NEGLIGIBLE) & ~part.taken
            looked = seen.before["birth"][now], np.minimum(part.in_vain + part.covered, 1.0)[now]
            hypotheses, found = seen.observed.hypotheses, seen.found
            d = seen.observed.pairs.detection[hypotheses.best[found]]
            birth = np.append(birth, seen.before["birth"][found])
            measured_ns = np.append(measured_ns, seen.scan.measured_ns[d])
        before = state.passed.get(sensor_id) or Passed.nobody()
        passed = before.after((birth, measured_ns), looked, stamp, stamp - round(sweep.same_pass_s * 1e9))
        return state._replace(passed={**state.passed, sensor_id: passed})

    def _remember_clutter(
        self, state: State, z: Plots, sensor_id: str, seen: Seen | None, stamp: int, share: float
    ) -> State:
        """Return the state with what a share of a scan says of places that give false alarms: what no confirmed track explains."""
        unexplained = np.ones(len(z))
        if seen is not None:
            pairs, chances, _ = seen.observed
            confirmed = seen.before["confirmed"].view(np.uint8)
            clutter_kernels.unexplained(pairs.start, pairs.detection, chances.probability, confirmed, unexplained)
        local = state.clutter.get(sensor_id) or ClutterMap.empty()
        memory_ns = round(self._settings.clutter.memory_s * 1e9)
        after = local.after(z.position, unexplained, stamp, memory_ns, share)
        return state._replace(clutter={**state.clutter, sensor_id: after})

    def _births(
        self, scan: Plotted, alone: Floats, background: Background, serial: int, tracks: int
    ) -> tuple[Rows, int]:
        """Return tracks for what no track explains, and how many would have been too many."""
        s, z, density = self._settings, scan.z, background.density
        index, probability, life = np.empty(len(z), np.int64), np.empty(len(z)), s.existence
        n = kernels.worth_beginning(density, alone, life.delete_probability, life.max_probability, index, probability)
        room = max(0, s.max_tracks - tracks)
        over = max(0, n - room)
        index = index[: min(n, room)]
        n = len(index)
        state, covariance = first_state(
            z, index, scan.view.pose, s.birth.initial_speed_sigma_mps, s.birth.initial_height_sigma_m
        )
        if z.age.any():
            unknown = np.zeros(n, np.int64)
            moved = self._moved(unknown, z.measured[index, 2], (motion.CONSTANT_VELOCITY,), 0.0)
            state, covariance = carried_on(state, covariance, z.age[index], moved.noise)
        if len(background.x):
            here = density[2, index] > density[1, index]
            state[here], covariance[here] = background.x[index[here]], background.P[index[here]]
        modes, size = self.blank.tracks.kinematics.x.shape[1:]
        x, P = state[:, None], covariance[:, None]
        if modes > 1 or size > motion.TURN:
            x, P = np.zeros((n, modes, size)), np.zeros((n, modes, size, size))
            x[:, :, :6], P[:, :, :6, :6] = state[:, None], covariance[:, None]
        if size > motion.TURN:
            P[:, :, motion.TURN, motion.TURN] = self._motion.turn_variance
        weight = np.ones((n, modes))
        if modes == 2:
            turning = s.motion.mean_turn_s / (s.motion.mean_straight_s + s.motion.mean_turn_s)
            weight[:] = 1.0 - turning, turning
        born = Rows.blank(Kinematics(x, P, weight), remember=self._remember)
        reals, wholes, flags = born.tables
        kernels.begin(
            index, probability, 1.0 - s.birth.transient_share, serial * BIRTH_NUMBERS, z.measured.view(np.uint8),
            scan.measured_ns, scan.rcs, reals, wholes, flags.view(np.uint8),
        )  # fmt: skip
        if scan.looks is not None:
            scan.looks.note(born, np.arange(n), index)
        return born, over
