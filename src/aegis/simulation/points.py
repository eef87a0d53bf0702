# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A surveillance radar looking at a scenario.

What it models: echo power by the radar equation, Swerling fluctuation, receiver noise and noise jamming, a square-law
detector at a fixed Pfa, measurement errors that follow from the signal, false alarms.

What it leaves out: every scatterer is resolved and sits in the middle of its beam (beam-shape and straddling losses are
part of `losses_db`), the noise that sets the threshold is known (no CFAR loss), Doppler is unambiguous (staggered
pulses), there is no terrain, and a scan is a snapshot: all of its points have one stamp. What a scenario says of rotors, wings,
gait, reflectors, clutter, pull-offs and interferers is for the signal level (`signal_simulator.py`) and has no effect here.

Its errors are those of an effective bandwidth, dwell and beamwidth, c / (2 B sqrt(2 SNR)) and its like, and its detector sees one
cell: `tests/drivers/test_simulator_levels_agree.py` shows how to choose them so that it agrees with a front end.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from aegis.core.angles import wrapped
from aegis.core.signal import equation, fluctuation
from aegis.core.signal.detection_probability import threshold
from aegis.core.types import Floats, ReceiverNoise, Scan, unknown
from aegis.simulation.radar import Mode, SimulatedRadar, polar
from aegis.simulation.scenario import Scenario
from aegis.simulation.settings import SimulatorSettings

__all__ = ["Mode", "Simulator", "SimulatorSettings"]

MOST_BEAMS = 4096  # that it listens in
_NOISE = 3  # stream of random numbers of what it hears


