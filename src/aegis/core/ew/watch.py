# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Everything that watches for electronic warfare, by sensor; what is active, where strobes cross, and what protects against it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from aegis.core.ew.companions import Companions
from aegis.core.ew.deception import FalseTargetMonitor, Hit, PullOffMonitor, hit_of
from aegis.core.ew.descriptors import Pulses
from aegis.core.ew.emitters import Emitter, EmitterMonitor
from aegis.core.ew.fix import Fix, cross_fix
from aegis.core.ew.noise import NoiseMonitor
from aegis.core.ew.protection import Protection, against, protections
from aegis.core.ew.receiver import ReceiverMonitor
from aegis.core.ew.settings import EwSettings
from aegis.core.ew.silence import Silence
from aegis.core.ew.turns import Turns
from aegis.core.types import Detections, Floats, Ints, ReceiverNoise, Signal, SignalKind, Tracks, TrackStatus

MAX_SENSORS = 64  # watched; the first is forgotten for one more
CROSSED = (SignalKind.NOISE_JAMMING, SignalKind.INTERFERENCE)  # whose strobes are of one emitter at a time
LEAST_BASE_M = 1.0  # between sites
_AT_ONCE = 128  # tracks that are held against the detections at their ranges
_NOISE, _DETECTIONS, _PULSES = _HEARD_OF = ("noise", "detections", "pulses")


@dataclass
class _Sensor:
    """What watches one sensor."""

    levels: NoiseMonitor  # beside its detections
    receiver: ReceiverMonitor
    pull_off: PullOffMonitor
    false_targets: FalseTargetMonitor
    emitters: EmitterMonitor
    companions: Companions  # echoes that leave tracks
    leaving: PullOffMonitor  # watches these
    turns: Turns
    reports: bool = False  # it says what it hears; then its detections' levels are not judged beside that
    detections: Detections | None = None  # the last
    position: Floats | None = None  # (3,) in map, where its detections say so
    rotation: Floats | None = None  # (3, 3)

    def signals(self) -> list[Signal]:
        noise = self.receiver.signal if self.reports else self.levels.signal
        single = [noise, self.false_targets.signal]
        return [
            *(s for s in single if s is not None),
            *self.pull_off.signals,
            *self.leaving.signals,
            *self.emitters.signals,
        ]


