# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Radars that tracks are simulated with: of several families, each drawn widely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aegis.core.detection.settings import DetectionSettings
from aegis.core.signal import equation
from aegis.core.tracking.settings import TrackingSettings
from aegis.simulation.settings import SimulatorSettings

Range = tuple[float, float]


@dataclass(frozen=True)
class Family:
    """Radars of one kind; powers are such that a square metre at the far end of `reach_m` gives some 13 dB."""

    frequency_hz: Range
    bandwidth_hz: Range
    interval_s: Range
    reach_m: Range  # instrumented range
    azimuth_beam_deg: Range
    dwell_s: Range
    has_elevation: float  # share
    has_doppler: float


FAMILIES: dict[str, Family] = {
    "street": Family((24e9, 79e9), (1e8, 6e8), (0.05, 0.15), (150.0, 600.0), (1.0, 6.0), (0.01, 0.04), 0.5, 1.0),
    "perimeter": Family((9e9, 24e9), (2e7, 1.5e8), (0.2, 1.0), (1500.0, 6000.0), (1.0, 4.0), (0.01, 0.05), 0.5, 1.0),
    "drone": Family((8.5e9, 17e9), (5e6, 5e7), (0.25, 1.5), (4000.0, 15000.0), (1.0, 3.0), (0.003, 0.03), 0.8, 1.0),
    "surveillance": Family((2.7e9, 9.8e9), (1e6, 1.5e7), (0.25, 2.0), (5000.0, 40000.0), (1.2, 3.0), (0.002, 0.01), 0.9, 0.9),
    "airport": Family((2.7e9, 3.1e9), (5e5, 2e6), (3.5, 5.0), (60000.0, 110000.0), (1.2, 1.8), (0.002, 0.01), 0.0, 0.5),
    "coastal": Family((8.9e9, 9.6e9), (5e6, 4e7), (1.0, 3.0), (8000.0, 40000.0), (0.4, 2.5), (0.001, 0.01), 0.0, 0.3),
    "long range": Family((1.2e9, 3.4e9), (1e6, 4e6), (4.0, 8.0), (80000.0, 250000.0), (1.0, 2.5), (0.005, 0.03), 0.8, 0.8),
}  # fmt: skip


@dataclass(frozen=True)
class DrawnRadar:
    """One radar, and the stages that follow it."""

    family: str
    simulator: SimulatorSettings
    detection: DetectionSettings
    tracking: TrackingSettings
    rcs_bias_db: float  # of its calibration
    states_rcs: bool
    states_snr: bool

    def range_at(self, snr_db: float, rcs_dbsm: float) -> float:
        """Return where an object of an RCS has an SNR on average [m]."""
        s = self.simulator
        radar = s.radar(s.waveform.frequency_hz)
        snr = radar.snr(equation.from_db(rcs_dbsm), np.array([1000.0]), np.array([s.receiver.system_temperature_k]))
        return float(1000.0 * 10.0 ** ((equation.to_db(snr[0]) - snr_db) / 40.0))


def drawn_radar(name: str, rng: np.random.Generator) -> DrawnRadar:
    """Draw a radar of a family."""
    f = FAMILIES[name]

    def log_uniform(bounds: Range) -> float:
        return float(np.exp(rng.uniform(*np.log(bounds))))

    frequency, bandwidth = log_uniform(f.frequency_hz), log_uniform(f.bandwidth_hz)
    interval, reach = log_uniform(f.interval_s), log_uniform(f.reach_m)
    beam, dwell = rng.uniform(*f.azimuth_beam_deg), log_uniform(f.dwell_s)
    has_elevation, has_doppler = bool(rng.random() < f.has_elevation), bool(rng.random() < f.has_doppler)
    prf = min(0.9 * equation.SPEED_OF_LIGHT / (2.0 * reach), 1e5)
    dwell = max(dwell, 1.0 / prf)
    values = {
        "scan_interval_s": interval,
        "sensor_z": float(rng.uniform(1.0, 25.0)),
        "seed": int(rng.integers(2**31)),
        "waveform": {
            "frequency_hz": frequency, "bandwidth_hz": bandwidth, "pulse_width_s": min(1e-6, 10.0 / (2 * equation.SPEED_OF_LIGHT)),
            "prf_hz": prf, "coherent_dwell_s": dwell, "peak_power_w": 1.0, "tuning_range_hz": 0.0,
        },
        "antenna": {"azimuth_beamwidth_deg": beam, "elevation_beamwidth_deg": float(rng.uniform(2.0, 8.0))},
        "coverage": {
            "max_range_m": reach, "elevation_min_deg": -30.0, "elevation_max_deg": 80.0, "max_range_rate_mps": 4000.0,
        },
        "points": {
            "has_elevation": has_elevation, "has_doppler": has_doppler,
            "pfa": log_uniform((1e-7, 1e-5)), "false_alarms_per_scan": float(rng.uniform(0.0, 4.0)),
        },
    }  # fmt: skip
    simulator = SimulatorSettings.model_validate(values)
    # Power for 13 dB from a square metre at the far end, more or less.
    radar = simulator.radar(frequency)
    snr = radar.snr(np.array(1.0), np.array([reach]), np.array([simulator.receiver.system_temperature_k]))
    power = 10.0 ** ((13.0 + rng.uniform(-3.0, 15.0) - float(equation.to_db(snr[0]))) / 10.0)
    simulator = simulator.model_copy(
        update={"waveform": simulator.waveform.model_copy(update={"peak_power_w": float(np.clip(power, 1e-9, 1e8))})}
    )
    at_13_db = equation.from_db(13.0)
    stated = rng.uniform(0.8, 1.5, 4)  # what the parameters say of errors is never quite so
    detection = DetectionSettings.model_validate(
        {
            "has_elevation": has_elevation,
            "has_doppler": has_doppler,
            "accuracy": {
                "range_sigma_m": float(stated[0] * equation.sigma_range(bandwidth, at_13_db)),
                "azimuth_sigma_deg": float(stated[1] * np.degrees(equation.sigma_angle(np.radians(beam), at_13_db))),
                "elevation_sigma_deg": float(
                    stated[2]
                    * np.degrees(equation.sigma_angle(np.radians(simulator.antenna.elevation_beamwidth_deg), at_13_db))
                ),
                "range_rate_sigma_mps": max(
                    float(stated[3] * equation.sigma_range_rate(radar.wavelength_m, dwell, at_13_db)), 0.02
                ),
            },
            "grouping": {"distance_m": 0.0},
        }
    )
    tracking = TrackingSettings.model_validate(
        {
            "sensor_z": simulator.sensor_z,
            "sensor": {"max_range_m": reach, "detection_probability": float(rng.uniform(0.8, 0.95))},
            "birth": {"initial_speed_sigma_mps": 20.0 if name == "street" else 150.0},
        }
    )
    return DrawnRadar(
        name, simulator, detection, tracking, float(rng.normal(0.0, 2.0)), bool(rng.random() > 0.1),
        bool(rng.random() > 0.1),
    )  # fmt: skip
