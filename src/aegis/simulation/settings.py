"""The parameters of the simulated radar, for both of its levels."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from aegis.core.params import param
from aegis.core.sensor import SensorPose
from aegis.core.signal import equation

MAX_CUBE = 2**24  # samples of a frame over all channels: 64 MB as int16


class SimulatorSettings(SensorPose):
    """The simulated radar: by default an X-band surveillance radar for small targets out to 10 km."""

    level: Literal["measurement", "signal"] = param(
        "measurement", "what it makes: points, as from a whole radar; or raw samples, for the front end"
    )
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
    prf_hz: float = param(
        10e3, "pulses (chirps) a second, of each transmitter; sets the unambiguous range c / (2 PRF)",
        unit="Hz", ge=10, le=1e6,
    )  # fmt: skip
    coherent_dwell_s: float = param(
        2.5e-3, "time on each beam position, integrated coherently", unit="s", ge=1e-5, le=10
    )
    bandwidth_hz: float = param(
        5e6, "bandwidth of the pulse and the receiver; of FMCW what is swept while it is sampled",
        unit="Hz", ge=1e5, le=1e10,
    )  # fmt: skip
    gain_db: float = param(34.0, "antenna gain, both ways; at signal level of one element", unit="dB", ge=0, le=80)
    azimuth_beamwidth_deg: float = param(
        2.0, "half-power beamwidth; at signal level of one element", unit="deg", gt=0, le=180
    )
    elevation_beamwidth_deg: float = param(
        4.0, "half-power beamwidth; at signal level of one element", unit="deg", gt=0, le=180
    )
    sidelobe_db: float = param(-30.0, "sidelobe level relative to the peak", unit="dB", ge=-80, lt=0)
    system_temperature_k: float = param(870.0, "system noise temperature", unit="K", gt=0, le=1e6)
    losses_db: float = param(
        6.0, "all losses of transmission, reception and (measurement level) processing; half of them on reception",
        unit="dB", ge=0, le=60,
    )  # fmt: skip
    max_range_m: float = param(10_000.0, "instrumented range", unit="m", ge=10, le=1e6)

    # Measurement level only. At signal level the elements' pattern and the front end decide about these.
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

    # Signal level only.
    sensor_id: str = param("radar", "signal level: name of the sensor, in cubes")
    waveform: Literal["fmcw", "pulse"] = param("fmcw", "signal level: dechirped FMCW, or pulse-Doppler")
    samples: int = param(256, "signal level: samples in fast time", ge=8, le=65_536)
    sample_rate_hz: float = param(
        10e6, "signal level: complex samples a second; of FMCW beats from 0 to it pass", unit="Hz", ge=1e4, le=1e10
    )
    transmitters_azimuth: int = param(
        1, "signal level: transmitters beside one another; several send in turn (TDM)", ge=1, le=64
    )
    transmitters_elevation: int = param(1, "signal level: transmitters above one another", ge=1, le=64)
    receivers_azimuth: int = param(4, "signal level: receivers beside one another", ge=1, le=256)
    receivers_elevation: int = param(1, "signal level: receivers above one another", ge=1, le=256)
    element_spacing: float = param(
        0.5, "signal level: spacing of the receivers in wavelengths at the start; the virtual array is filled",
        ge=0.1, le=10,
    )  # fmt: skip
    data_type: Literal["int16", "complex64"] = param(
        "int16", "signal level: samples as of an ADC, I and Q, or not rounded; the unit is the ADC's step in both"
    )
    noise_lsb: float = param(
        4.0, "signal level: the receiver's noise in I and in Q (rms), in steps of the ADC", gt=0, le=1000
    )
    adc_bits: int = param(
        16, "signal level: of the ADC, sign included; beyond its full scale it saturates", ge=4, le=16
    )

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

    @model_validator(mode="after")
    def _samples_fit(self) -> Self:
        if self.level != "signal":
            return self
        pulses = self.coherent_dwell_s * self.prf_hz
        if abs(pulses - self.chirps) > 1e-6 * pulses:
            raise ValueError(
                f"coherent_dwell_s * prf_hz is {pulses:g} chirps; at signal level a whole number is expected"
            )
        size = self.samples * self.chirps * self.transmitters * self.receivers
        if size > MAX_CUBE:
            raise ValueError(
                f"a frame of {self.samples} samples x {self.chirps} chirps x {self.transmitters * self.receivers}"
                f" channels has {size} samples; at most {MAX_CUBE} are expected"
            )
        slot_s = 1.0 / (self.prf_hz * self.transmitters)
        echo_s = 2 * self.max_range_m / equation.SPEED_OF_LIGHT
        if self.waveform == "fmcw":
            limit_m = equation.SPEED_OF_LIGHT * self.samples / (2 * self.bandwidth_hz)
            if self.max_range_m > limit_m:
                raise ValueError(
                    f"max_range_m {self.max_range_m:g} gives a beat above sample_rate_hz; with samples {self.samples} and"
                    f" bandwidth_hz {self.bandwidth_hz:g} at most {limit_m:g} m are expected"
                )
            needed_s, what = (
                self.samples / self.sample_rate_hz + echo_s,
                "samples / sample_rate_hz and the echo's delay",
            )
        else:
            if self.sample_rate_hz < self.bandwidth_hz:
                raise ValueError(
                    f"sample_rate_hz {self.sample_rate_hz:g} is below bandwidth_hz {self.bandwidth_hz:g} of the pulse"
                )
            if self.pulse_width_s * self.bandwidth_hz < 1 - 1e-9:
                raise ValueError(
                    f"a pulse of pulse_width_s {self.pulse_width_s:g} is wider than bandwidth_hz"
                    f" {self.bandwidth_hz:g}; at least {1 / self.pulse_width_s:g} Hz are expected"
                )
            window_s = self.pulse_width_s + self.samples / self.sample_rate_hz
            if window_s < echo_s + self.pulse_width_s:
                limit_m = equation.SPEED_OF_LIGHT * self.samples / self.sample_rate_hz / 2
                raise ValueError(
                    f"max_range_m {self.max_range_m:g} is beyond the last sample; with samples {self.samples} and"
                    f" sample_rate_hz {self.sample_rate_hz:g} at most {limit_m:g} m are expected"
                )
            needed_s, what = window_s, "pulse_width_s and samples / sample_rate_hz"
        if needed_s > slot_s * (1 + 1e-9):
            raise ValueError(
                f"{what} take {needed_s:g} s; with prf_hz {self.prf_hz:g} and {self.transmitters} transmitters only"
                f" {slot_s:g} s are between chirps"
            )
        return self

    @property
    def interval_s(self) -> float:
        """Return the time between scans [s]."""
        return 1.0 / self.refresh_rate_hz if self.refresh_rate_hz > 0 else self.scan_interval_s

    @property
    def is_fmcw(self) -> bool:
        """Tell whether it sends FMCW chirps; the measurement level knows pulses only."""
        return self.level == "signal" and self.waveform == "fmcw"

    @property
    def chirps(self) -> int:
        """Return the chirps (pulses) of a coherent dwell, of each transmitter."""
        return round(self.coherent_dwell_s * self.prf_hz)

    @property
    def transmitters(self) -> int:
        """Return the number of transmitters."""
        return self.transmitters_azimuth * self.transmitters_elevation

    @property
    def receivers(self) -> int:
        """Return the number of receivers."""
        return self.receivers_azimuth * self.receivers_elevation

    @property
    def blind_range_m(self) -> float:
        """Return the range from which an echo begins after the pulse has been sent [m]."""
        return 0.0 if self.is_fmcw else equation.SPEED_OF_LIGHT * self.pulse_width_s / 2

    @property
    def farthest_m(self) -> float:
        """Return the lesser of instrumented and unambiguous range [m]."""
        return min(self.max_range_m, equation.SPEED_OF_LIGHT / (2 * self.prf_hz))

    def radar(self, frequency_hz: float) -> equation.Radar:
        """Return the radar of the radar equation at a carrier; at signal level what one channel makes of a frame."""
        return equation.Radar(
            frequency_hz=frequency_hz,
            peak_power_w=self.peak_power_w,
            pulse_width_s=self.samples / self.sample_rate_hz if self.is_fmcw else self.pulse_width_s,
            gain=float(equation.from_db(self.gain_db)),
            system_temperature_k=self.system_temperature_k,
            loss=float(equation.from_db(self.losses_db)),
            pulses=self.coherent_dwell_s * self.prf_hz,
        )
