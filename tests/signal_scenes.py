# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Small raw radars and scenes for them."""

from typing import Any

import numpy as np
from settings_of import settings_of

from aegis.core.signal.cube import Cube
from aegis.simulation.scenario import Scenario
from aegis.simulation.settings import SimulatorSettings
from aegis.simulation.signal import SignalSimulator

C, K = 299_792_458.0, 1.380649e-23  # m/s, J/K
BANDWIDTH = 300e6
CELL_M = C / (2 * BANDWIDTH)

FMCW: dict[str, Any] = {
    "level": "signal", "waveform.kind": "fmcw", "frequency_hz": 77e9, "bandwidth_hz": BANDWIDTH, "samples": 64,
    "sample_rate_hz": 10e6, "prf_hz": 10e3, "coherent_dwell_s": 3.2e-3, "max_range_m": 30.0, "receivers_azimuth": 4,
    "peak_power_w": 0.01, "gain_db": 10.0, "azimuth_beamwidth_deg": 180.0, "elevation_beamwidth_deg": 180.0,
    "losses_db": 2.0, "system_temperature_k": 3000.0,
}  # fmt: skip
PULSE: dict[str, Any] = FMCW | {
    "waveform.kind": "pulse", "frequency_hz": 9.4e9, "bandwidth_hz": 5e6, "pulse_width_s": 4e-6, "samples": 200,
    "sample_rate_hz": 10e6, "max_range_m": 2900.0, "peak_power_w": 1000.0,
}  # fmt: skip


def settings(base: dict[str, Any] = FMCW, **changes: Any) -> SimulatorSettings:
    return settings_of(SimulatorSettings, **{**base, **changes})


def silent(base: dict[str, Any] = FMCW, **changes: Any) -> SimulatorSettings:
    """Return settings of a radar whose noise is nothing beside its echoes, and that does not round."""
    return settings(base, **({"noise_lsb": 1e-6, "system_temperature_k": 1e-10, "data_type": "complex64"} | changes))


def target(name: str = "t", **changes: Any) -> dict[str, Any]:
    """Return a steady target of 1 m2, 10 m ahead, at rest; `at` is its position, `velocity` its velocity."""
    at, velocity = changes.pop("at", (10.0, 0.0, 0.0)), changes.pop("velocity", (0.0, 0.0, 0.0))
    motion = {
        "kind": "straight", "position_m": tuple(map(float, at)), "speed_mps": float(np.hypot(velocity[0], velocity[1])),
        "course_deg": float(np.degrees(np.arctan2(velocity[0], velocity[1]))), "climb_mps": float(velocity[2]),
    }  # fmt: skip
    return {"name": name, "class": "VEHICLE", "rcs_dbsm": 0.0, "swerling": 0, "motion": motion} | changes


def scene(*targets: dict[str, Any], **more: Any) -> Scenario:
    return Scenario.model_validate({"name": "scene", "duration_s": 1e4, "targets": targets, **more})


def direction(azimuth_deg: float, elevation_deg: float = 0.0) -> np.ndarray:
    """Return a unit vector, (3,)."""
    a, e = np.radians([azimuth_deg, elevation_deg])
    return np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])


def samples(cube: Cube) -> np.ndarray:
    """Return complex (samples, chirps, channels)."""
    if cube.data.dtype == np.complex64:
        return cube.data.astype(np.complex128)
    return cube.data[..., 0] + 1j * cube.data[..., 1].astype(np.float64)


def frames(radar: SignalSimulator, n: int, period_s: float = 0.1) -> np.ndarray:
    """Return (frames, samples, chirps, channels)."""
    return np.stack([samples(radar.step(period_s * i, i)) for i in range(n)])


def peak(values: np.ndarray) -> float:
    """Return the frequency of a tone [cycles a sample, from 0 to 1], to 1e-6, by a refined DFT."""
    n = len(values)
    window = np.hanning(n)
    spectrum = np.abs(np.fft.fft(values * window, 16 * n))
    best = int(np.argmax(spectrum)) / (16 * n)
    k = np.arange(n)
    for width in (1 / (16 * n), 1 / (1000 * n), 1 / (60_000 * n)):
        near = best + np.linspace(-width, width, 129)
        best = float(near[np.argmax(np.abs(np.exp(-2j * np.pi * near[:, None] * k) @ (values * window)))])
    return best % 1.0
