# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The radar equation and measurement errors. Linear units unless a name says `_db`.

Every function takes numbers or arrays and broadcasts. SNR is the power ratio of one resolution cell after the matched
filter (and after coherent integration, where there is any).

Sources: Skolnik, Introduction to Radar Systems, 3rd ed., ch. 2 (radar equation) and 6 (accuracy); Adamy, EW 101, ch. 2 (one-way
link).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from aegis.core.types import Floats

SPEED_OF_LIGHT = 299_792_458.0  # [m/s]
BOLTZMANN = 1.380649e-23  # [J/K]


def from_db(value_db: ArrayLike) -> Any:
    """Return the power ratio of a value in dB."""
    return 10.0 ** (np.asarray(value_db, dtype=np.float64) / 10.0)


def to_db(ratio: ArrayLike) -> Any:
    """Return a power ratio in dB; 0 gives -inf."""
    with np.errstate(divide="ignore"):
        return 10.0 * np.log10(np.asarray(ratio, dtype=np.float64))


def decibels(ratio: Floats) -> Floats:
    """Return power ratios in dB; NaN where one is not positive: of a measured value, which then is none."""
    out: Floats = 10.0 * np.log10(np.where(ratio > 0.0, ratio, np.nan))
    return out


@dataclass(frozen=True)
class Radar:
    """What the radar equation needs of a monostatic radar.

    SNR = Pt tau n G^2 lambda^2 sigma / ((4 pi)^3 R^4 k Ts L): the matched-filter form, in which the energy counts and
    not the bandwidth. `pulses` (n) are integrated coherently.
    """

    frequency_hz: float
    peak_power_w: float
    pulse_width_s: float
    gain: float  # power ratio over isotropic, the same antenna both ways
    system_temperature_k: float
    loss: float = 1.0  # power ratio >= 1, both ways and processing
    pulses: float = 1.0

    @property
    def wavelength_m(self) -> float:
        """Return the wavelength [m]."""
        return SPEED_OF_LIGHT / self.frequency_hz

    def _factor(self, temperature_k: ArrayLike | None) -> Any:
        """Return SNR R^4 / sigma [m^2]."""
        temperature = self.system_temperature_k if temperature_k is None else np.asarray(temperature_k, np.float64)
        energy = self.peak_power_w * self.pulse_width_s * self.pulses
        return energy * (self.gain * self.wavelength_m) ** 2 / ((4 * np.pi) ** 3 * BOLTZMANN * temperature * self.loss)

    def snr(self, rcs_m2: ArrayLike, range_m: ArrayLike, temperature_k: ArrayLike | None = None) -> Any:
        """Return the mean SNR of a target.

        Args:
            rcs_m2: radar cross section [m^2].
            range_m: [m].
            temperature_k: noise temperature present [K], jamming included; None for the system's own.
        """
        return self._factor(temperature_k) * np.asarray(rcs_m2, np.float64) / np.asarray(range_m, np.float64) ** 4

    def rcs(self, snr: ArrayLike, range_m: ArrayLike, temperature_k: ArrayLike | None = None) -> Any:
        """Return the RCS [m^2] that gives this SNR at this range: the inverse of `snr`."""
        return np.asarray(snr, np.float64) * np.asarray(range_m, np.float64) ** 4 / self._factor(temperature_k)

    def range(self, rcs_m2: ArrayLike, snr: ArrayLike, temperature_k: ArrayLike | None = None) -> Any:
        """Return the range [m] at which a target has this SNR: the inverse of `snr`."""
        ratio = self._factor(temperature_k) * np.asarray(rcs_m2, np.float64) / np.asarray(snr, np.float64)
        return ratio**0.25

    def echo_power(self, rcs_m2: ArrayLike, range_m: ArrayLike) -> Any:
        """Return the echo's power [W] at the receiver, before any matched filter or integration."""
        area = np.asarray(rcs_m2, np.float64) * (self.gain * self.wavelength_m) ** 2
        return self.peak_power_w * area / ((4 * np.pi) ** 3 * np.asarray(range_m, np.float64) ** 4 * self.loss)


def free_space_loss(wavelength_m: float, range_m: ArrayLike) -> Any:
    """Return the one-way spreading loss between isotropic antennas, (4 pi R / lambda)^2, as a power ratio."""
    return (4 * np.pi * np.asarray(range_m, np.float64) / wavelength_m) ** 2


def link_power(eirp: ArrayLike, gain: ArrayLike, wavelength_m: float, range_m: ArrayLike, loss: ArrayLike = 1.0) -> Any:
    """Return the power received over a one-way link.

    Args:
        eirp: radiated power towards the receiver, times the sender's gain [W] (or [W/Hz] for a density back).
        gain: the receiving antenna's, in the sender's direction.
        wavelength_m: [m].
        range_m: [m].
        loss: of the receive path, power ratio >= 1.
    """
    return np.asarray(eirp) * np.asarray(gain) / (free_space_loss(wavelength_m, range_m) * np.asarray(loss))


def noise_power_dbm(temperature_k: ArrayLike, bandwidth_hz: float) -> Any:
    """Return k T B [dBm]."""
    return to_db(BOLTZMANN * np.asarray(temperature_k, np.float64) * bandwidth_hz) + 30.0


def sigma_range(bandwidth_hz: float, snr: ArrayLike) -> Any:
    """Return the standard deviation of a range measurement [m]: c / (2 B sqrt(2 SNR))."""
    return SPEED_OF_LIGHT / (2.0 * bandwidth_hz * np.sqrt(2.0 * np.asarray(snr, np.float64)))


def sigma_angle(beamwidth_rad: float, snr: ArrayLike) -> Any:
    """Return the standard deviation of a monopulse angle measurement [rad]: theta3 / (1.6 sqrt(2 SNR))."""
    return beamwidth_rad / (1.6 * np.sqrt(2.0 * np.asarray(snr, np.float64)))


def sigma_range_rate(wavelength_m: float, dwell_s: float, snr: ArrayLike) -> Any:
    """Return the standard deviation of a range-rate measurement [m/s]: lambda / (2 T sqrt(2 SNR))."""
    return wavelength_m / (2.0 * dwell_s * np.sqrt(2.0 * np.asarray(snr, np.float64)))


def beam_gain(off_azimuth_rad: ArrayLike, off_elevation_rad: ArrayLike, beamwidths_rad: Floats, floor: float) -> Any:
    """Return a pattern's power gain relative to its peak: a Gaussian main lobe above a flat sidelobe level.

    Args:
        off_azimuth_rad: angle from the beam's axis, -pi to pi.
        off_elevation_rad: the same in elevation; 0 for a fan beam.
        beamwidths_rad: (2,) half-power beamwidths in azimuth and elevation.
        floor: sidelobe level, a power ratio below 1.
    """
    u = np.asarray(off_azimuth_rad) / beamwidths_rad[0]
    v = np.asarray(off_elevation_rad) / beamwidths_rad[1]
    return np.maximum(np.exp(-4.0 * np.log(2.0) * (u * u + v * v)), floor)
