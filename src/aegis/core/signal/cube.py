# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""One frame of raw samples, and the waveform that it was taken with: what a raw radar's driver gives the front end.

The echo of a point at range R(t) is, in channel c, with the two-way delay tau = 2 (R(t) - p_c . u) / c, where p_c is the channel's
phase centre, u the unit vector towards the point, and t_fast counts from the middle of the samples (FMCW) or the pulse's begin:

- FMCW (dechirped, sent times conjugate of received):  a exp(+j 2 pi (f_c tau + slope tau t_fast)),
- pulse (baseband of the received signal):             a exp(-j 2 pi f_c tau) p(t_fast - tau), with p the pulse sent.

A pulse begins at t = 0: p(t) = exp(j pi slope (t - width / 2)^2) until t = width.

Drivers whose hardware has the other sign conjugate their samples. An object that recedes (positive range rate) then has a positive
Doppler frequency in an FMCW cube and a negative one in a pulse cube; the front end knows. Real FMCW samples are the real part.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aegis.core.signal.equation import SPEED_OF_LIGHT
from aegis.core.types import Floats


class WaveformKind(IntEnum):
    """As in aegis_msgs/RadarCube."""

    FMCW = 1
    PULSE = 2


class CubeError(ValueError):
    """A cube cannot be processed; `reason` is a short key for counting, the message says the rest."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True)
class Waveform:
    """How the radar sends, and where its channels are. A channel is virtual: one pair of transmitter and receiver."""

    kind: WaveformKind
    carrier_frequency_hz: float  # in the middle of what is sampled
    sample_rate_hz: float
    chirp_slope_hz_s: float  # FMCW: of the chirp, either sign. PULSE: within the pulse; 0 is an unmodulated pulse
    chirp_period_s: float  # between chirps (pulses) of one transmitter
    channel_position: (
        Floats  # (channels, 3) phase centre, half way between transmitter and receiver, sensor's frame [m]
    )
    channel_delay_s: Floats  # (channels,) of the channel's chirp after the first transmitter's; TDM; zeros otherwise
    pulse_width_s: float = 0.0  # PULSE only
    first_sample_s: float = 0.0  # PULSE only: of the first sample after the beginning of the pulse
    rcs_offset_db: float = float("nan")  # RCS [dBsm] = |a|^2 [dB] + 40 log10(range [m]) + this; NaN unknown

    def __post_init__(self) -> None:
        """Check.

        Raises:
            CubeError: a value that no radar has; the message says which.
        """
        problems = [
            f"{name} is {getattr(self, name):g}; a positive number is expected"
            for name in ("carrier_frequency_hz", "sample_rate_hz", "chirp_period_s")
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) > 0)
        ]
        if not np.isfinite(self.chirp_slope_hz_s) or (self.kind is WaveformKind.FMCW and self.chirp_slope_hz_s == 0):
            problems.append(f"chirp_slope_hz_s is {self.chirp_slope_hz_s:g}; an FMCW chirp has a slope other than 0")
        if self.kind is WaveformKind.PULSE and not (np.isfinite(self.pulse_width_s) and self.pulse_width_s > 0):
            problems.append(f"pulse_width_s is {self.pulse_width_s:g}; a positive number is expected of a pulse radar")
        if not np.isfinite(self.first_sample_s):
            problems.append("first_sample_s is not finite")
        n = len(self.channel_delay_s)
        if n == 0 or self.channel_position.shape != (n, 3):
            problems.append(
                f"{n} channel delays and positions of shape {self.channel_position.shape}; (channels, 3) is expected"
            )
        elif not (np.isfinite(self.channel_position).all() and np.isfinite(self.channel_delay_s).all()):
            problems.append("a channel's position or delay is not finite")
        if problems:
            raise CubeError("waveform", "; ".join(problems))

    @property
    def wavelength_m(self) -> float:
        """Return the wavelength [m]."""
        return SPEED_OF_LIGHT / self.carrier_frequency_hz

    @property
    def range_rate_span_mps(self) -> float:
        """Return the width of the unambiguous interval of range rates, lambda / (2 T), about 0 [m/s]."""
        return self.wavelength_m / (2.0 * self.chirp_period_s)


@dataclass
class Cube:
    """One frame. `data` is one of

    - int16 (samples, chirps, channels): real samples,
    - int16 (samples, chirps, channels, 2): I and Q,
    - complex64 (samples, chirps, channels),

    samples in fast time, chirps in slow time (of each transmitter). Read-only: it may be the memory of a message.
    """

    stamp_ns: int  # middle of the frame
    frame_id: str
    sequence: int
    sensor_id: str
    waveform: Waveform
    data: NDArray[Any]

    def __post_init__(self) -> None:
        """Check.

        Raises:
            CubeError: `data` is none of these, is empty, or has another number of channels than the waveform.
        """
        shape, kind = self.data.shape, self.data.dtype
        fits = (kind == np.int16 and (len(shape) == 3 or (len(shape) == 4 and shape[3] == 2))) or (
            kind == np.complex64 and len(shape) == 3
        )
        if not fits:
            raise CubeError(
                "cube type",
                f"a cube of {kind} {shape}; int16 (samples, chirps, channels[, 2]) or complex64 is expected",
            )
        if 0 in shape:
            raise CubeError("empty cube", f"a cube of shape {shape} has no samples")
        if shape[2] != len(self.waveform.channel_delay_s):
            raise CubeError(
                "channels", f"a cube of {shape[2]} channels; the waveform has {len(self.waveform.channel_delay_s)}"
            )


@dataclass
class RangeDopplerMap:
    """Power over range and range rate, for display; as in aegis_msgs/RangeDopplerMap."""

    first_range_m: float
    range_step_m: float
    first_range_rate_mps: float
    range_rate_step_mps: float
    power_db: NDArray[np.float32]  # (ranges, range rates), so that noise reads as a point's noise_db
    noise_db: NDArray[np.float32]  # (ranges,) median
