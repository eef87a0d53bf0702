# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How a raw TI radar sends and samples: our YAML, or what mmWave Studio saves (`ti_studio.py`); and the waveform that follows.

Units and names are TI's own (GHz, MHz/us, us, ksps), as in its `profileCfg` and `frameCfg`; transmitters and receivers are
numbered as printed on the boards, from 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from aegis.core.param_names import Leaf
from aegis.core.params import ConfigError, Settings
from aegis.core.signal.cube import Waveform, WaveformKind
from aegis.core.signal.equation import SPEED_OF_LIGHT
from aegis.core.yaml_text import parse_yaml
from aegis.drivers.ti_studio import read_studio

LANES = 4  # of the interleaved layout, whatever the number of receivers (TI SWRA581B)
MAX_FRAME_BYTES = 64 << 20
Positions = tuple[tuple[float, float], ...]  # (left, up), in half wavelengths

_ROW = ((0.0, 0.0), (1.0, 0.0), (2.0, 0.0), (3.0, 0.0))
_TX_RAISED = ((0.0, 0.0), (2.0, 1.0), (4.0, 0.0))
# Transmitters and receivers of evaluation boards, standing upright, as seen from behind (looking where the radar looks). Spacings:
# the boards' user guides. That the row runs to the left: TI's demo gives an object on the right (its x > 0) where the phase
# increases along RX1 to RX4, and one above (z > 0) where TX2 lags TX1 and TX3.
BOARDS: dict[str, tuple[Positions, Positions]] = {
    "xWR1443BOOST": (_TX_RAISED, _ROW),
    "xWR1642BOOST": (((0.0, 0.0), (4.0, 0.0)), _ROW),
    "xWR1843BOOST": (_TX_RAISED, _ROW),
    "xWR6843ISK": (_TX_RAISED, _ROW),
}


class ChirpConfig(Settings):
    """The chirps of a frame, and the order of what is sampled; keys of the YAML file."""

    start_frequency_ghz: float = Field(gt=1, le=300, description="Carrier where the ramp begins.")
    slope_mhz_us: float = Field(ge=-1000, le=1000, description="Slope of the ramp.")
    sample_rate_ksps: float = Field(gt=0, le=1e6, description="Rate of the ADC's output.")
    samples: int = Field(ge=2, le=65_536, description="ADC samples a chirp.")
    idle_us: float = Field(ge=0, le=1e5, description="From the end of a ramp to the begin of the next.")
    adc_start_us: float = Field(ge=0, le=1e5, description="From the begin of a ramp to the first sample.")
    ramp_end_us: float = Field(gt=0, le=1e5, description="From the begin of a ramp to its end.")
    loops: int = Field(ge=1, le=1 << 20, description="Chirps a frame of each transmitter.")
    tx_order: tuple[int, ...] = Field(min_length=1, description="Transmitters of a loop, one after the other (TDM).")
    rx: tuple[int, ...] = Field((1, 2, 3, 4), min_length=1, description="Receivers that are on.")
    frame_period_ms: float = Field(0.0, ge=0, le=1e6, description="From frame to frame; 0 is unknown.")
    hardware_trigger: bool = Field(False, description="Frames begin by a pulse, not by the radar's own timer.")
    adc_layout: Literal["non_interleaved", "interleaved"] = Field(
        "non_interleaved",
        description="Order of DCA1000 samples: two lanes, a receiver at a time (xWR16xx, 18xx, 68xx), or four, sample by sample.",
    )
    sample_format: Literal["iq", "qi", "real"] = Field(
        "iq",
        description="Complex, I first (mmWave Studio's default) or Q (SDK demos, adcbufCfg sampleSwap 1); or real.",
    )
    board: str = Field("", description=f"Antennas of a board: {', '.join(BOARDS)}. Or:")
    tx_positions: Positions = Field((), description="(left, up) of TX1, TX2 ... in half wavelengths, from behind.")
    rx_positions: Positions = Field((), description="The same of RX1, RX2 ...")
    antenna_frequency_ghz: float = Field(
        0.0, ge=0, le=300, description="Whose half wavelength the positions are in; 0 is the carrier."
    )

    @property
    def parts(self) -> int:
        """Return the numbers a sample: 2 if complex."""
        return 1 if self.sample_format == "real" else 2

    @property
    def chirp_time_s(self) -> float:
        """Return the time from chirp to chirp [s]."""
        return (self.idle_us + self.ramp_end_us) * 1e-6

    @property
    def active_s(self) -> float:
        """Return the time from the begin of a frame's first chirp to the end of its last [s]."""
        return self.loops * len(self.tx_order) * self.chirp_time_s

    def waveform(self) -> Waveform:
        """Return the waveform; its channels are the receivers of the first transmitter, then those of the second, and so on."""
        middle_us = self.adc_start_us + self.samples / self.sample_rate_ksps * 1e3 / 2.0
        carrier = self.start_frequency_ghz * 1e9 + self.slope_mhz_us * middle_us * 1e6
        tx_positions, rx_positions = antennas(self)
        tx = np.array([tx_positions[i - 1] for i in self.tx_order])
        rx = np.array([rx_positions[i - 1] for i in self.rx])
        half_wavelength = SPEED_OF_LIGHT / (self.antenna_frequency_ghz * 1e9 or carrier) / 2.0
        position = np.zeros((len(tx) * len(rx), 3))
        position[:, 1:] = ((tx[:, None] + rx[None, :]) / 2.0 * half_wavelength).reshape(-1, 2)
        return Waveform(
            kind=WaveformKind.FMCW,
            carrier_frequency_hz=carrier,
            sample_rate_hz=self.sample_rate_ksps * 1e3,
            chirp_slope_hz_s=self.slope_mhz_us * 1e12,
            chirp_period_s=len(tx) * self.chirp_time_s,
            channel_position=position,
            channel_delay_s=np.repeat(np.arange(len(tx)) * self.chirp_time_s, len(rx)),
        )


