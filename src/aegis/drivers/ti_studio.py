# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What mmWave Studio saves of a radar's configuration (`*.mmwave.json`), as values of `ti_chirp.ChirpConfig`.

The keys are those of TI's mmWaveLink structures (rlProfileCfg_t, rlChirpCfg_t, rlFrameCfg_t); masks are written as "0xF".
"""

from __future__ import annotations

import json

from aegis.core.param_names import Leaf
from aegis.core.params import ConfigError


class _Node:
    """A value of the file, and where it stands."""

    def __init__(self, value: object, source: str, where: str) -> None:
        self.value, self.source, self.where = value, source, where

    def error(self, expected: str) -> ConfigError:
        return ConfigError(f"{self.source}: {self.where} = {json.dumps(self.value)[:60]}: expected is {expected}")

    def get(self, key: str) -> _Node:
        where = f"{self.where}.{key}" if self.where else key
        if not isinstance(self.value, dict):
            raise self.error("an object")
        if key not in self.value:
            raise ConfigError(f"{self.source}: key '{where}' is missing")
        return _Node(self.value[key], self.source, where)

    def has(self, key: str) -> bool:
        return isinstance(self.value, dict) and key in self.value

    def all(self) -> list[_Node]:
        if not isinstance(self.value, list):
            raise self.error("a list")
        return [_Node(item, self.source, f"{self.where}[{i}]") for i, item in enumerate(self.value)]

    def number(self) -> float:
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)):
            raise self.error("a number")
        return float(self.value)

    def integer(self, low: int, high: int) -> int:
        """Return an integer, written as a number or as "0x..."."""
        try:
            value = int(self.value, 0) if isinstance(self.value, str) else self.value
        except ValueError:
            value = None
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.error(f'an integer from {low} to {high}, or such as "0xF"')
        return value

    def bits(self, width: int) -> tuple[int, ...]:
        """Return which bits of a mask are set, from 1."""
        mask = self.integer(1, (1 << width) - 1)
        return tuple(i + 1 for i in range(width) if mask >> i & 1)


def read_studio(text: str, source: str) -> dict[str, Leaf]:
    """Return the values of `ChirpConfig` that the JSON says: all but the antennas' positions.

    Args:
        text: the file's content.
        source: its name, for messages.

    Raises:
        ConfigError: a key is missing, wrong, or asks for what is not supported here (cascades, advanced frames, chirps that differ
            in more than the transmitter, several transmitters at a time, 12 or 14 bits, headers between the samples).
    """
    try:
        root = _Node(json.loads(text), source, "")
    except (json.JSONDecodeError, RecursionError) as error:
        raise ConfigError(f"{source} is no JSON: {error}") from None
    devices = root.get("mmWaveDevices").all()
    if len(devices) != 1:
        raise root.get("mmWaveDevices").error("one device; cascaded radars are not supported")
    rf, capture = devices[0].get("rfConfig"), devices[0].get("rawDataCaptureConfig")
    if rf.has("waveformType") and rf.get("waveformType").value != "legacyFrameChirp":
        raise rf.get("waveformType").error('"legacyFrameChirp"; other frames are not supported')
    frame = rf.get("rlFrameCfg_t")
    order, profile_id = _chirps(rf, frame)
    # A loop of equal chirps, or of the same order twice, is several shorter loops.
    period = next(n for n in range(1, len(order) + 1) if len(order) % n == 0 and order == order[:n] * (len(order) // n))
    profile = _profile(rf, profile_id)
    values: dict[str, Leaf] = {
        ours: profile.get(theirs).number()
        for ours, theirs in (
            ("start_frequency_ghz", "startFreqConst_GHz"),
            ("slope_mhz_us", "freqSlopeConst_MHz_usec"),
            ("sample_rate_ksps", "digOutSampleRate"),
            ("idle_us", "idleTimeConst_usec"),
            ("adc_start_us", "adcStartTimeConst_usec"),
            ("ramp_end_us", "rampEndTime_usec"),
        )
    }
    return values | {
        "samples": profile.get("numAdcSamples").integer(2, 65_536),
        "loops": frame.get("numLoops").integer(1, 255) * (len(order) // period),
        "tx_order": order[:period],
        "rx": rf.get("rlChanCfg_t").get("rxChannelEn").bits(4),
        "frame_period_ms": frame.get("framePeriodicity_msec").number(),
        "hardware_trigger": frame.has("triggerSelect") and frame.get("triggerSelect").integer(1, 2) == 2,
        "adc_layout": _layout(capture),
        "sample_format": _sample_format(rf, capture),
    }


def _chirps(rf: _Node, frame: _Node) -> tuple[tuple[int, ...], int]:
    """Return the transmitter of each chirp of a loop, and the profile that all of them use."""
    blocks = [block.get("rlChirpCfg_t") for block in rf.get("rlChirps").all()]
    transmitter: dict[int, int] = {}
    profiles: dict[int, int] = {}
    for block in blocks:
        begin = block.get("chirpStartIdx").integer(0, 511)
        end = block.get("chirpEndIdx").integer(begin, 511)
        for key in ("startFreqVar_MHz", "freqSlopeVar_KHz_usec", "idleTimeVar_usec", "adcStartTimeVar_usec"):
            if block.has(key) and block.get(key).number() != 0:
                raise block.get(key).error("0; chirps that differ in more than the transmitter are not supported")
        on = block.get("txEnable").bits(4)
        if len(on) != 1:
            raise block.get("txEnable").error("one transmitter at a time (TDM)")
        for i in range(begin, end + 1):
            transmitter[i], profiles[i] = on[0], block.get("profileId").integer(0, 3)
    begin = frame.get("chirpStartIdx").integer(0, 511)
    used = range(begin, frame.get("chirpEndIdx").integer(begin, 511) + 1)
    missing = [i for i in used if i not in transmitter]
    if missing:
        raise rf.get("rlChirps").error(f"also chirp {missing[0]}, which rlFrameCfg_t uses")
    if len({profiles[i] for i in used}) > 1:
        raise rf.get("rlChirps").error("the same profileId in all chirps of the frame")
    return tuple(transmitter[i] for i in used), profiles[begin]


def _profile(rf: _Node, profile_id: int) -> _Node:
    for item in rf.get("rlProfiles").all():
        profile = item.get("rlProfileCfg_t")
        if profile.get("profileId").integer(0, 3) == profile_id:
            return profile
    raise ConfigError(
        f"{rf.source}: {rf.where}.rlProfiles has no profile of profileId {profile_id}, which the chirps use"
    )


def _layout(capture: _Node) -> str:
    """Return the order of the samples (TI SWRA581B)."""
    packet = capture.get("rlDevDataPathCfg_t").get("transferFmtPkt0")
    if packet.integer(0, 255) != 1:
        raise packet.error('"0x1", ADC samples only; headers between them are not supported')
    layout = "non_interleaved" if capture.get("rlDevDataFmtCfg_t").get("chInterleave").integer(0, 1) else "interleaved"
    lanes = capture.get("rlDevLaneEnable_t").get("laneEn")
    expected = 4 if layout == "interleaved" else 2
    if len(lanes.bits(4)) != expected:
        raise lanes.error(f"{expected} lanes, where chInterleave says '{layout}'")
    return layout


def _sample_format(rf: _Node, capture: _Node) -> str:
    adc = rf.get("rlAdcOutCfg_t").get("fmt")
    if adc.get("b2AdcBits").integer(0, 2) != 2:
        raise adc.get("b2AdcBits").error("2 (16 bits)")
    kind = adc.get("b2AdcOutFmt").integer(0, 3)
    if kind == 3:
        raise adc.get("b2AdcOutFmt").error("0 (real), 1 or 2 (complex)")
    if kind == 0:
        return "real"
    return "qi" if capture.get("rlDevDataFmtCfg_t").get("iqSwapSel").integer(0, 1) else "iq"
