# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The front end's stage: a cube's message in, a cloud out that the detection stage reads; what is no cube is refused and told."""

import json
import sys

import numpy as np
import pytest
from settings_of import settings_of

from aegis.core.detection.settings import DetectionSettings
from aegis.core.health import Level
from aegis.core.signal.cube import Cube, Waveform, WaveformKind
from aegis.core.signal.equation import SPEED_OF_LIGHT
from aegis.core.signal.settings import FrontEndSettings
from aegis.core.types import ClassBasis
from aegis.models.store import ModelError
from aegis.ros.messages.cubes import cube_to_msg
from aegis.ros.messages.fields import stamp_of
from aegis.ros.messages.picture import detections_from_msg
from aegis.ros.stages import frontend
from aegis.ros.stages.base import StageContext
from aegis.ros.stages.detection import DetectionStage
from aegis.ros.stages.frontend import FrontEndStage

SECOND = 1_000_000_000
SAMPLES, CHIRPS, CHANNELS = 64, 32, 4
FMCW = Waveform(
    kind=WaveformKind.FMCW,
    carrier_frequency_hz=77e9,
    sample_rate_hz=5e6,
    chirp_slope_hz_s=20e12,
    chirp_period_s=60e-6,
    channel_position=np.arange(CHANNELS)[:, None] * np.array([[0.0, SPEED_OF_LIGHT / 77e9 / 4.0, 0.0]]),
    channel_delay_s=np.zeros(CHANNELS),
)


def cube(
    stamp_ns: int = SECOND, sequence: int = 1, reach: float = 20.0, rate: float = 3.0, azimuth: float = 0.2
) -> Cube:
    """Return one target in noise, straight from the definition in core/signal/cube.py."""
    fast = np.arange(SAMPLES)[:, None, None] / FMCW.sample_rate_hz
    slow = (np.arange(CHIRPS)[None, :, None] - (CHIRPS - 1) / 2) * FMCW.chirp_period_s
    towards = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
    tau = 2.0 * (reach + rate * (slow + fast) - (FMCW.channel_position @ towards)[None, None, :]) / SPEED_OF_LIGHT
    echo = 1000.0 * np.exp(2j * np.pi * (FMCW.carrier_frequency_hz * tau + FMCW.chirp_slope_hz_s * tau * fast))
    rng = np.random.default_rng(sequence)
    noise = rng.normal(0.0, 100.0, (*echo.shape, 2))
    samples = np.round(np.stack([echo.real, echo.imag], axis=-1) + noise).astype(np.int16)
    return Cube(stamp_ns, "front", sequence, "front_radar", FMCW, samples)


def stage(**settings) -> FrontEndStage:
    return FrontEndStage(settings_of(FrontEndSettings, **settings), StageContext())


def by_topic(outputs) -> dict[str, list]:
    found: dict[str, list] = {}
    for output in outputs:
        found.setdefault(output.topic, []).append(output.message)
    return found


def test_a_target_in_a_cube_comes_out_of_the_detection_stage():
    found = by_topic(stage().on_message("radar/cube", cube_to_msg(cube())))
    (cloud,) = found["radar/points"]
    assert (cloud.header.frame_id, stamp_of(cloud)) == ("front", SECOND)
    detection = DetectionStage(DetectionSettings(frame_id="front", has_elevation=False), StageContext())
    outputs = by_topic(detection.on_message("radar/points", cloud))
    (detections,) = [detections_from_msg(m) for m in outputs["detections"]]
    strongest = int(np.argmax(detections.snr_db))
    error = np.abs(
        [
            detections.range[strongest] - 20.0,
            detections.azimuth[strongest] - 0.2,
            detections.range_rate[strongest] - 3.0,
        ]
    )
    sigma = np.sqrt(detections.variance[strongest, [0, 1, 3]])
    assert (error < 4.0 * sigma).all(), (error, sigma)
    assert (sigma < [0.1, 0.05, 0.1]).all()  # the point's own errors, not the parameters of detection


def test_the_map_has_the_target_where_it_is():
    (found,) = by_topic(stage().on_message("radar/cube", cube_to_msg(cube())))["radar/range_doppler"]
    power = np.array(found.power_db).reshape(found.ranges, found.range_rates)
    row, column = np.unravel_index(power.argmax(), power.shape)
    assert found.first_range + row * found.range_step == pytest.approx(20.0, abs=found.range_step)
    assert found.first_range_rate + column * found.range_rate_step == pytest.approx(3.0, abs=found.range_rate_step)
    assert len(found.noise_db) == found.ranges
    assert np.median(found.noise_db) == pytest.approx(10 * np.log10(2 * 100.0**2), abs=1.0)
    assert (found.sequence, found.sensor_id) == (1, "front_radar")


