# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The simulator's two levels against each other: detections, false alarms and errors of the measurement level, and of the signal
level after the front end with CA-CFAR.

What the measurement level needs to be told of the front end, each from a closed form:

- the array: the SNR of a cell is that of M channels together; and of the windows' loss, from their weights;
- the loss of summing the channels' powers instead of the channels, and of the CFAR, at Pd 0.5, by the exact detection
  probabilities (cfar_theory.py, which is tested by itself): `losses_db`. It changes with Pd by some tenths of a decibel;
- the straddling loss, on average over the offset, where targets are not in the middle of a cell;
- effective bandwidth, dwell and beamwidth: sigma = c / (2 B sqrt(2 SNR)) and its like hold for these. They follow from the error of
  the estimates that the windows allow (response.py), and from the Cramer-Rao bound of the array.
"""

from typing import Any

import numpy as np
import pytest
from scipy import stats
from settings_of import settings_of
from signal_scenes import BANDWIDTH, CELL_M, C, direction, settings

from aegis.core.signal import cfar_theory, detection_probability
from aegis.core.signal.cfar import CfarWindow
from aegis.core.signal.front_end import FrontEnd
from aegis.core.signal.response import of_window
from aegis.core.signal.settings import FrontEndSettings
from aegis.core.signal.windows import window
from aegis.core.types import Scan
from aegis.simulation.points import Simulator
from aegis.simulation.scenario import Scenario
from aegis.simulation.settings import SimulatorSettings
from aegis.simulation.signal import SignalSimulator

SAMPLES, CHIRPS, CHANNELS = 64, 32, 4
RATE_CELL = C / 77e9 / (2 * 3.2e-3)
PFA = 1e-4
ROWS = (5, 14, 23, 32, 41, 50)  # apart by more than the CFAR's window
RADAR = settings(losses_db=0.0)
FRONT_END = settings_of(FrontEndSettings, pfa=PFA)


def window_loss_db() -> float:
    """Return what both windows cost in SNR: N sum(w^2) / sum(w)^2 each."""
    loss = 0.0
    for name, n in ((FRONT_END.windows.range, SAMPLES), (FRONT_END.windows.doppler, CHIRPS)):
        w = window(name, n)
        loss += 10 * np.log10(n * (w**2).sum() / w.sum() ** 2)
    return loss


def straddling_loss_db() -> float:
    """Return the mean of both windows' loss over an offset of up to half a cell."""
    loss = 0.0
    for name, n in ((FRONT_END.windows.range, SAMPLES), (FRONT_END.windows.doppler, CHIRPS)):
        w, x = window(name, n), np.linspace(-0.5, 0.5, 101)
        gain = np.abs(np.exp(-2j * np.pi * x[:, None] * (np.arange(n) - (n - 1) / 2) / n) @ w / w.sum()) ** 2
        loss -= 10 * np.log10(gain.mean())
    return loss


def detection_loss_db(swerling: int) -> float:
    """Return what detection of the channels' summed power over a CA-CFAR needs more than that of one cell in known noise."""
    s = FRONT_END
    cells = CfarWindow(s.cfar.guard_range, s.cfar.guard_doppler, s.cfar.train_range, s.cfar.train_doppler).offsets()
    summed = CHANNELS * cfar_theory.average(CHANNELS, len(cells)).required_snr(0.5, PFA, swerling)
    return 10 * np.log10(summed / detection_probability.required_snr(0.5, PFA, swerling))


def effective(name: Any, n: int) -> float:
    """Return the share of the bandwidth (dwell) that sigma = 1 / sqrt(2 SNR) cells holds for, rms over the offset."""
    response = of_window(window(name, n))
    middle = np.abs(np.linspace(-response.reach, response.reach, len(response.information))) <= 0.5
    return float(1 / np.sqrt((1 / response.information[middle]).mean()))


