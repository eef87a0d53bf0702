# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What points state of their classes: the Doppler spectrum in a point's direction, and what rotors make of it."""

import numpy as np
import pytest
from point_echoes import Target, cube, fmcw, line, samples

from aegis.core.signal.dwell_classes import beam_spectra
from aegis.core.signal.front_end import FrontEnd
from aegis.core.signal.settings import FrontEndSettings
from aegis.core.types import N_CLASSES, ClassId
from aegis.models.store import dwell_model
from aegis.simulation.scenario import Scenario
from aegis.simulation.settings import SimulatorSettings
from aegis.simulation.signal import SignalSimulator


class Kept:
    """A model that keeps the signatures, and says that each is a drone."""

    def __init__(self) -> None:
        self.found = np.empty((0, 0))

    def posterior(self, features, prior):
        self.found = features
        return np.tile(np.eye(N_CLASSES)[int(ClassId.DRONE)], (len(features), 1))


@pytest.mark.parametrize("conjugated", [False, True])
def test_the_spectrum_of_transmitters_in_turn_is_that_of_one(conjugated):
    """Two lines of one object, each of which turns the later transmitters' channels by its own Doppler: both add up coherently."""
    rng = np.random.default_rng(2)
    chirps, period, delays = 64, 50e-6, np.repeat([0.0, 17e-6, 34e-6], 4)
    waveform = fmcw(line(12, 77e9), period=period, delay=delays)
    direction = np.exp(2j * np.pi * rng.random(12))
    z = np.zeros((1, chirps, 12), np.complex64)
    for at, amplitude in ((10, 1.0), (25, 0.3)):
        z[0, at] = amplitude * direction * np.exp(2j * np.pi * at / (chirps * period) * delays)
    weights = (direction.conj() * np.exp(-2j * np.pi * 10 / (chirps * period) * delays))[None] / 12.0
    z = z.conj() if conjugated else z
    found = beam_spectra(z, np.array([0]), np.array([10]), weights, waveform, conjugated=conjugated)[0]
    assert np.abs(found[[10, 25]]) == pytest.approx([1.0, 0.3], rel=1e-5)
    assert np.abs(np.delete(found, [10, 25])).max() == 0.0


def test_weak_points_and_short_dwells_state_nothing():
    w = fmcw(line(8, 77e9), period=60e-6)
    targets = [Target(5.0, 6.0, 0.1, 0, 3.0), Target(12.0, -4.0, 0.3, 0, 0.05)]
    for chirps, states in ((128, True), (32, False)):
        x = samples(w, (128, chirps, 8), targets, 1.0, np.random.default_rng(4))
        scan, _ = FrontEnd(FrontEndSettings(), Kept()).step(cube(w, x))
        if not states:
            assert scan.class_probability is None
            continue
        said = np.isfinite(scan.class_probability[:, 1])
        np.testing.assert_array_equal(said, scan.snr_db >= 14.0)
        assert said.any()
    plain, _ = FrontEnd(FrontEndSettings()).step(cube(w, x))
    assert plain.class_probability is None


def drone(rotors: bool) -> Scenario:
    target = {
        "name": "drone", "class": "DRONE", "rcs_dbsm": -10, "swerling": 0,
        "motion": {"kind": "straight", "position_m": [60.0, 5.0, 6.0], "speed_mps": 6.0, "course_deg": 90.0},
    }  # fmt: skip
    if rotors:
        target["rotors"] = {"count": 4, "blades": 2, "radius_m": 0.15, "rate_hz": 90.0, "blade_rcs_dbsm": -16.0}
    return Scenario.model_validate({"name": "one", "duration_s": 10.0, "targets": [target]})


def test_rotors_make_a_drone_of_what_is_a_body_else():
    from aegis.bench.dwell_classes import X_BAND

    network, _ = dwell_model()
    means = []
    for rotors in (True, False):
        simulator = SignalSimulator(SimulatorSettings.load({**X_BAND["simulator"], "seed": 1}), drone(rotors))
        end, told = FrontEnd(FrontEndSettings.load(X_BAND["frontend"]), network), []
        for k in range(3):
            scan, _ = end.step(simulator.step(0.2 * k, 1 + k))
            told.extend(scan.class_probability[np.isfinite(scan.class_probability[:, 1])])
        means.append(np.mean(told, axis=0))
    with_rotors, body = means
    assert with_rotors.argmax() == ClassId.DRONE
    assert with_rotors[ClassId.DRONE] > 0.4
    assert body[ClassId.DRONE] < 0.1
