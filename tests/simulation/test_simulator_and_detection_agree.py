# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The errors that detection states by default are those that the default simulated radar makes."""

import numpy as np
import pytest
from settings_of import settings_of

from aegis.core.detection.detector import Detector
from aegis.core.detection.settings import DetectionSettings
from aegis.simulation.points import Simulator, SimulatorSettings
from aegis.simulation.scenario import Scenario

SCANS = 3000
POSITION = np.array([3000.0, 1000.0, 600.0])


def mean_squares(rcs_dbsm: float) -> np.ndarray:
    """Return (4,) mean squares of the errors of range, azimuth, elevation and range rate over their stated sigmas."""
    target = {
        "name": "mast", "class": "CLUTTER", "rcs_dbsm": rcs_dbsm, "swerling": 0,
        "motion": {"kind": "straight", "position_m": POSITION.tolist(), "speed_mps": 0.0, "course_deg": 0.0},
    }  # fmt: skip
    scenario = Scenario.model_validate({"name": "mast", "duration_s": 1e6, "targets": [target]})
    radar = Simulator(settings_of(SimulatorSettings, false_alarms_per_scan=0.0), scenario)
    detector = Detector(DetectionSettings())
    distance = np.linalg.norm(POSITION)
    truth = np.array([distance, np.arctan2(POSITION[1], POSITION[0]), np.arcsin(POSITION[2] / distance), 0.0])
    squares = []
    for k in range(SCANS):
        d, _ = detector.step(radar.step(float(k), k))
        if len(d):
            measured = np.array([d.range[0], d.azimuth[0], d.elevation[0], d.range_rate[0]])
            squares.append((measured - truth) ** 2 / d.variance[0])
    assert len(squares) > 0.9 * SCANS
    return np.mean(squares, axis=0)


@pytest.mark.parametrize("rcs_dbsm", [-20.0, -15.0, 5.0, 30.0])
def test_normalised_errors_have_unit_variance(rcs_dbsm):
    """Also far above the reference SNR: both keep the floor that a real radar has."""
    # 3000 samples give the mean square to 2.6 % (one sigma); the defaults are rounded to two digits.
    np.testing.assert_allclose(mean_squares(rcs_dbsm), 1.0, atol=0.12)