def antennas(config: ChirpConfig) -> tuple[Positions, Positions]:
    """Return where the transmitters and receivers are."""
    return BOARDS[config.board] if config.board else (config.tx_positions, config.rx_positions)


def load_chirp(path: Path, board: str = "") -> ChirpConfig:
    """Read a chirp description.

    Args:
        path: mmWave Studio's `*.mmwave.json`, or YAML with the keys of `ChirpConfig`.
        board: a name of BOARDS, for a file that does not say where the antennas are.

    Raises:
        ConfigError: the file cannot be read or is wrong; the message says which key, and what is allowed.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"chirp_config: {path} cannot be read: {error}") from None
    if path.suffix == ".json":
        values = read_studio(text, str(path))
    elif path.suffix in (".yaml", ".yml"):
        values = _read_yaml(text, path)
    else:
        raise ConfigError(f"chirp_config: {path} is no .yaml, .yml or .json")
    if board:
        if {"board", "tx_positions", "rx_positions"} & values.keys():
            raise ConfigError(f"{path} says where the antennas are; the parameter 'board' must then be empty")
        values["board"] = board
    config = ChirpConfig.load(values, source=str(path))
    problems = _problems(config)
    if problems:
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in problems))
    return config


def _read_yaml(text: str, path: Path) -> dict[str, Leaf]:
    values = parse_yaml(text, str(path))
    if not isinstance(values, dict):
        raise ConfigError(f"{path} holds no keys; expected are {', '.join(ChirpConfig.model_fields)}")
    return {str(key): value for key, value in values.items()}


def _problems(config: ChirpConfig) -> list[str]:
    """Return what is wrong in a description whose values, each by itself, are allowed."""
    out = []
    if config.slope_mhz_us == 0:
        out.append("slope_mhz_us = 0: a chirp has a slope")
    sampled_us = config.samples / config.sample_rate_ksps * 1e3
    if config.adc_start_us + sampled_us > config.ramp_end_us + 1e-6:
        out.append(
            f"samples end {config.adc_start_us + sampled_us:g} us after the ramp's begin (adc_start_us, samples, "
            f"sample_rate_ksps), and the ramp at ramp_end_us = {config.ramp_end_us:g}; they must end before it"
        )
    if 0 < config.frame_period_ms * 1e-3 < config.active_s:
        out.append(
            f"frame_period_ms = {config.frame_period_ms:g} is shorter than the {config.active_s * 1e3:g} ms of all chirps"
        )
    if config.adc_layout == "non_interleaved" and config.parts == 2 and config.samples % 2:
        out.append(
            f"samples = {config.samples}: non_interleaved complex samples come in pairs; an even number is allowed"
        )
    if len(config.rx) > LANES and config.adc_layout == "interleaved":
        out.append(f"rx = {config.rx}: the interleaved layout has {LANES} receivers at most")
    lanes = LANES if config.adc_layout == "interleaved" else len(config.rx)
    size = config.loops * len(config.tx_order) * lanes * config.samples * config.parts * 2
    if size > MAX_FRAME_BYTES:
        out.append(f"a frame has {size} bytes (loops, tx_order, rx, samples); at most {MAX_FRAME_BYTES} are allowed")
    return out + _antenna_problems(config)


def _antenna_problems(config: ChirpConfig) -> list[str]:
    if config.board and (config.tx_positions or config.rx_positions):
        return ["board and tx_positions, rx_positions: only one of them can say where the antennas are"]
    if config.board and config.board not in BOARDS:
        return [f"board = '{config.board}' is not known; known are {', '.join(BOARDS)}"]
    if not config.board and not (config.tx_positions and config.rx_positions):
        return [
            "where the antennas are is not said: the parameter 'board', or in YAML board or tx_positions and rx_positions"
        ]
    out = []
    for key, used, there in zip(("tx_order", "rx"), (config.tx_order, config.rx), antennas(config), strict=True):
        if len(set(used)) != len(used) or not set(used) <= set(range(1, len(there) + 1)):
            out.append(f"{key} = {list(used)}: numbers from 1 to {len(there)} are allowed, each once")
    return out
