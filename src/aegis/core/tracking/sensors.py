# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the filter works out of a sensor's parameters, once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aegis.core.tracking.measurement import Plots, SensorView
from aegis.core.tracking.settings import Sensor
from aegis.core.types import Floats, Pose


@dataclass(frozen=True)
class KnownSensor:
    """A sensor's parameters, and what follows from them."""

    model: Sensor
    view: SensorView
    log_polar: Floats  # (4,) ln of the extent of the view in range, azimuth, elevation, range rate
    log_plane: Floats  # (4,) the same of the plane (as the first component), height, range rate

    def extent(self, z: Plots) -> Floats:
        """Return (4,) ln of the extent of the view in each component of such measurements."""
        return self.log_polar if z.polar else self.log_plane

    @classmethod
    def of(cls, model: Sensor) -> KnownSensor:
        """Return it."""
        azimuth, elevation = np.deg2rad(model.azimuth_fov_deg), np.deg2rad(model.elevation_fov_deg)
        near, far = model.min_range_m, model.max_range_m
        axis = np.deg2rad(model.elevation_axis_deg)
        span = min(elevation, np.deg2rad(model.elevation_span_deg))
        height = 2.0 * far * np.sin(span / 2.0)
        pose = Pose(model.position(), model.rotation(), np.zeros(3))
        return cls(
            model,
            SensorView(
                pose,
                near,
                far,
                azimuth / 2.0 + 1e-9,
                axis - elevation / 2.0 - 1e-9,
                axis + elevation / 2.0 + 1e-9,
                model.detection_probability,
            ),
            np.log([far - near, azimuth, span, model.range_rate_span_mps]),
            np.log([0.5 * azimuth * (far**2 - near**2), 1.0, height, model.range_rate_span_mps]),
        )