def measurement_level(loss_db: float, false_alarms: float = 0.0) -> SimulatorSettings:
    """Return settings of the measurement level for the same radar and its front end."""
    by_range, by_doppler = effective(FRONT_END.windows.range, SAMPLES), effective(FRONT_END.windows.doppler, CHIRPS)
    # Bound of an even array's direction in its sine: lambda / (D) sqrt(6) / (2 pi sqrt(SNR (1 - 1 / M^2))).
    aperture = CHANNELS / 2  # wavelengths
    sine = np.sqrt(6 / (1 - 1 / CHANNELS**2)) / (2 * np.pi) / aperture
    return settings_of(
        SimulatorSettings,
        frequency_hz=77e9, peak_power_w=RADAR.waveform.peak_power_w, pulse_width_s=1e-9, losses_db=loss_db,
        system_temperature_k=RADAR.receiver.system_temperature_k,
        # The energy of the chirps' samples goes into the gain, as this pulse has another length; and that of all channels.
        gain_db=RADAR.antenna.gain_db + 5 * np.log10(CHANNELS * 6.4e-6 / 1e-9),
        bandwidth_hz=BANDWIDTH * by_range, coherent_dwell_s=3.2e-3 * by_doppler, prf_hz=10e3 / by_doppler,
        azimuth_beamwidth_deg=np.degrees(1.6 * np.sqrt(2) * sine), elevation_beamwidth_deg=60.0,
        max_range_m=SAMPLES * CELL_M, azimuth_fov_deg=180.0, elevation_max_deg=5.0, has_elevation=False,
        max_range_rate_mps=CHIRPS * RATE_CELL / 2, pfa=PFA, false_alarms_per_scan=false_alarms, noise_cells=500,
    )  # fmt: skip


def scenario(snr_db: float, swerling: int, *, straddling: bool) -> Scenario:
    """Return targets of one SNR, before losses, all channels together; in the cells' middles, or swaying over some."""
    targets = []
    for i, row in enumerate(ROWS):
        rcs_m2 = RADAR.radar(77e9).rcs(10 ** (snr_db / 10) / CHANNELS, row * CELL_M)
        azimuth = -10.0 + 4.0 * i
        motion = {
            "kind": "hovering", "position_m": tuple(direction(azimuth) * row * CELL_M), "course_deg": 90 - azimuth,
            "sway_m": 1.3 * CELL_M if straddling else 0.0, "sway_period_s": 2 * np.pi * 1.3 * CELL_M / (3.0 + 0.2 * i),
        }  # fmt: skip
        # The element's pattern is the one thing that the measurement level has not: it is made good here.
        rcs_db = 10 * np.log10(rcs_m2) + 2 * 3.0103 * (azimuth / 90) ** 2
        targets.append(
            {"name": str(i), "class": "VEHICLE", "rcs_dbsm": float(rcs_db), "swerling": swerling, "motion": motion}
        )
    return Scenario.model_validate({"name": "agree", "duration_s": 1e5, "targets": targets})


def compare(scan: Scan, scene: Scenario, t_s: float) -> tuple[np.ndarray, int]:
    """Return errors of range, range rate, azimuth and RCS [dB], (hits, 4), and how many points are no target's."""
    position, velocity = scene.position_velocity(t_s)
    distance = np.linalg.norm(position, axis=1)
    rate = (position * velocity).sum(axis=1) / distance
    errors, used = [], np.zeros(len(scan), dtype=bool)
    for i in range(len(ROWS)):
        near = (np.abs(scan.range - distance[i]) < 2.5 * CELL_M) & (np.abs(scan.range_rate - rate[i]) < 2.5 * RATE_CELL)
        if not (near & ~used).any():
            continue
        best = max(np.flatnonzero(near & ~used), key=lambda j: scan.snr_db[j])
        used |= near
        azimuth = np.arctan2(position[i, 1], position[i, 0])
        rcs = scan.rcs_dbsm[best] - scene.targets[i].rcs_dbsm
        errors.append(
            (scan.range[best] - distance[i], scan.range_rate[best] - rate[i], scan.azimuth[best] - azimuth, rcs)
        )
    return np.array(errors).reshape(-1, 4), int((~used).sum())


