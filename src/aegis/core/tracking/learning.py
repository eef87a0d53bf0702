# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What clear associations tell of a sensor: whether its errors are as stated, and its bias beside others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aegis.core.tracking import measurement, rows
from aegis.core.tracking.consistency import Consistency, Nis
from aegis.core.tracking.filter_state import Seen
from aegis.core.tracking.registration import Bias, ClearPlots, Registration
from aegis.core.tracking.settings import ConsistencySettings, RegistrationSettings
from aegis.core.types import Detections, Floats

CLEAR = 0.9  # probability of an association from which it tells of the sensor
SETTLED_HITS = 3  # before, a track's velocity is still that of the prior


class SensorKnowledge:
    """NIS and biases of the sensors."""

    def __init__(self, bound: Floats, registration: RegistrationSettings, consistency: ConsistencySettings) -> None:
        """Begin.

        Args:
            bound: (5,) of the gate.
            registration: whether biases are estimated, and also applied.
            consistency: whether errors are judged, and also scaled.
        """
        self._consistency = Consistency(bound)
        self._registration = Registration(registration.reference)
        self._mode, self._scaling = registration.mode, consistency.mode

    def forget(self) -> None:
        """Forget the last detections, as after a reset; what is known of the sensors stays."""
        self._registration.forget()

    def nis(self) -> dict[str, Nis]:
        """Return the consistency of each sensor's measurements with the tracks."""
        return self._consistency.report()

    def scales(self) -> dict[str, float]:
        """Return by how much each sensor's variances are multiplied, where they are."""
        return self._consistency.scales()

    def biases(self) -> dict[str, Bias]:
        """Return the bias of each sensor, where there are several."""
        return self._registration.report()

    def corrected(self, detections: Detections) -> Detections:
        """Return detections without the sensor's bias, and with errors as they have turned out, where that is to be applied."""
        scale = self._consistency.scale(detections.sensor_id)
        if scale != 1.0:
            detections = replace(detections, variance=scale * detections.variance)
        if self._mode != "apply":
            return detections
        bias = self._registration.bias(detections.sensor_id)
        return replace(
            detections,
            range=np.maximum(detections.range - bias.range_m, measurement.MIN_RANGE_M),
            azimuth=detections.azimuth - bias.azimuth_rad,
        )

    def learn(self, sensor_id: str, stamp_ns: int, seen: Seen, sensors: int) -> None:
        """Take what a scan showed.

        Args:
            sensor_id: of the scan, whose detections were `corrected`; stamp_ns: of the state after it.
            seen: of it.
            sensors: how many have been heard.
        """
        tracks, z, pose = seen.before, seen.scan.z, seen.scan.view.pose
        (pairs, chances, _), found, best = seen.observed, seen.found, seen.observed.hypotheses.best
        clear = rows.clear(tracks, found, best, chances.probability, CLEAR, SETTLED_HITS)
        distance = pairs.distance.take(best.take(clear), axis=0)
        if self._scaling != "off":
            self._consistency.add(sensor_id, distance[:, 0], distance[:, 1])
        if self._scaling == "apply":
            self._consistency.adjust(sensor_id)
        if self._mode == "off" or sensors < 2:
            return
        clear = clear[tracks["id"][clear] > 0]
        d = pairs.detection[best[clear]]
        local = (z.position[d] - pose.position) @ pose.rotation
        reach = np.linalg.norm(local, axis=1)
        up = local[:, 2].copy()
        # Of what it measures no elevation of, another sensor may know the height: the range is a slant one.
        flat = np.flatnonzero(~z.measured[d, 2] & tracks["has_height"][clear]) if z.polar else np.empty(0, np.int64)
        if len(flat):
            up[flat] = ((tracks.mean(clear[flat])[0][:, :3] - pose.position) @ pose.rotation)[:, 2]
        variance = z.variance[d, :2]
        if not z.polar:
            variance = variance / np.stack([np.ones(len(d)), reach**2], axis=1)
        applied = self._registration.bias(sensor_id) if self._mode == "apply" else None
        P = tracks.kinematics.P
        plots = ClearPlots(
            tracks["id"][clear], seen.velocity[clear], np.maximum(P[clear, 0, 3, 3], P[clear, 0, 4, 4]),
            reach + (applied.range_m if applied else 0.0),
            np.arctan2(local[:, 1], local[:, 0]) + (applied.azimuth_rad if applied else 0.0),
            np.arcsin(np.clip(up / np.maximum(reach, measurement.MIN_RANGE_M), -1.0, 1.0)), variance,
            z.measured_ns(stamp_ns)[d],
        )  # fmt: skip
        self._registration.observe(sensor_id, stamp_ns, pose, plots)
