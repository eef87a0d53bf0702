# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Descriptions of TI's chirps, ours and mmWave Studio's: the waveform that follows, and what is said where they are wrong."""

import json
from contextlib import suppress

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ti_bytes import CHIRP, write_chirp

from aegis.core.params import ConfigError
from aegis.drivers.ti_chirp import BOARDS, ChirpConfig, load_chirp
from aegis.drivers.ti_raw import TiRaw, TiRawSettings

C = 299_792_458.0


def driver(tmp_path, source="udp", path="", board_setting="", **chirp) -> TiRaw:
    values = {
        "driver": "ti_raw",
        "source": source,
        "path": str(path),
        "board": board_setting,
        **write_chirp(tmp_path, **chirp),
    }
    return TiRaw(TiRawSettings.load(values))


class TestChirps:
    def test_waveform(self, tmp_path):
        chirp = load_chirp(tmp_path / write_chirp(tmp_path)["chirp_config"])
        wave = chirp.waveform()
        # The sampled 8 / 2.5 MHz begin 6 us after the ramp: 60 MHz/us x (6 + 1.6) us above 77 GHz.
        assert wave.carrier_frequency_hz == pytest.approx(77.456e9)
        assert wave.chirp_slope_hz_s == 60e12
        assert wave.sample_rate_hz == 2.5e6
        assert wave.chirp_period_s == pytest.approx(2 * 92e-6)
        assert wave.channel_delay_s == pytest.approx([0.0] * 4 + [92e-6] * 4)
        quarter = C / 77.456e9 / 4  # half the sum of positions in half wavelengths
        assert wave.channel_position == pytest.approx(
            np.array([[0, quarter * n, 0] for n in (0, 1, 2, 3, 4, 5, 6, 7)]), abs=1e-12
        )

    def test_the_raised_transmitter_is_above(self):
        wave = ChirpConfig.load(CHIRP | {"tx_order": [1, 3, 2]}).waveform()
        raised = wave.channel_position[8:]
        assert raised[:, 2] == pytest.approx(wave.wavelength_m / 4)
        assert raised[0, 1] == pytest.approx(wave.wavelength_m / 2)

    def test_own_antennas_in_wavelengths_of_another_frequency(self):
        changes = {
            "board": "", "tx_positions": [[0, 0], [0, 0], [-1, 2]], "rx_positions": [[0, 0], [2, 0]],
            "rx": [2], "tx_order": [3], "antenna_frequency_ghz": 79.0,
        }  # fmt: skip
        (place,) = ChirpConfig.load(CHIRP | changes).waveform().channel_position
        assert place == pytest.approx(np.array([0, 0.5, 1.0]) * C / 79e9 / 2)

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"samples": None}, "'samples'.*required"),
            ({"samples": "many"}, "'samples' = 'many'"),
            ({"colour": 1}, "unknown parameter 'colour'"),
            ({"slope_mhz_us": 0}, "slope_mhz_us"),
            ({"samples": 200}, "samples end 86 us.*ramp_end_us = 62"),
            ({"samples": 7}, "even number"),
            ({"frame_period_ms": 0.5}, "frame_period_ms = 0.5.*0.736 ms"),
            ({"tx_order": [1, 4]}, r"tx_order = \[1, 4\]: numbers from 1 to 3"),
            ({"tx_order": [1, 1]}, "each once"),
            ({"rx": [0]}, r"rx = \[0\]: numbers from 1 to 4"),
            ({"board": "xWR9999"}, "known are xWR1443BOOST"),
            ({"board": None}, "where the antennas are is not said"),
            ({"tx_positions": [[0, 0]]}, "only one of them"),
            ({"adc_layout": "mixed"}, "adc_layout"),
            ({"loops": 100_000, "samples": 100}, "at most 67108864"),
        ],
    )
    def test_what_is_wrong_is_named(self, tmp_path, changes, says):
        with pytest.raises(ConfigError, match=says) as error:
            driver(tmp_path, **changes)
        assert "chirp.yaml" in str(error.value)

    @pytest.mark.parametrize(
        ("name", "text", "says"),
        [
            ("a.yaml", "[1, 2", "not valid YAML"),
            ("a.yaml", "3", "no keys"),
            ("a.json", "{", "no JSON"),
            ("a.txt", "", "no .yaml"),
        ],
    )
    def test_files_that_are_none(self, tmp_path, name, text, says):
        (tmp_path / name).write_text(text)
        with pytest.raises(ConfigError, match=says):
            load_chirp(tmp_path / name)
        with pytest.raises(ConfigError, match="cannot be read"):
            load_chirp(tmp_path / "absent.yaml")

    def test_settings_that_do_not_go_together(self, tmp_path):
        with pytest.raises(ConfigError, match="chirp_config"):
            TiRaw(TiRawSettings())
        with pytest.raises(ConfigError, match="board"):
            driver(tmp_path, board_setting="xWR6843ISK")  # said twice
        with pytest.raises(ConfigError, match="path"):
            driver(tmp_path, "bin", tmp_path / "absent.bin")
        with pytest.raises(ConfigError, match="source"):
            driver(tmp_path, "pcap")


