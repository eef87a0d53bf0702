# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The receiver's noise in a map, with echoes and without, against the mean power that the noise was drawn with."""

import numpy as np
import pytest

from aegis.core.signal.noise_floor import BAND_ROWS, NoiseFloor


@pytest.mark.parametrize("shape", [(256, 128), (240, 128), (7, 16), (1000, 3), (1, 1)])
@pytest.mark.parametrize("channels", [1, 4, 12])
def test_in_noise_it_is_the_mean_power(shape, channels):
    rng = np.random.default_rng(1)
    floor = NoiseFloor(shape, channels)
    found = np.mean(
        [floor.of(rng.gamma(channels, 5.0 / channels, shape).astype(np.float32)) for _ in range(50)], axis=0
    )
    assert found.shape == (shape[0],)
    if shape != (1, 1):  # of one cell there is no median
        np.testing.assert_allclose(found, 5.0, rtol=0.1)
        assert found.mean() == pytest.approx(5.0, rel=0.03)


def test_echoes_and_clutter_leave_it_alone():
    rng = np.random.default_rng(2)
    power = rng.gamma(8, 1 / 8, (256, 128)).astype(np.float32)
    quiet = NoiseFloor((256, 128), 8).of(power)
    power[:, :3] += 1e4  # the ground
    power[40:42] += 1e3  # rotors: all of two rows
    power[100:104, 60:70] += 1e6
    np.testing.assert_allclose(NoiseFloor((256, 128), 8).of(power), quiet, rtol=0.15)


def test_a_rise_at_all_ranges_is_one_and_a_slope_is_followed():
    rng = np.random.default_rng(3)
    power = rng.gamma(8, 1 / 8, (256, 128)).astype(np.float32)
    jammed = NoiseFloor((256, 128), 8).of(10.0 * power)
    np.testing.assert_allclose(jammed, 10.0, rtol=0.1)
    slope = np.linspace(1.0, 4.0, 256)
    found = NoiseFloor((256, 128), 8).of((power * slope[:, None]).astype(np.float32))
    np.testing.assert_allclose(found, slope, rtol=0.1 + 1.5 * BAND_ROWS / 256)
