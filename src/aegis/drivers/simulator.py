"""A surveillance radar looking at a scenario.

What it models: echo power by the radar equation, Swerling fluctuation, receiver noise and noise jamming, a square-law
detector at a fixed Pfa, measurement errors that follow from the signal, false alarms.

What it leaves out: every scatterer is resolved and sits in the middle of its beam (beam-shape and straddling losses are
part of `losses_db`), the noise that sets the threshold is known (no CFAR loss), Doppler is unambiguous (staggered
pulses), there is no terrain, clutter or multipath, and a scan is a snapshot: all of its points have one stamp.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from enum import IntEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from aegis.core.params import param
from aegis.core.sensor import SensorPose
from aegis.core.signal import equation
from aegis.core.types import Floats, Scan, unknown
from aegis.drivers.scenario import Scenario, load_scenario


class Mode(IntEnum):
    """As in aegis_msgs/SetMode."""

    STANDBY = 1
    SEARCH = 2
    ON_DEMAND = 3


class SimulatorSettings(SensorPose):
    """The simulated radar: by default an X-band surveillance radar for small targets out to 10 km."""

    scenario: str = param("calm_traffic", "name of a scenario that ships, or path to a .yaml file")
    seed: int = param(1, "of the random generator: same seed, same scans", ge=0)
    scan_interval_s: float = param(0.5, "time between scans", unit="s", ge=0.01, le=60, env="RADAR_SCAN_INTERVAL")
    refresh_rate_hz: float = param(
        0.0, "scans a second; 0 uses scan_interval_s instead", unit="Hz", ge=0, le=100, env="RADAR_REFRESH_RATE"
    )
    frame_id: str = param("radar", "the sensor's frame, in which the points are")

    frequency_hz: float = param(9.4e9, "carrier frequency at the start", unit="Hz", ge=1e8, le=3e11)
    tuning_range_hz: float = param(
        1e9, "width of the band, about frequency_hz, that the carrier can be set in", unit="Hz", ge=0, le=1e10
    )
    peak_power_w: float = param(1000.0, "peak transmit power", unit="W", gt=0, le=1e8)
    pulse_width_s: float = param(
        1e-6, "length of the (modulated) pulse; the receiver is blind while it is sent", unit="s", ge=1e-9, le=1e-3
    )
    prf_hz: float = param(10e3, "pulses a second; sets the unambiguous range c / (2 PRF)", unit="Hz", ge=10, le=1e6)
    coherent_dwell_s: float = param(
        2.5e-3, "time on each beam position, integrated coherently", unit="s", ge=1e-5, le=10
    )
    bandwidth_hz: float = param(5e6, "bandwidth of the pulse and the receiver", unit="Hz", ge=1e5, le=1e10)
    gain_db: float = param(34.0, "antenna gain, both ways", unit="dB", ge=0, le=80)
    azimuth_beamwidth_deg: float = param(2.0, "half-power beamwidth", unit="deg", gt=0, le=180)
    elevation_beamwidth_deg: float = param(4.0, "half-power beamwidth", unit="deg", gt=0, le=180)
    sidelobe_db: float = param(-30.0, "sidelobe level relative to the peak", unit="dB", ge=-80, lt=0)
    system_temperature_k: float = param(870.0, "system noise temperature", unit="K", gt=0, le=1e6)
    losses_db: float = param(
        6.0, "all losses of transmission, reception and processing; half of them on reception", unit="dB", ge=0, le=60
    )

    max_range_m: float = param(10_000.0, "instrumented range", unit="m", ge=10, le=1e6)
    azimuth_fov_deg: float = param(360.0, "width of the field of view about the x axis", unit="deg", gt=0, le=360)
    elevation_min_deg: float = param(-5.0, "lower edge of the field of view", unit="deg", ge=-90, le=90)
    elevation_max_deg: float = param(60.0, "upper edge of the field of view", unit="deg", ge=-90, le=90)
    max_range_rate_mps: float = param(
        600.0, "largest range rate, either sign, that the Doppler filters cover", unit="m/s", gt=0, le=1e4
    )
    has_elevation: bool = param(True, "false: a 2D radar, elevation is unknown and its beam a fan")
    has_doppler: bool = param(True, "false: range rate is not measured")

    pfa: float = param(1e-6, "probability of false alarm that sets the detection threshold", gt=0, le=0.1)
    false_alarms_per_scan: float = param(
        2.0, "mean of the Poisson number of false alarms in the whole field of view", ge=0, le=1e5
    )
    noise_cells: int = param(32, "reference cells that each point's noise level is averaged over", ge=1, le=100_000)

    @model_validator(mode="after")
    def _is_a_radar(self) -> Self:
        if self.elevation_min_deg >= self.elevation_max_deg:
            raise ValueError("elevation_min_deg must be below elevation_max_deg")
        if self.coherent_dwell_s * self.prf_hz < 1:
            raise ValueError("coherent_dwell_s must hold at least one pulse: coherent_dwell_s >= 1 / prf_hz")
        if self.blind_range_m >= self.farthest_m:
            raise ValueError(
                f"nothing would be seen: blind to {self.blind_range_m:g} m (pulse_width_s), far limit"
                f" {self.farthest_m:g} m (max_range_m and prf_hz)"
            )
        return self

    @property
    def interval_s(self) -> float:
        """Return the time between scans [s]."""
        return 1.0 / self.refresh_rate_hz if self.refresh_rate_hz > 0 else self.scan_interval_s

    @property
    def blind_range_m(self) -> float:
        """Return the range from which an echo begins after the pulse has been sent [m]."""
        return equation.SPEED_OF_LIGHT * self.pulse_width_s / 2

    @property
    def farthest_m(self) -> float:
        """Return the lesser of instrumented and unambiguous range [m]."""
        return min(self.max_range_m, equation.SPEED_OF_LIGHT / (2 * self.prf_hz))

    def radar(self, frequency_hz: float) -> equation.Radar:
        """Return the radar of the radar equation at a carrier."""
        return equation.Radar(
            frequency_hz=frequency_hz,
            peak_power_w=self.peak_power_w,
            pulse_width_s=self.pulse_width_s,
            gain=float(equation.from_db(self.gain_db)),
            system_temperature_k=self.system_temperature_k,
            loss=float(equation.from_db(self.losses_db)),
            pulses=self.coherent_dwell_s * self.prf_hz,
        )


class Simulator:
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
        self.settings = settings
        self.scenario = load_scenario(settings.scenario) if scenario is None else scenario
        self.sequence = 0  # of the last scan; the first is 1
        self._rng = np.random.default_rng(settings.seed) if rng is None else rng
        self._position = settings.position()
        self._rotation = settings.rotation()
        self._threshold = float(equation.threshold(settings.pfa))
        self._beamwidths = np.radians([settings.azimuth_beamwidth_deg, settings.elevation_beamwidth_deg])
        if not settings.has_elevation:
            self._beamwidths[1] = np.inf
        self._elevation_limits = np.radians([settings.elevation_min_deg, settings.elevation_max_deg])
        self._half_fov = math.radians(settings.azimuth_fov_deg) / 2

        targets, jammers = self.scenario.targets, self.scenario.jammers
        self._owner = np.repeat(np.arange(len(targets)), [target.scatterers for target in targets])
        self._share_m2 = np.array([equation.from_db(t.rcs_dbsm) / t.scatterers for t in targets])[self._owner]
        self._fluctuates = np.array([t.swerling == 1 for t in targets], dtype=bool)[self._owner]
        extent = np.array([t.extent_m if t.scatterers > 1 else (0, 0, 0) for t in targets], dtype=np.float64)
        extent = extent.reshape(-1, 3)[self._owner]
        # In the target's own axes: forward, left, up. Drawn once, as an object is rigid.
        self._offset = self._rng.uniform(-0.5, 0.5, extent.shape) * extent
        self._eirp_w = np.array([jammer.eirp_w for jammer in jammers])
        self._jam_frequency = np.array([jammer.frequency_hz for jammer in jammers])
        self._jam_bandwidth = np.array([jammer.bandwidth_hz for jammer in jammers])
        self._rng_at_start = copy.deepcopy(self._rng.bit_generator.state)
        self.reset()

    def reset(self) -> None:
        """Go back to the state at start: mode, frequency, blanking, random numbers. Scans are counted on."""
        self._rng.bit_generator.state = copy.deepcopy(self._rng_at_start)
        self.mode = Mode.SEARCH
        self.blanking: tuple[tuple[float, float], ...] = ()
        self._tune(self.settings.frequency_hz)

    def _tune(self, frequency_hz: float) -> None:
        self.frequency_hz = frequency_hz
        self._radar = self.settings.radar(frequency_hz)

    def set_mode(
        self,
        mode: Mode | None = None,
        frequency_hz: float | None = None,
        blanking: Iterable[tuple[float, float]] | None = None,
    ) -> None:
        """Change how the radar works: all that is asked for, or nothing.

        Args:
            mode: None leaves it.
            frequency_hz: carrier; None leaves it.
            blanking: azimuth sectors without transmission, each from, to [rad], anticlockwise; None leaves them.

        Raises:
            ValueError: a carrier that cannot be tuned, or a sector that is none; the message says what is allowed.
        """
        if frequency_hz is not None:
            middle, half = self.settings.frequency_hz, self.settings.tuning_range_hz / 2
            if not abs(frequency_hz - middle) <= half:
                raise ValueError(
                    f"frequency {frequency_hz:g} Hz cannot be tuned; {middle - half:g} to {middle + half:g} Hz can"
                )
        sectors = None if blanking is None else tuple((float(a), float(b)) for a, b in blanking)
        for begin, end in sectors or ():
            if not (abs(begin) <= 2 * math.pi and abs(end) <= 2 * math.pi):
                raise ValueError(f"blanking from {begin:g} to {end:g}: radians from -2 pi to 2 pi are expected")
            if begin == end:
                raise ValueError(f"blanking from {begin:g} to {end:g} is an empty sector; its edges must differ")
        if mode is not None:
            self.mode = mode
        if frequency_hz is not None:
            self._tune(frequency_hz)
        if sectors is not None:
            self.blanking = sectors

    def step(self, t_s: float, stamp_ns: int) -> Scan:
        """Make one scan, its points ordered by azimuth.

        Args:
            t_s: time since the scenario's start [s]; the scenario repeats after its duration.
            stamp_ns: stamp of the scan.
        """
        self.sequence += 1
        t_s = t_s % self.scenario.duration_s
        index, true = self._visible(t_s)
        temperature = self._temperature(t_s, true)
        mean_snr = self._radar.snr(self._share_m2[index], true[0], temperature)
        snr = self._statistic(mean_snr, self._fluctuates[index])
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
        noise_scatter = self._rng.gamma(self.settings.noise_cells, 1.0 / self.settings.noise_cells, n)
        # The noise's own share (1) comes off the measured power, or weak targets would look larger than they are.
        rcs_m2 = self._radar.rcs(snr - 1.0, points[0], temperature)
        return Scan(
            stamp_ns=stamp_ns,
            frame_id=self.settings.frame_id,
            sequence=self.sequence,
            range=points[0],
            azimuth=points[1],
            elevation=points[2] if self.settings.has_elevation else unknown(n),
            range_rate=points[3] if self.settings.has_doppler else unknown(n),
            snr_db=equation.to_db(snr),
            rcs_dbsm=equation.to_db(rcs_m2),
            noise_db=equation.noise_power_dbm(temperature * noise_scatter, self.settings.bandwidth_hz),
        )

    def _visible(self, t_s: float) -> tuple[NDArray[np.int64], Floats]:
        """Return the scatterers (n,) that are in view, and their range, azimuth, elevation and range rate (4, n)."""
        settings = self.settings
        position, velocity = self.scenario.position_velocity(t_s)
        course, turn_rate = (values[self._owner] for values in self.scenario.course_and_turn_rate(t_s))
        east, north = np.sin(course), np.cos(course)
        forward, left, up = self._offset.T
        offset = np.stack([forward * east - left * north, forward * north + left * east, up], axis=1)
        turning = turn_rate[:, None] * np.stack([offset[:, 1], -offset[:, 0], np.zeros_like(up)], axis=1)
        relative = (position[self._owner] + offset - self._position) @ self._rotation
        velocity = (velocity[self._owner] + turning) @ self._rotation

        distance, azimuth, elevation = _polar(relative)
        range_rate = (relative * velocity).sum(axis=1) / np.maximum(distance, 1e-9)
        seen = (
            self.scenario.present(t_s)[self._owner]
            & (distance >= settings.blind_range_m)
            & (distance <= settings.farthest_m)
            & (np.abs(azimuth) <= self._half_fov)
            & (elevation >= self._elevation_limits[0])
            & (elevation <= self._elevation_limits[1])
            & ~self._blanked(azimuth)
        )
        if settings.has_doppler:
            seen &= np.abs(range_rate) <= settings.max_range_rate_mps
        index = np.flatnonzero(seen)
        return index, np.stack([distance, azimuth, elevation, range_rate])[:, index]

    def _blanked(self, azimuth: Floats) -> NDArray[np.bool_]:
        """Tell which azimuths are in a sector without transmission."""
        out = np.zeros(len(azimuth), dtype=bool)
        for begin, end in self.blanking:
            out |= (azimuth - begin) % (2 * math.pi) <= (end - begin) % (2 * math.pi)
        return out

    def _temperature(self, t_s: float, points: Floats) -> Floats:
        """Return the noise temperature [K] in the cells at `points` (4, n): the receiver's own, and jamming, (n,).

        What a jammer adds is its power density after the one-way link, through the beam that looks at the cell, as far
        as its band overlaps the receiver's.
        """
        settings = self.settings
        out = np.full(points.shape[1], settings.system_temperature_k)
        on = self.scenario.jamming(t_s)
        if not on.any():
            return out
        frequency, bandwidth = self._jam_frequency[on], self._jam_bandwidth[on]
        low = np.maximum(frequency - bandwidth / 2, self.frequency_hz - settings.bandwidth_hz / 2)
        high = np.minimum(frequency + bandwidth / 2, self.frequency_hz + settings.bandwidth_hz / 2)
        received_part = np.maximum(high - low, 0.0) / settings.bandwidth_hz
        relative = (self.scenario.jammer_positions(t_s)[on] - self._position) @ self._rotation
        distance, azimuth, elevation = _polar(relative)
        pattern = equation.beam_gain(
            _wrap(azimuth - points[1][:, None]),
            elevation - points[2][:, None],
            self._beamwidths,
            float(equation.from_db(settings.sidelobe_db)),
        )
        density = equation.link_power(
            self._eirp_w[on] / bandwidth * received_part,
            self._radar.gain * pattern,
            self._radar.wavelength_m,
            np.maximum(distance, 1.0),
            math.sqrt(self._radar.loss),  # in dB half of both ways' losses
        )
        out += density.sum(axis=1) / equation.BOLTZMANN
        return out

    def _statistic(self, mean_snr: Floats, fluctuates: NDArray[np.bool_]) -> Floats:
        """Draw |sqrt(snr) + noise|^2 in units of the mean noise power, (n,): what the detector compares."""
        n = len(mean_snr)
        snr = mean_snr * np.where(fluctuates, self._rng.standard_exponential(n), 1.0)
        real, imaginary = self._rng.normal(0.0, math.sqrt(0.5), (2, n))
        return np.asarray((np.sqrt(snr) + real) ** 2 + imaginary**2)

    def _measure(self, true: Floats, snr: Floats) -> Floats:
        """Return range, azimuth, elevation and range rate (4, n) as measured at the observed SNR (n,)."""
        settings = self.settings
        sigma = np.stack(
            [
                equation.sigma_range(settings.bandwidth_hz, snr),
                equation.sigma_angle(math.radians(settings.azimuth_beamwidth_deg), snr),
                equation.sigma_angle(math.radians(settings.elevation_beamwidth_deg), snr),
                equation.sigma_range_rate(self._radar.wavelength_m, settings.coherent_dwell_s, snr),
            ]
        )
        out = true + sigma * self._rng.standard_normal(true.shape)
        # The receiver is open between these ranges only.
        out[0] = np.clip(out[0], settings.blind_range_m, settings.farthest_m)
        out[1] = _wrap(out[1])
        out[2] = np.clip(out[2], -math.pi / 2, math.pi / 2)
        return np.asarray(out)

    def _false_alarms(self) -> tuple[Floats, Floats]:
        """Draw noise above the threshold anywhere in the field of view: points (4, n) and SNR (n,).

        Noise power is exponential, so that what exceeds the threshold is so by an exponential again.
        """
        settings = self.settings
        n = self._rng.poisson(settings.false_alarms_per_scan)
        low = [settings.blind_range_m, -self._half_fov, self._elevation_limits[0], -settings.max_range_rate_mps]
        high = [settings.farthest_m, self._half_fov, self._elevation_limits[1], settings.max_range_rate_mps]
        points = self._rng.uniform(low, high, (n, 4)).T
        return points, self._threshold + self._rng.standard_exponential(n)


def _polar(relative: Floats) -> tuple[Floats, Floats, Floats]:
    """Return range [m], azimuth and elevation [rad], each (n,), of points (n, 3) in the sensor's frame."""
    x, y, z = relative.T
    ground = np.hypot(x, y)
    return np.hypot(ground, z), np.arctan2(y, x), np.arctan2(z, ground)


def _wrap(angle: Floats) -> Floats:
    """Return angles from -pi to pi [rad]."""
    return np.asarray((angle + math.pi) % (2 * math.pi) - math.pi)