# As mmWave Studio saves it: TI's mmWaveLink structures with units in the keys. 3 transmitters, xWR1843.
STUDIO = {
    "configGenerator": {"createdBy": "mmWaveStudio", "isConfigIntermediate": 1},
    "mmWaveDevices": [
        {
            "mmWaveDeviceId": 0,
            "rfConfig": {
                "waveformType": "legacyFrameChirp",
                "MIMOScheme": "TDM",
                "rlChanCfg_t": {"rxChannelEn": "0xF", "txChannelEn": "0x7", "cascading": 0},
                "rlAdcOutCfg_t": {"fmt": {"b2AdcBits": 2, "b8FullScaleReducFctr": 0, "b2AdcOutFmt": 1}},
                "rlProfiles": [
                    {
                        "rlProfileCfg_t": {
                            "profileId": 0, "pfVcoSelect": "0x0", "startFreqConst_GHz": 77.0, "idleTimeConst_usec": 100.0,
                            "adcStartTimeConst_usec": 6.0, "rampEndTime_usec": 60.0, "freqSlopeConst_MHz_usec": 29.982,
                            "txStartTime_usec": 0.0, "numAdcSamples": 256, "digOutSampleRate": 10000.0, "rxGain_dB": "0x1E",
                        }
                    }
                ],
                "rlChirps": [
                    {
                        "rlChirpCfg_t": {
                            "chirpStartIdx": i, "chirpEndIdx": i, "profileId": 0, "startFreqVar_MHz": 0.0,
                            "freqSlopeVar_KHz_usec": 0.0, "idleTimeVar_usec": 0.0, "adcStartTimeVar_usec": 0.0, "txEnable": mask,
                        }
                    }
                    for i, mask in enumerate(("0x1", "0x4", "0x2"))
                ],
                "rlFrameCfg_t": {
                    "chirpStartIdx": 0, "chirpEndIdx": 2, "numLoops": 64, "numFrames": 0,
                    "framePeriodicity_msec": 40.0, "triggerSelect": 1, "frameTriggerDelay": 0.0,
                },
            },
            "rawDataCaptureConfig": {
                "rlDevDataFmtCfg_t": {"iqSwapSel": 0, "chInterleave": 1},
                "rlDevDataPathCfg_t": {"intfSel": 1, "transferFmtPkt0": "0x1", "transferFmtPkt1": "0x0", "cqConfig": 2},
                "rlDevLaneEnable_t": {"laneEn": "0x3"},
                "rlDevDataPathClkCfg_t": {"laneClkCfg": 1, "dataRate_Mbps": 600},
            },
        }
    ],
}  # fmt: skip


def studio(tmp_path, change=None):
    """Write the JSON, after `change(rfConfig, rawDataCaptureConfig, whole)`; return its path."""
    whole = json.loads(json.dumps(STUDIO))
    if change:
        change(whole["mmWaveDevices"][0]["rfConfig"], whole["mmWaveDevices"][0]["rawDataCaptureConfig"], whole)
    path = tmp_path / "radar.mmwave.json"
    path.write_text(json.dumps(whole))
    return path