def test_the_map_is_for_those_who_look_and_at_a_bounded_rate():
    quiet = stage(map_rate_hz=2.0)
    maps = lambda at_s: len(  # noqa: E731
        by_topic(quiet.on_message("radar/cube", cube_to_msg(cube(round(at_s * SECOND))))).get("radar/range_doppler", [])
    )
    quiet.has_listeners = lambda topic: topic != "radar/range_doppler"
    assert maps(1.0) == 0
    quiet.has_listeners = lambda topic: True
    assert [maps(t) for t in (1.05, 1.1, 1.5, 1.6, 2.2)] == [1, 0, 0, 1, 1]
    assert maps(0.5) == 1  # a bag from its start again
    never = stage(map_rate_hz=0.0)
    assert "radar/range_doppler" not in by_topic(never.on_message("radar/cube", cube_to_msg(cube())))


def test_what_is_no_cube_is_refused_counted_and_told_and_the_next_one_is_taken():
    s = stage()
    wrong = cube_to_msg(cube())
    wrong.samples += 1
    found = by_topic(s.on_message("radar/cube", wrong))
    assert set(found) == {"events"}
    assert found["events"][0].name == "PIPELINE_ERROR"
    assert json.loads(found["events"][0].data)["refused"] == "truncated"
    assert s.counters.reasons == {"truncated": 1}
    assert "radar/points" in by_topic(s.on_message("radar/cube", cube_to_msg(cube())))


def test_a_cube_without_a_stamp_is_refused_for_that():
    s = stage()
    (event,) = by_topic(s.on_message("radar/cube", cube_to_msg(cube(0))))["events"]
    assert "header.stamp of the cube is zero" in json.loads(event.data)["message"]
    assert s.counters.reasons == {"header.stamp is zero, and the driver has to set it": 1}


def test_missing_cubes_are_counted_by_sensor():
    s = stage()
    for sequence in (1, 2, 5):
        list(s.on_message("radar/cube", cube_to_msg(cube(sequence=sequence))))
    assert s.counters.sequence_gaps == 2


def test_status_says_what_range_rates_mean():
    s = stage()
    list(s.on_message("radar/cube", cube_to_msg(cube())))
    detail = json.loads(s.status(SECOND)[0].message.detail[0])
    assert detail["range_rate_span_mps"] == pytest.approx(SPEED_OF_LIGHT / 77e9 / 2 / 60e-6, abs=0.01)


def test_what_a_long_dwell_says_of_a_point_reaches_the_detection(monkeypatch):
    """7.7 ms of a body alone: if only that nothing stands out; 1.9 ms say nothing, and no field of it is there."""
    short = by_topic(stage().on_message("radar/cube", cube_to_msg(cube())))["radar/points"][0]
    assert not any(field.name.startswith("class_") for field in short.fields)
    monkeypatch.setattr(sys.modules[__name__], "CHIRPS", 128)
    cloud = by_topic(stage().on_message("radar/cube", cube_to_msg(cube())))["radar/points"][0]
    assert {"class_unknown", "class_drone", "class_clutter"} <= {field.name for field in cloud.fields}
    detection = DetectionStage(settings_of(DetectionSettings, has_elevation=False, frame_id="front"), StageContext())
    found = detections_from_msg(by_topic(detection.on_message("radar/points", cloud))["detections"][0])
    assert found.class_basis.tolist() == [int(ClassBasis.STATED)]
    assert np.nansum(found.class_probability) == pytest.approx(1.0, abs=1e-5)
    silent = by_topic(stage(classify_points=False).on_message("radar/cube", cube_to_msg(cube())))["radar/points"][0]
    assert not any(field.name.startswith("class_") for field in silent.fields)


def test_a_model_of_dwells_that_is_refused_is_told_and_the_points_come(monkeypatch):
    def refuse():
        raise ModelError("dwell.npz has another hash")

    monkeypatch.setattr(frontend, "dwell_model", refuse)
    one = stage()
    (cloud,) = by_topic(one.on_message("radar/cube", cube_to_msg(cube())))["radar/points"]
    assert cloud.width == 1
    one.counters.received += 1
    assert one.health().level is Level.WARN
    assert "another hash" in one.health().text
    assert "another hash" in str(one.detail()["class_model"])
