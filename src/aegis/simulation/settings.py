# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The parameters of the simulated radar, for both of its levels."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from aegis.core.params import Settings, group, param
from aegis.core.sensor import SensorPose
from aegis.core.signal import equation

MAX_CUBE = 2**24  # samples of a frame over all channels: 64 MB as int16


class WaveformSettings(Settings):
    """What the radar sends, and for how long it looks."""

    kind: Literal["fmcw", "pulse"] = param(
        "fmcw", "At signal level: dechirped FMCW, or pulse-Doppler. At measurement level it is always pulses.",
        was="waveform",
    )  # fmt: skip
    frequency_hz: float = param(9.4e9, "Carrier frequency at the start.", unit="Hz", ge=1e8, le=3e11)
    tuning_range_hz: float = param(
        1e9, "Width of the band, about frequency_hz, that the carrier can be set in.", unit="Hz", ge=0, le=1e10
    )
    bandwidth_hz: float = param(
        5e6, "Bandwidth of the pulse and the receiver; of FMCW what is swept while it is sampled.",
        unit="Hz", ge=1e5, le=1e10,
    )  # fmt: skip
    pulse_width_s: float = param(
        1e-6, "Length of the (modulated) pulse; the receiver is blind while it is sent.", unit="s", ge=1e-9, le=1e-3
    )
    prf_hz: float = param(
        10e3, "Pulses (chirps) a second, of each transmitter; sets the unambiguous range c / (2 PRF).",
        unit="Hz", ge=10, le=1e6,
    )  # fmt: skip
    coherent_dwell_s: float = param(
        2.5e-3, "Time on each beam position, integrated coherently.", unit="s", ge=1e-5, le=10
    )
    peak_power_w: float = param(1000.0, "Peak transmit power.", unit="W", gt=0, le=1e8)

    @model_validator(mode="after")
    def _pulses(self) -> Self:
        if self.coherent_dwell_s * self.prf_hz < 1:
            raise ValueError("coherent_dwell_s must hold at least one pulse: coherent_dwell_s >= 1 / prf_hz")
        return self

    @property
    def chirps(self) -> int:
        """Return the chirps (pulses) of a coherent dwell, of each transmitter."""
        return round(self.coherent_dwell_s * self.prf_hz)


class AntennaSettings(Settings):
    """The antenna; at signal level an array of like elements."""

    gain_db: float = param(34.0, "Antenna gain, both ways; at signal level of one element.", unit="dB", ge=0, le=80)
    azimuth_beamwidth_deg: float = param(
        2.0, "Half-power beamwidth in azimuth; at signal level of one element.", unit="deg", gt=0, le=180
    )
    elevation_beamwidth_deg: float = param(
        4.0, "Half-power beamwidth in elevation; at signal level of one element.", unit="deg", gt=0, le=180
    )
    sidelobe_db: float = param(-30.0, "Sidelobe level relative to the peak.", unit="dB", ge=-80, lt=0)
    transmitters_azimuth: int = param(
        1, "At signal level: transmitters beside one another; several send in turn (TDM).", ge=1, le=64
    )
    transmitters_elevation: int = param(1, "At signal level: transmitters above one another.", ge=1, le=64)
    receivers_azimuth: int = param(4, "At signal level: receivers beside one another.", ge=1, le=256)
    receivers_elevation: int = param(1, "At signal level: receivers above one another.", ge=1, le=256)
    element_spacing: float = param(
        0.5, "At signal level: spacing of the receivers in wavelengths at the start; the virtual array is filled.",
        ge=0.1, le=10,
    )  # fmt: skip

    @property
    def transmitters(self) -> int:
        """Return the number of transmitters."""
        return self.transmitters_azimuth * self.transmitters_elevation

    @property
    def receivers(self) -> int:
        """Return the number of receivers."""
        return self.receivers_azimuth * self.receivers_elevation


class ReceiverSettings(Settings):
    """The receiver, and at signal level its ADC."""

    system_temperature_k: float = param(870.0, "System noise temperature.", unit="K", gt=0, le=1e6)
    losses_db: float = param(
        6.0, "All losses of transmission, reception and (measurement level) processing; half of them on reception.",
        unit="dB", ge=0, le=60,
    )  # fmt: skip
    samples: int = param(256, "At signal level: samples in fast time.", ge=8, le=65_536)
    sample_rate_hz: float = param(
        10e6, "At signal level: complex samples a second; of FMCW beats from 0 to it pass.", unit="Hz", ge=1e4, le=1e10
    )
    data_type: Literal["int16", "complex64"] = param(
        "int16", "At signal level: samples as of an ADC, I and Q, or not rounded; the unit is the ADC's step in both."
    )
    noise_lsb: float = param(
        4.0, "At signal level: the receiver's noise in I and in Q (rms), in steps of the ADC.", gt=0, le=1000
    )
    adc_bits: int = param(
        16, "At signal level: bits of the ADC, sign included; beyond its full scale it saturates.", ge=4, le=16
    )


