# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The signature of a dwell, against spectra whose floor, lines and shares are known."""

import numpy as np
import pytest

from aegis.core.classification.dwell import DWELL, dwell_signature, says_anything

CHIRPS, PRF_HZ, WAVELENGTH_M = 256, 10e3, 0.03
STEP_MPS = 0.5 * WAVELENGTH_M * PRF_HZ / CHIRPS


def described(lines: dict[int, float], floor: float = 1.0, count: int = 400) -> dict[str, np.ndarray]:
    """Return the signatures of spectra with lines of so much power in these bins, and noise of `floor` times the receiver's."""
    rng = np.random.default_rng(1)
    noise = (rng.normal(size=(count, CHIRPS)) + 1j * rng.normal(size=(count, CHIRPS))) * np.sqrt(0.5 * floor)
    for at, power in lines.items():
        noise[:, at] = np.sqrt(power) * np.exp(2j * np.pi * rng.random(count))
    found = dwell_signature(noise, np.ones(count), PRF_HZ, WAVELENGTH_M)
    return dict(zip(DWELL, found.T, strict=True))


def test_what_is_spread_over_all_dopplers_is_no_noise():
    """Four times the receiver's noise, as of rotors that turn many times around the unambiguous Dopplers."""
    assert described({60: 1e4})["floor"].mean() == pytest.approx(0.0, abs=0.02)
    spread = described({60: 1e4}, floor=4.0)
    assert spread["floor"].mean() == pytest.approx(np.log10(4.0), abs=0.02)
    assert spread["beyond"].mean() == pytest.approx(np.log10(3.0), abs=0.02)


def test_the_rest_beside_the_body_and_how_far_it_lies():
    apart = round(5.0 / STEP_MPS)  # 5 m/s: within 8, not within 2
    found = described({60: 1e5, 60 + apart: 1e4})
    # The mean over all other bins but the body's five and the three that stand still; what noise there adds is small.
    others = CHIRPS - 8
    assert found["excess"].mean() == pytest.approx(np.log10(1e4 / others / 1e5), abs=0.02)
    assert found["within_2"].mean() < 0.01
    assert found["within_8"].mean() > 0.97


def test_it_does_not_say_how_fast_the_body_is():
    """Near enough: what noise there is wraps elsewhere."""
    slow, fast = (described({at: 1e4, at + 10: 1e3}, count=50) for at in (40, 90))
    for name in (
        "body_share",
        "rest_peak",
        "floor",
        "excess",
        "beyond",
        "within_0.5",
        "within_2",
        "within_8",
        "offset_2.5",
        "symmetry",
    ):
        assert np.median(slow[name]) == pytest.approx(np.median(fast[name]), abs=0.1), name
    assert not {"body_speed", "mean_speed", "body_aliased"} & {*DWELL}


@pytest.mark.parametrize(
    ("chirps", "prf_hz", "says"),
    [(128, 20e3, True), (32, 20e3, False), (16, 2e3, False), (128, 500.0, False), (512, 4e3, True), (2048, 4e3, False)],
)
def test_dwells_that_the_model_was_not_shown_say_nothing(chirps, prf_hz, says):
    """32 at 20 kHz are 1.6 ms; 2,048 at 4 kHz are half a second."""
    assert says_anything(chirps, prf_hz) is says