class Watch:
    """Takes what comes of all sensors; `signals` and `protections` are what holds now."""

    def __init__(self, settings: EwSettings, library: Sequence[Emitter] = (), ids: Iterator[int] | None = None) -> None:
        """Make a watch; signals are numbered by `ids`."""
        self.settings, self._library = settings, library
        self._ids = ids or count(1)
        self._sensors: dict[str, _Sensor] = {}
        self._silence = Silence()  # of each sensor's noise, detections and pulses
        self.frame_id = ""  # of the last detections

    def _sensor(self, sensor_id: str) -> _Sensor:
        if sensor_id not in self._sensors:
            if len(self._sensors) >= MAX_SENSORS:
                oldest = next(iter(self._sensors))
                del self._sensors[oldest]
                for what in _HEARD_OF:
                    self._silence.forget(f"{what} {oldest}")
            s, ids = self.settings, self._ids
            self._sensors[sensor_id] = _Sensor(
                NoiseMonitor(s.noise, ids),
                ReceiverMonitor(s.noise, ids),
                PullOffMonitor(s.deception, ids),
                FalseTargetMonitor(s.deception, ids),
                EmitterMonitor(s.pulses, self._library, ids),
                Companions(s.deception.gate_sigma, s.deception.gap_s, s.deception.range_rate_span_mps or math.inf),
                PullOffMonitor(s.deception, ids),
                Turns(),
            )
        return self._sensors[sensor_id]

    @property
    def judged(self) -> bool:
        """Whether the noise floor of any sensor is judged."""
        return any(sensor.receiver.judged or sensor.levels.judged for sensor in self._sensors.values())

    @property
    def signals(self) -> list[Signal]:
        """What is active, of all sensors; strobes that cross have the place."""
        fixes = self._fixes()
        out = []
        for name, sensor in self._sensors.items():
            for signal in sensor.signals():
                fix = fixes.get(name) if signal.kind in CROSSED else None
                out.append(replace(signal if fix is None else _placed(signal, fix), sensor=name))
        return out

    def protections(self) -> list[Protection]:
        """What protects the radar against what is active."""
        out: list[Protection] = []
        for name, sensor in self._sensors.items():
            heard = sensor.receiver.heard if sensor.reports else None
            for signal in sensor.signals():
                if heard is not None and signal.id == heard.signal.id:
                    out += protections(heard, self.settings.own_radar, self._ahead(name, sensor, signal.bearing))
                else:
                    out += against(signal, self.settings.own_radar)
        return out

    def take_noise(self, report: ReceiverNoise) -> list[Signal]:
        """Take what a receiver hears; return the signals that began."""
        sensor = self._sensor(report.sensor_id)
        self._hear(_NOISE, report.sensor_id, report.stamp_ns)
        if not sensor.reports:
            sensor.reports = True
            sensor.levels.reset()
        return _of(report.sensor_id, _some(sensor.receiver.step(report).raised))

    def take_detections(self, detections: Detections) -> list[Signal]:
        """Take a scan; return the signals that began."""
        sensor = self._sensor(detections.sensor_id)
        self._hear(_DETECTIONS, detections.sensor_id, detections.stamp_ns)
        self.frame_id = detections.frame_id
        sensor.detections = detections
        if detections.pose is not None:
            sensor.position, sensor.rotation = detections.pose.position, detections.pose.rotation
        scan = sensor.turns.take(detections)
        if scan is None:
            return []  # the antenna is on its way round
        raised = [] if sensor.reports else _some(sensor.levels.step(scan).raised)
        return _of(detections.sensor_id, raised + _some(sensor.false_targets.step(scan)))

    def take_tracks(self, tracks: Tracks) -> list[Signal]:
        """Take the picture that was made of the last detections; return the pull-offs that began."""
        sensor = self._sensors.get(tracks.sensor_id)
        if sensor is None or sensor.detections is None or sensor.detections.sequence != tracks.sequence:
            return []  # of other detections: nothing tells which of them the tracks were updated with
        detections, sensor.detections = sensor.detections, None
        position, rotation = self._place(tracks.sensor_id, sensor)
        alive = tracks.status != int(TrackStatus.TENTATIVE)
        updated = np.flatnonzero(tracks.status == int(TrackStatus.CONFIRMED))  # one that coasts has no detection
        hits = self._hits(detections, tracks, updated, position, rotation)
        there = set(tracks.track_id[alive].tolist())
        raised = sensor.pull_off.step(hits, there)
        told = {signal.track_id for signal in sensor.pull_off.signals}
        sensor.companions.keep(there)
        leaving = sensor.companions.step(hits, detections)
        return _of(tracks.sensor_id, raised + sensor.leaving.step(leaving, there - told))

    def take_pulses(self, pulses: Pulses) -> tuple[list[Signal], int]:
        """Take pulses; return the emitters that are new, and how many pulses could not be used."""
        monitor = self._sensor(pulses.sensor_id).emitters
        self._hear(_PULSES, pulses.sensor_id, pulses.stamp_ns)
        return _of(pulses.sensor_id, monitor.step(pulses)), monitor.refused

    def _hear(self, what: str, sensor_id: str, stamp_ns: int) -> None:
        """Note that a sensor was heard; forget what others have said that were not, for too long to hold."""
        self._silence.hear(f"{what} {sensor_id}", stamp_ns)
        s = self.settings
        for name, sensor in self._sensors.items():
            silent = {kind: self._silence.silent_s(f"{kind} {name}") for kind in _HEARD_OF}
            if sensor.reports and silent[_NOISE] > s.noise.hold_s:
                sensor.receiver.end()
                sensor.receiver.judged = False
                sensor.reports = False  # the levels beside its detections, where it has some, are all that is left
            if silent[_DETECTIONS] > s.noise.hold_s:
                sensor.levels.end()
                sensor.levels.judged = False
            if silent[_DETECTIONS] > s.deception.hold_s:
                sensor.false_targets.end()
                sensor.pull_off.end()
                sensor.leaving.end()
            if silent[_PULSES] > s.pulses.hold_s:
                sensor.emitters.end()

    def _place(self, sensor_id: str, sensor: _Sensor) -> tuple[Floats, Floats]:
        """Return a sensor's position (3,) [m] and rotation (3, 3) in map."""
        if sensor.position is not None and sensor.rotation is not None:
            return sensor.position, sensor.rotation
        pose = self.settings.pose(sensor_id)
        return pose.position(), pose.rotation()

    def _ahead(self, sensor_id: str, sensor: _Sensor, bearing: float) -> float:
        """Return the direction in map, anticlockwise from east [rad], of a strobe that a sensor has on a bearing of its own."""
        ahead = self._place(sensor_id, sensor)[1] @ np.array([math.cos(bearing), math.sin(bearing), 0.0])
        return math.atan2(ahead[1], ahead[0])

    def _hits(
        self, detections: Detections, tracks: Tracks, some: Ints, position: Floats, rotation: Floats
    ) -> dict[int, Hit]:
        """Return for each of some tracks the detection that is nearest to it, if it is near."""
        usable = np.flatnonzero(
            np.isfinite(detections.range_rate)
            & np.isfinite(detections.range)
            & np.isfinite(detections.azimuth)
            & ~(detections.variance[:, :2] < 0.0).any(axis=1)
        )
        if not len(usable) or not len(some):
            return {}
        # Each where it was when the detection was made: an antenna that turns makes them seconds apart.
        since_s = (detections.stamp_ns - tracks.stamp_ns) * 1e-9 + detections.time_offset[usable]
        since_s = since_s if since_s.any() else np.zeros(1)
        start, velocity = (tracks.state[some, :3] - position) @ rotation, tracks.state[some, 3:] @ rotation
        spread = np.sqrt(np.maximum(np.einsum("nii->n", tracks.covariance[some][:, :3, :3]) / 3.0, 1e-6))
        reach, sigma = detections.range[usable], np.sqrt(detections.variance[usable, :2])
        azimuth, gate = detections.azimuth[usable], self.settings.deception.gate_sigma
        nearest, near = np.zeros(len(some), np.int64), np.zeros(len(some), np.bool_)
        away, order = np.linalg.norm(start, axis=1), np.argsort(np.linalg.norm(start, axis=1), kind="stable")
        walk = np.linalg.norm(velocity, axis=1) * np.fmax.reduce(np.abs(since_s))
        for begin in range(0, len(order), _AT_ONCE):
            of = order[begin : begin + _AT_ONCE]
            # What no track of these can be near to in range; NaN of one is none of the others'.
            reserve = gate * (sigma[:, 0] + np.fmax.reduce(spread[of])) + np.fmax.reduce(walk[of])
            ahead = np.fmin.reduce(away[of]) - reserve, np.fmax.reduce(away[of]) + reserve
            d = np.flatnonzero((reach >= ahead[0]) & (reach <= ahead[1]))
            if not len(d):
                continue
            after = since_s[d] if len(since_s) > 1 else since_s
            x, y, z = (start[of, k, None] + velocity[of, k, None] * after for k in range(3))  # (tracks, detections)
            off = (np.sqrt(x * x + y * y + z * z) - reach[d]) / (sigma[d, 0] + spread[of, None])
            turn = (np.arctan2(y, x) - azimuth[d] + np.pi) % (2.0 * np.pi) - np.pi
            aside = turn * reach[d] / (reach[d] * sigma[d, 1] + spread[of, None])
            distance = np.nan_to_num(off**2 + aside**2, nan=np.inf)
            nearest[of], near[of] = d[distance.argmin(axis=1)], distance.min(axis=1) <= gate**2
        # Each detection for one track: the nearest; where two are alike near, which is which is not known.
        claimed = np.bincount(nearest[near], minlength=len(usable))
        return {
            int(tracks.track_id[some[k]]): hit_of(detections, int(usable[nearest[k]]))
            for k in np.flatnonzero(near).tolist()
            if claimed[nearest[k]] == 1
        }

    def _fixes(self) -> dict[str, Fix]:
        """Return where the strobes of several sites cross, for each sensor that has a part in it."""
        names, sites, bearings, sigmas = [], [], [], []
        for name, sensor in self._sensors.items():
            strobes = [s for s in sensor.signals() if s.kind in CROSSED and math.isfinite(s.bearing)]
            if len(strobes) != 1 or not math.isfinite(strobes[0].bearing_sigma):
                continue
            names.append(name)
            sites.append(self._place(name, sensor)[0][:2])
            bearings.append(self._ahead(name, sensor, strobes[0].bearing))
            sigmas.append(strobes[0].bearing_sigma)
        if len(names) < 2 or float(np.ptp(np.array(sites), axis=0).max()) < LEAST_BASE_M:
            return {}
        fix = cross_fix(np.array(sites), np.array(bearings), np.array(sigmas))
        return {} if fix is None else dict.fromkeys(names, fix)


def _placed(signal: Signal, fix: Fix) -> Signal:
    (xx, xy), (_, yy) = fix.covariance
    x, y = fix.position
    return replace(signal, x=float(x), y=float(y), xx=float(xx), xy=float(xy), yy=float(yy))


def _of(sensor_id: str, signals: list[Signal]) -> list[Signal]:
    return [replace(signal, sensor=sensor_id) for signal in signals]


def _some(signal: Signal | None) -> list[Signal]:
    return [] if signal is None else [signal]