class Simulator(SimulatedRadar):
    """The radar. `step` makes a scan whatever the mode; who calls it obeys the mode.

    Args:
        settings: of the radar.
        scenario: what it looks at; None loads the one that the settings name.
        rng: random generator; None makes one from the settings' seed.

    Raises:
        ConfigError: the scenario cannot be loaded.
    """

    def __init__(
        self, settings: SimulatorSettings, scenario: Scenario | None = None, rng: np.random.Generator | None = None
    ) -> None:
        super().__init__(settings, scenario, rng)
        self._threshold = float(threshold(settings.points.pfa))
        if not settings.points.has_elevation:
            self._beamwidths[1] = np.inf
        self._elevation_limits = np.radians([settings.coverage.elevation_min_deg, settings.coverage.elevation_max_deg])
        self._half_fov = math.radians(settings.coverage.azimuth_fov_deg) / 2
        jammers = self.scenario.jammers
        self._eirp_w = np.array([jammer.eirp_w for jammer in jammers])
        self._jam_frequency = np.array([jammer.frequency_hz for jammer in jammers])
        self._jam_bandwidth = np.array([jammer.bandwidth_hz for jammer in jammers])
        self._columns, self._beams = self._listening_beams()
        self._begin()

    def step(self, t_s: float, stamp_ns: int) -> Scan:
        """Make one scan, its points ordered by azimuth.

        Args:
            t_s: time since the scenario's start [s]; the scenario repeats after its duration.
            stamp_ns: stamp of the scan.
        """
        self.sequence += 1
        t_s = t_s % self.scenario.duration_s
        self._hop()
        index, true = self._visible(t_s)
        temperature = self._temperature(t_s, true)
        mean_snr = self._radar.snr(self._share_m2[index], true[0], temperature)
        snr = self._statistic(mean_snr, self._swerling[index])
        hit = snr > self._threshold
        snr = snr[hit]
        points = self._measure(true[:, hit], snr)

        false_points, false_snr = self._false_alarms()
        temperature = np.concatenate([temperature[hit], self._temperature(t_s, false_points)])
        points = np.concatenate([points, false_points], axis=1)
        snr = np.concatenate([snr, false_snr])

        keep = np.flatnonzero(~self._blanked(points[1]))
        order = keep[np.argsort(points[1, keep], kind="stable")]
        points, snr, temperature = points[:, order], snr[order], temperature[order]
        n = len(snr)
        # Each cell's noise level is estimated as the mean of `noise_cells` exponentially distributed powers.
        noise_scatter = self._rng.gamma(self.settings.points.noise_cells, 1.0 / self.settings.points.noise_cells, n)
        # The noise's own share (1) comes off the measured power, or weak targets would look larger than they are.
        rcs_m2 = self._radar.rcs(snr - 1.0, points[0], temperature)
        return Scan(
            stamp_ns=stamp_ns,
            frame_id=self.settings.frame_id,
            sequence=self.sequence,
            range=points[0],
            azimuth=points[1],
            elevation=points[2] if self.settings.points.has_elevation else unknown(n),
            range_rate=points[3] if self.settings.points.has_doppler else unknown(n),
            snr_db=equation.to_db(snr),
            rcs_dbsm=equation.to_db(rcs_m2),
            noise_db=equation.noise_power_dbm(temperature * noise_scatter, self.settings.waveform.bandwidth_hz),
        )

    def receiver_noise(self, t_s: float, stamp_ns: int) -> ReceiverNoise:
        """Return what the receiver hears while nothing is sent, at azimuths side by side over the view, in the last scan.

        It listens with a fan, which has the mean of the gains at all elevations that it looks at, for as long as it looks at
        them: each power is the mean of `points.noise_cells` cells for each elevation. Random numbers of its own, so that
        points do not depend on who listens.

        Args:
            t_s: time since the scenario's start [s].
            stamp_ns: stamp of the scan.
        """
        settings = self.settings
        azimuth = self._columns
        temperature = self._temperature(t_s % self.scenario.duration_s, self._beams).reshape(-1, len(azimuth))
        cells = settings.points.noise_cells
        cells *= len(temperature)
        temperature = temperature.mean(axis=0) * self._noise_rng.gamma(cells, 1.0 / cells, len(azimuth))
        return ReceiverNoise(
            stamp_ns=stamp_ns,
            frame_id=settings.frame_id,
            sequence=self.sequence,
            sensor_id=settings.sensor_id,
            carrier_frequency=self.frequency_hz,
            bandwidth=settings.waveform.bandwidth_hz,
            power_db=float(equation.noise_power_dbm(temperature.mean(), settings.waveform.bandwidth_hz)),
            cells=float(cells * len(azimuth)),
            beamwidth=float(self._beamwidths[0]),
            beam_cells=float(cells),
            simultaneous=False,
            azimuth=azimuth,
            elevation=unknown(len(azimuth)),
            beam_power_db=equation.noise_power_dbm(temperature, settings.waveform.bandwidth_hz),
        )

    def reset(self) -> None:
        """Go back to the state at start, as `SimulatedRadar.reset`."""
        super().reset()
        self._noise_rng = np.random.default_rng([self.settings.seed, _NOISE])

    def _listening_beams(self) -> tuple[Floats, Floats]:
        """Return the azimuths (n,) that it listens at, and the places (4, rows * n) that beams look at there, row by row."""
        low, high = self._elevation_limits
        rows = np.zeros(1)
        if self.settings.points.has_elevation:
            n = max(1, min(round((high - low) / self._beamwidths[1]), MOST_BEAMS))
            rows = low + (high - low) * (np.arange(n) + 0.5) / n
        n = max(1, min(round(2.0 * self._half_fov / self._beamwidths[0]), MOST_BEAMS // len(rows)))
        columns = -self._half_fov + 2.0 * self._half_fov * (np.arange(n) + 0.5) / n
        elevation, azimuth = np.meshgrid(rows, columns, indexing="ij")
        return columns, np.stack([np.zeros(azimuth.size), azimuth.ravel(), elevation.ravel(), np.zeros(azimuth.size)])

    def _visible(self, t_s: float) -> tuple[NDArray[np.int64], Floats]:
        """Return the scatterers (n,) that are in view, and their range, azimuth, elevation and range rate (4, n)."""
        relative, velocity = self._scatterers(t_s)
        distance, azimuth, elevation = polar(relative)
        range_rate = (relative * velocity).sum(axis=1) / np.maximum(distance, 1e-9)
        place = np.stack([distance, azimuth, elevation, range_rate])
        seen = self.scenario.present(t_s)[self._owner] & self._in_view(place)
        index = np.flatnonzero(seen)
        return index, place[:, index]

    def _in_view(self, place: Floats) -> NDArray[np.bool_]:
        _, azimuth, elevation, range_rate = place
        seen = (
            super()._in_view(place)
            & (np.abs(azimuth) <= self._half_fov)
            & (elevation >= self._elevation_limits[0])
            & (elevation <= self._elevation_limits[1])
        )
        if self.settings.points.has_doppler:
            seen &= np.abs(range_rate) <= self.settings.coverage.max_range_rate_mps
        return np.asarray(seen)

    def _mean_snr_db(self, t_s: float, there: NDArray[np.int64], place: Floats) -> Floats:
        rcs_m2 = equation.from_db([self.scenario.targets[i].rcs_dbsm for i in there])
        distance = np.maximum(place[0], 1.0)
        return np.asarray(equation.to_db(self._radar.snr(rcs_m2, distance, self._temperature(t_s, place))))

    def _temperature(self, t_s: float, points: Floats) -> Floats:
        """Return the noise temperature [K] in the cells at `points` (4, n): the receiver's own, and jamming, (n,).

        What a jammer adds is its power density after the one-way link, through the beam that looks at the cell, as far
        as its band overlaps the receiver's.
        """
        settings = self.settings
        out = np.full(points.shape[1], settings.receiver.system_temperature_k)
        on, distance, azimuth, elevation = self._emitters(self.scenario.jammers, t_s)
        if not len(on):
            return out
        frequency, bandwidth = self._jam_frequency[on], self._jam_bandwidth[on]
        low = np.maximum(frequency - bandwidth / 2, self.frequency_hz - settings.waveform.bandwidth_hz / 2)
        high = np.minimum(frequency + bandwidth / 2, self.frequency_hz + settings.waveform.bandwidth_hz / 2)
        received_part = np.maximum(high - low, 0.0) / settings.waveform.bandwidth_hz
        pattern = equation.beam_gain(
            wrapped(azimuth - points[1][:, None]),
            elevation - points[2][:, None],
            self._beamwidths,
            self._sidelobe,
        )
        density = equation.link_power(
            self._eirp_w[on] / bandwidth * received_part,
            self._radar.gain * pattern,
            self._radar.wavelength_m,
            distance,
            math.sqrt(self._radar.loss),  # in dB half of both ways' losses
        )
        out += density.sum(axis=1) / equation.BOLTZMANN
        return out

    def _statistic(self, mean_snr: Floats, swerling: NDArray[np.int64]) -> Floats:
        """Draw |sqrt(snr) + noise|^2 in units of the mean noise power, (n,): what the detector compares."""
        n = len(mean_snr)
        snr = mean_snr * fluctuation.scan_powers(swerling, self.settings.waveform.chirps, self._rng)
        real, imaginary = self._rng.normal(0.0, math.sqrt(0.5), (2, n))
        return np.asarray((np.sqrt(snr) + real) ** 2 + imaginary**2)

    def _measure(self, true: Floats, snr: Floats) -> Floats:
        """Return range, azimuth, elevation and range rate (4, n) as measured at the observed SNR (n,).

        No radar is ever more exact than its calibration: a fraction of the resolution cell remains, whatever the SNR.
        """
        settings = self.settings
        snr = np.minimum(snr, equation.from_db(settings.points.best_snr_db))
        sigma = np.stack(
            [
                equation.sigma_range(settings.waveform.bandwidth_hz, snr),
                equation.sigma_angle(math.radians(settings.antenna.azimuth_beamwidth_deg), snr),
                equation.sigma_angle(math.radians(settings.antenna.elevation_beamwidth_deg), snr),
                equation.sigma_range_rate(self._radar.wavelength_m, settings.waveform.coherent_dwell_s, snr),
            ]
        )
        out = true + sigma * self._rng.standard_normal(true.shape)
        # The receiver is open between these ranges only.
        out[0] = np.clip(out[0], settings.blind_range_m, settings.farthest_m)
        out[1] = wrapped(out[1])
        out[2] = np.clip(out[2], -math.pi / 2, math.pi / 2)
        return np.asarray(out)

    def _false_alarms(self) -> tuple[Floats, Floats]:
        """Draw noise above the threshold anywhere in the field of view: points (4, n) and SNR (n,).

        Noise power is exponential, so that what exceeds the threshold is so by an exponential again.
        """
        settings = self.settings
        n = self._rng.poisson(settings.points.false_alarms_per_scan)
        low = [
            settings.blind_range_m,
            -self._half_fov,
            self._elevation_limits[0],
            -settings.coverage.max_range_rate_mps,
        ]
        high = [settings.farthest_m, self._half_fov, self._elevation_limits[1], settings.coverage.max_range_rate_mps]
        points = self._rng.uniform(low, high, (n, 4)).T
        return points, self._threshold + self._rng.standard_exponential(n)