class TestStudio:
    def test_equal_to_the_same_in_yaml(self, tmp_path):
        text = {
            "start_frequency_ghz": 77.0, "slope_mhz_us": 29.982, "sample_rate_ksps": 10000.0, "samples": 256, "idle_us": 100.0,
            "adc_start_us": 6.0, "ramp_end_us": 60.0, "loops": 64, "tx_order": [1, 3, 2], "frame_period_ms": 40.0,
            "board": "xWR1843BOOST",
        }  # fmt: skip
        path = tmp_path / "same.yaml"
        path.write_text(yaml.safe_dump(text))
        assert load_chirp(studio(tmp_path), "xWR1843BOOST") == load_chirp(path)
        with pytest.raises(ConfigError, match="board"):
            load_chirp(studio(tmp_path))

    def test_four_lanes_q_first_real_and_some_receivers(self, tmp_path):
        def change(rf, capture, _):
            capture["rlDevDataFmtCfg_t"] = {"iqSwapSel": 1, "chInterleave": 0}
            capture["rlDevLaneEnable_t"]["laneEn"] = "0xF"
            rf["rlChanCfg_t"]["rxChannelEn"] = "0x5"
            rf["rlFrameCfg_t"]["triggerSelect"] = 2

        config = load_chirp(studio(tmp_path, change), "xWR1443BOOST")
        assert (config.adc_layout, config.sample_format, config.rx) == ("interleaved", "qi", (1, 3))
        assert config.hardware_trigger

        def real(rf, *_):
            rf["rlAdcOutCfg_t"]["fmt"]["b2AdcOutFmt"] = 0

        assert load_chirp(studio(tmp_path, real), "xWR1443BOOST").sample_format == "real"

    def test_a_loop_of_equal_chirps_is_many_loops(self, tmp_path):
        def change(rf, *_):
            block = rf["rlChirps"][0]["rlChirpCfg_t"]
            rf["rlChirps"] = [{"rlChirpCfg_t": block | {"chirpStartIdx": 0, "chirpEndIdx": 127}}]
            rf["rlFrameCfg_t"] |= {"chirpEndIdx": 127, "numLoops": 2, "framePeriodicity_msec": 50.0}

        config = load_chirp(studio(tmp_path, change), "xWR1843BOOST")
        assert (config.tx_order, config.loops) == ((1,), 256)
        assert config.waveform().chirp_period_s == pytest.approx(160e-6)

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            (lambda rf, *_: rf.pop("rlFrameCfg_t"), r"'mmWaveDevices\[0\].rfConfig.rlFrameCfg_t' is missing"),
            (
                lambda rf, *_: rf["rlProfiles"][0]["rlProfileCfg_t"].update(numAdcSamples="x"),
                r"rlProfiles\[0\].rlProfileCfg_t.numAdcSamples = \"x\": expected is an integer from 2",
            ),
            (
                lambda rf, *_: rf["rlProfiles"][0]["rlProfileCfg_t"].update(startFreqConst_GHz=None),
                "startFreqConst_GHz = null: expected is a number",
            ),
            (lambda rf, *_: rf["rlProfiles"][0]["rlProfileCfg_t"].update(profileId=1), "no profile of profileId 0"),
            (lambda rf, *_: rf["rlChirps"][1]["rlChirpCfg_t"].update(txEnable="0x3"), "txEnable.*one transmitter"),
            (lambda rf, *_: rf["rlChirps"][1]["rlChirpCfg_t"].update(profileId=1), "same profileId"),
            (lambda rf, *_: rf["rlChirps"][1]["rlChirpCfg_t"].update(idleTimeVar_usec=2), "idleTimeVar_usec = 2"),
            (lambda rf, *_: rf["rlChirps"].pop(), "also chirp 2"),
            (lambda rf, *_: rf.update(rlChirps={}), "rlChirps = {}: expected is a list"),
            (lambda rf, *_: rf.update(waveformType="advancedFrameChirp"), "legacyFrameChirp"),
            (lambda rf, *_: rf["rlAdcOutCfg_t"]["fmt"].update(b2AdcBits=0), "16 bits"),
            (lambda rf, *_: rf["rlAdcOutCfg_t"]["fmt"].update(b2AdcOutFmt=3), "b2AdcOutFmt"),
            (lambda _, c, __: c["rlDevDataPathCfg_t"].update(transferFmtPkt0="0x6"), "ADC samples only"),
            (lambda _, c, __: c["rlDevLaneEnable_t"].update(laneEn="0xF"), "expected is 2 lanes"),
            (lambda _, __, whole: whole["mmWaveDevices"].append({}), "one device"),
            (lambda _, __, whole: whole.update(mmWaveDevices=[3]), r"mmWaveDevices\[0\] = 3: expected is an object"),
        ],
    )
    def test_what_is_wrong_is_named_where_it_stands(self, tmp_path, change, says):
        with pytest.raises(ConfigError, match=says):
            load_chirp(studio(tmp_path, change), "xWR1843BOOST")

    @settings(max_examples=200)
    @given(data=st.data())
    def test_any_json_gives_a_config_error_or_none(self, tmp_path_factory, data):
        """Whatever stands in place of any one value."""
        whole = json.loads(json.dumps(STUDIO))
        node, parent, key = whole, None, None
        while isinstance(node, (dict, list)) and node and (parent is None or data.draw(st.booleans())):
            keys = sorted(node) if isinstance(node, dict) else list(range(len(node)))
            parent, key = node, data.draw(st.sampled_from(keys))
            node = parent[key]
        parent[key] = data.draw(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just([]) | st.just({})
        )
        path = tmp_path_factory.mktemp("studio") / "radar.json"
        path.write_text(json.dumps(whole))
        with suppress(ConfigError):
            load_chirp(path, "xWR1843BOOST").waveform()


def test_every_board_has_its_four_receivers():
    assert all(len(rx) == 4 and 2 <= len(tx) <= 3 for tx, rx in BOARDS.values())