class CoverageSettings(Settings):
    """Where the radar sees; at signal level the elements' pattern and the front end decide about the angles."""

    max_range_m: float = param(10_000.0, "Instrumented range.", unit="m", ge=10, le=1e6)
    azimuth_fov_deg: float = param(
        360.0, "At measurement level: width of the field of view about the x axis.", unit="deg", gt=0, le=360
    )
    elevation_min_deg: float = param(
        -5.0, "At measurement level: lower edge of the field of view.", unit="deg", ge=-90, le=90
    )
    elevation_max_deg: float = param(
        60.0, "At measurement level: upper edge of the field of view.", unit="deg", ge=-90, le=90
    )
    max_range_rate_mps: float = param(
        600.0, "At measurement level: largest range rate, either sign, that the Doppler filters cover.",
        unit="m/s", gt=0, le=1e4,
    )  # fmt: skip

    @model_validator(mode="after")
    def _elevations(self) -> Self:
        if self.elevation_min_deg >= self.elevation_max_deg:
            raise ValueError("elevation_min_deg must be below elevation_max_deg")
        return self


class PointSettings(Settings):
    """The points of the measurement level; at signal level they are the front end's."""

    has_elevation: bool = param(
        True, "At measurement level: false for a 2D radar, whose elevation is unknown and whose beam is a fan."
    )
    has_doppler: bool = param(True, "At measurement level: false where range rate is not measured.")
    pfa: float = param(
        1e-6, "At measurement level: probability of false alarm that sets the detection threshold.", gt=0, le=0.1
    )
    false_alarms_per_scan: float = param(
        2.0, "At measurement level: mean of the Poisson number of false alarms in the whole field of view.",
        ge=0, le=1e5,
    )  # fmt: skip
    best_snr_db: float = param(
        27.0, "At measurement level: SNR above which a point's errors get no smaller, as calibration and quantisation remain.",
        unit="dB", ge=0.0, le=100.0,
    )  # fmt: skip
    noise_cells: int = param(
        32, "At measurement level: reference cells that each point's noise level is averaged over.", ge=1, le=100_000
    )