def both(
    snr_db: float, swerling: int, scans: int, loss_db: float, *, straddling: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the errors of all hits (hits, 4) at signal level and at measurement level."""
    scene = scenario(snr_db, swerling, straddling=straddling)
    raw, front_end = SignalSimulator(RADAR, scene), FrontEnd(FRONT_END)
    points = Simulator(measurement_level(loss_db), scene)
    times = [0.377 * i for i in range(scans)]
    signal = [compare(front_end.step(raw.step(t, 0))[0], scene, t)[0] for t in times]
    measurement = [compare(points.step(t, 0), scene, t)[0] for t in times]
    return np.concatenate(signal), np.concatenate(measurement)


@pytest.mark.parametrize(
    ("swerling", "snr_db", "straddling"),
    [
        (0, 14.5, False), (0, 15.5, False), (0, 16.5, False), (0, 17.5, True),
        (1, 15.0, False), (1, 18.0, False), (1, 24.0, False), (1, 20.0, True),
        (3, 15.0, False), (3, 18.0, False), (3, 21.0, False), (3, 20.0, True),
    ],
)  # fmt: skip
def test_pd(swerling: int, snr_db: float, straddling: bool):
    scans = 300
    loss_db = window_loss_db() + detection_loss_db(swerling) + (straddling_loss_db() if straddling else 0.0)
    signal, measurement = (len(errors) for errors in both(snr_db, swerling, scans, loss_db, straddling=straddling))
    trials = scans * len(ROWS)
    one, other = signal / trials, measurement / trials
    assert 0.05 < other < 0.99
    spread = np.sqrt((one + other) / 2 * (1 - (one + other) / 2) * 2 / trials)
    # 0.02: the loss is that at Pd 0.5. Off the cells' middles the loss's own scatter, and the neighbouring cell, count as well.
    assert abs(one - other) < 4 * spread + (0.04 if straddling else 0.02), (one, other)


@pytest.mark.parametrize(("swerling", "snr_db"), [(0, 24.0), (1, 30.0)])
def test_errors(swerling: int, snr_db: float):
    """In the middle 90 % of all errors: of fluctuating targets the few hardly above the threshold have most of the variance.

    Summing powers and straddling cost detections, but no accuracy: the front end measures in the beam, between the cells.
    """
    signal, measurement = both(snr_db, swerling, 400, window_loss_db(), straddling=True)
    for i, name in enumerate(("range", "range rate", "azimuth")):
        one, other = (stats.trimboth(np.sort(errors[:, i]), 0.05).std() for errors in (signal, measurement))
        assert abs(np.mean(signal[:, i])) < 0.15 * signal[:, i].std(), name
        assert one == pytest.approx(other, rel=0.15), name


def test_rcs_is_calibrated_alike():
    signal, measurement = both(26.0, 0, 100, window_loss_db(), straddling=True)
    assert len(signal) == len(measurement) == 600
    assert signal[:, 3].mean() == pytest.approx(0.0, abs=0.15)
    assert measurement[:, 3].mean() == pytest.approx(0.0, abs=0.15)


def test_false_alarms():
    """Cells above the threshold in noise, without grouping, and with windows as they are: neighbouring cells go together."""
    scans, pfa = 400, 1e-3
    front_end = FrontEnd(settings_of(FrontEndSettings, pfa=pfa, group_peaks=False))
    scene = Scenario.model_validate({"name": "none", "duration_s": 1e5})
    raw = SignalSimulator(RADAR, scene)
    signal = np.array([len(front_end.step(raw.step(0.1 * i, 0))[0]) for i in range(scans)])
    expected = (SAMPLES - 2) * CHIRPS * pfa  # the first and the last range are no points
    measurement = Simulator(measurement_level(10.0, expected), scene)
    points = np.array([len(measurement.step(0.1 * i, 0)) for i in range(scans)])
    low, high = stats.poisson.interval(1 - 1e-6, expected * scans)
    assert low <= points.sum() <= high
    # The variance of the difference, with the scans' own scatter.
    error = np.sqrt((signal.var() + points.var()) * scans)
    assert abs(signal.sum() - points.sum()) < 4 * error, (signal.sum(), points.sum())


def test_false_alarms_without_windows_are_poisson():
    """Cells are independent then, and the count is what the Pfa says to within its own error."""
    scans, pfa = 400, 1e-3
    values = {"pfa": pfa, "group_peaks": False, "windows.range": "none", "windows.doppler": "none"}
    front_end = FrontEnd(settings_of(FrontEndSettings, **values))
    raw = SignalSimulator(RADAR, Scenario.model_validate({"name": "none", "duration_s": 1e5}))
    counts = np.array([len(front_end.step(raw.step(0.1 * i, 0))[0]) for i in range(scans)])
    expected = (SAMPLES - 2) * CHIRPS * pfa * scans
    low, high = stats.poisson.interval(1 - 1e-6, expected)
    assert low <= counts.sum() <= high
    low, high = stats.chi2.interval(1 - 1e-6, scans - 1)
    assert low < ((counts - counts.mean()) ** 2).sum() / counts.mean() < high