class SimulatorSettings(SensorPose):
    """The simulated radar: by default an X-band surveillance radar for small targets out to 10 km."""

    level: Literal["measurement", "signal"] = param(
        "measurement", "What it makes: points, as from a whole radar; or raw samples, for the front end."
    )
    scenario: str = param("calm_traffic", "Name of a scenario that ships, or path to a .yaml file.")
    begins_at_s: float = param(
        0.0, "When the scenario begins, in seconds since 1970: radars of a rig look at one scenario. 0: at the first scan.",
        unit="s", ge=0.0, lt=1e11,
    )  # fmt: skip
    seed: int = param(1, "Seed of the random generator: same seed, same scans.", ge=0)
    scan_interval_s: float = param(0.5, "Time between scans.", unit="s", ge=0.01, le=60, env="RADAR_SCAN_INTERVAL")
    refresh_rate_hz: float = param(
        0.0, "Scans a second; 0 uses scan_interval_s instead.", unit="Hz", ge=0, le=100, env="RADAR_REFRESH_RATE"
    )
    frame_id: str = param("radar", "The sensor's frame, in which the points are.")
    sensor_id: str = param("radar", "Name of the sensor, in cubes.")
    waveform: WaveformSettings = group(WaveformSettings())
    antenna: AntennaSettings = group(AntennaSettings())
    receiver: ReceiverSettings = group(ReceiverSettings())
    coverage: CoverageSettings = group(CoverageSettings())
    points: PointSettings = group(PointSettings())

    @model_validator(mode="after")
    def _is_a_radar(self) -> Self:
        if self.blind_range_m >= self.farthest_m:
            raise ValueError(
                f"nothing would be seen: blind to {self.blind_range_m:g} m (waveform.pulse_width_s), far limit"
                f" {self.farthest_m:g} m (coverage.max_range_m and waveform.prf_hz)"
            )
        return self

    @model_validator(mode="after")
    def _samples_fit(self) -> Self:
        if self.level == "signal":
            self._check_cube()
            needed_s, what = self._fmcw_s() if self.is_fmcw else self._pulse_s()
            slot_s = 1.0 / (self.waveform.prf_hz * self.antenna.transmitters)
            if needed_s > slot_s * (1 + 1e-9):
                raise ValueError(
                    f"{what} take {needed_s:g} s; with prf_hz {self.waveform.prf_hz:g} and {self.antenna.transmitters}"
                    f" transmitters only {slot_s:g} s are between chirps"
                )
        return self

    def _check_cube(self) -> None:
        chirps, channels = self.waveform.chirps, self.antenna.transmitters * self.antenna.receivers
        pulses = self.waveform.coherent_dwell_s * self.waveform.prf_hz
        if abs(pulses - chirps) > 1e-6 * pulses:
            raise ValueError(
                f"coherent_dwell_s * prf_hz is {pulses:g} chirps; at signal level a whole number is expected"
            )
        samples = self.receiver.samples
        size = samples * chirps * channels
        if size > MAX_CUBE:
            raise ValueError(
                f"a frame of {samples} samples x {chirps} chirps x {channels} channels has {size} samples; at most"
                f" {MAX_CUBE} are expected"
            )

    def _fmcw_s(self) -> tuple[float, str]:
        """Return what a chirp needs [s], and why.

        Raises:
            ValueError: a beat would be above the sample rate.
        """
        max_range_m, receiver = self.coverage.max_range_m, self.receiver
        limit_m = equation.SPEED_OF_LIGHT * receiver.samples / (2 * self.waveform.bandwidth_hz)
        if max_range_m > limit_m:
            raise ValueError(
                f"max_range_m {max_range_m:g} gives a beat above sample_rate_hz; with samples {receiver.samples} and"
                f" bandwidth_hz {self.waveform.bandwidth_hz:g} at most {limit_m:g} m are expected"
            )
        echo_s = 2 * max_range_m / equation.SPEED_OF_LIGHT
        return receiver.samples / receiver.sample_rate_hz + echo_s, "samples / sample_rate_hz and the echo's delay"

    def _pulse_s(self) -> tuple[float, str]:
        """Return what a pulse needs [s], and why.

        Raises:
            ValueError: the samples do not hold the pulse or the farthest echo.
        """
        sent, receiver, max_range_m = self.waveform, self.receiver, self.coverage.max_range_m
        if receiver.sample_rate_hz < sent.bandwidth_hz:
            raise ValueError(
                f"sample_rate_hz {receiver.sample_rate_hz:g} is below bandwidth_hz {sent.bandwidth_hz:g} of the pulse"
            )
        if sent.pulse_width_s * sent.bandwidth_hz < 1 - 1e-9:
            raise ValueError(
                f"a pulse of pulse_width_s {sent.pulse_width_s:g} is wider than bandwidth_hz {sent.bandwidth_hz:g}; at"
                f" least {1 / sent.pulse_width_s:g} Hz are expected"
            )
        window_s = sent.pulse_width_s + receiver.samples / receiver.sample_rate_hz
        if window_s < 2 * max_range_m / equation.SPEED_OF_LIGHT + sent.pulse_width_s:
            limit_m = equation.SPEED_OF_LIGHT * receiver.samples / receiver.sample_rate_hz / 2
            raise ValueError(
                f"max_range_m {max_range_m:g} is beyond the last sample; with samples {receiver.samples} and"
                f" sample_rate_hz {receiver.sample_rate_hz:g} at most {limit_m:g} m are expected"
            )
        return window_s, "pulse_width_s and samples / sample_rate_hz"

    @property
    def interval_s(self) -> float:
        """Return the time between scans [s]."""
        return 1.0 / self.refresh_rate_hz if self.refresh_rate_hz > 0 else self.scan_interval_s

    @property
    def gives_cubes(self) -> bool:
        """Tell whether it gives raw samples, for the front end."""
        return self.level == "signal"

    @property
    def is_fmcw(self) -> bool:
        """Tell whether it sends FMCW chirps; the measurement level knows pulses only."""
        return self.level == "signal" and self.waveform.kind == "fmcw"

    @property
    def most_chirp_jitter_s(self) -> float:
        """Return by how much a chirp can come earlier or later without running into its neighbours [s]; 0 of pulses."""
        if not self.is_fmcw:
            return 0.0
        needed_s, _ = self._fmcw_s()
        return max(0.0, 0.5 * (1.0 / (self.waveform.prf_hz * self.antenna.transmitters) - needed_s))

    @property
    def blind_range_m(self) -> float:
        """Return the range from which an echo begins after the pulse has been sent [m]."""
        return 0.0 if self.is_fmcw else equation.SPEED_OF_LIGHT * self.waveform.pulse_width_s / 2

    @property
    def farthest_m(self) -> float:
        """Return the lesser of instrumented and unambiguous range [m]."""
        return min(self.coverage.max_range_m, equation.SPEED_OF_LIGHT / (2 * self.waveform.prf_hz))

    def radar(self, frequency_hz: float) -> equation.Radar:
        """Return the radar of the radar equation at a carrier; at signal level what one channel makes of a frame."""
        sent, receiver = self.waveform, self.receiver
        return equation.Radar(
            frequency_hz=frequency_hz,
            peak_power_w=sent.peak_power_w,
            pulse_width_s=receiver.samples / receiver.sample_rate_hz if self.is_fmcw else sent.pulse_width_s,
            gain=float(equation.from_db(self.antenna.gain_db)),
            system_temperature_k=receiver.system_temperature_k,
            loss=float(equation.from_db(receiver.losses_db)),
            pulses=sent.coherent_dwell_s * sent.prf_hz,
        )
