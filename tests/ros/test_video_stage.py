# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The node `video`: messages of our drivers and RadarSector of others in, clouds out; the driver's stage before it."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from builtin_interfaces.msg import Duration, Time
from navico_packets import turn
from std_msgs.msg import Header

from aegis.core.health import Level
from aegis.core.params import ConfigError
from aegis.core.video.settings import VideoSettings
from aegis.core.video.spokes import Spokes
from aegis.drivers.navico import NavicoSettings
from aegis.ros.messages.clouds import cloud_fields
from aegis.ros.messages.fields import stamp_of
from aegis.ros.messages.video import video_from_msg, video_to_msg
from aegis.ros.stages.base import StageContext
from aegis.ros.stages.driver import DriverStage
from aegis.ros.stages.video import VideoStage

S = 1_000_000_000


def clouds(outputs) -> list[dict[str, np.ndarray]]:
    """Return the plots of the clouds; the rows after them, without a range, say where the antenna looked."""
    out = []
    for output in outputs:
        if output.topic == "radar/points":
            columns = cloud_fields(output.message, {field.name for field in output.message.fields})
            plots = np.isfinite(columns["range"])
            assert not plots[plots.sum() :].any()
            assert np.isfinite([columns["azimuth"], columns["time_offset"]]).all()
            assert (~plots).sum() >= 1
            out.append({name: values[plots] for name, values in columns.items()})
    return out


def test_video_survives_its_message():
    rng = np.random.default_rng(1)
    video = Spokes(
        5 * S, "radar", 7, "left", rng.normal(size=3), np.array([1.0, math.nan, 2.0]), rng.normal(size=3), 2.0, 0.5, 13,
        rng.integers(0, 16, (3, 8)).astype(np.uint8), 15, 14,
    )  # fmt: skip
    found = video_from_msg(video_to_msg(video))
    for name, value in vars(video).items():
        np.testing.assert_array_equal(getattr(found, name), value)


def test_a_message_that_contradicts_itself_is_refused_and_counted():
    stage = VideoStage(VideoSettings(), StageContext())
    message = video_to_msg(
        Spokes(S, "radar", 1, "r", np.zeros(1), np.zeros(1), np.zeros(1), 0.0, 1.0, 15, np.zeros((1, 4), np.uint8))
    )
    message.cells = 5
    (told,) = stage.on_message("radar/video", message)
    assert (told.topic, told.message.name) == ("events", "PIPELINE_ERROR")
    assert list(stage.on_message("radar/video", message)) == [], "once a minute"
    assert dict(stage.counters.reasons) == {"truncated": 2}
    assert "5 cells need 5" in stage.detail()["last_refusal"]


def spokes_at(k: int, heading: float, n=64, turn=512) -> Spokes:
    """Return an eighth of a turn of 2.5 s, that saw nothing."""
    azimuth = -(np.arange(n) + k * n) * 2 * np.pi / turn
    return Spokes(
        100 * S + round(k * n * 2.5 / turn * S), "radar", k, "radar", (azimuth + np.pi) % (2 * np.pi) - np.pi,
        np.full(n, heading), np.arange(n) * 2.5 / turn, 0.0, 10.0, 15, np.zeros((n, 128), np.uint8),
    )  # fmt: skip


def test_a_sector_of_octets_is_refused_where_fractions_are_expected():
    """All echoes would be full scale, and as strong."""

    def sector(scale: float):
        echoes = np.zeros(200, np.float32)
        echoes[100:105] = 0.9 * scale
        return SimpleNamespace(
            header=Header(stamp=Time(sec=10), frame_id="halo"), angle_start=0.0, angle_increment=-0.01,
            time_increment=Duration(), range_min=5.0, range_max=1995.0, intensities=[SimpleNamespace(echoes=echoes)] * 4,
        )  # fmt: skip

    fractions = VideoStage(VideoSettings.load({"source": "sector"}), StageContext())
    list(fractions.on_message("radar/sector", sector(1.0)))
    assert not fractions.counters.reasons
    list(fractions.on_message("radar/sector", sector(255.0)))
    assert dict(fractions.counters.reasons) == {"levels above full scale": 1}
    assert "up to 229.5, and video.sector_full_scale is 1" in fractions.last_refusal
    octets = VideoStage(VideoSettings.load({"source": "sector", "sector_full_scale": 255.0}), StageContext())
    list(octets.on_message("radar/sector", sector(255.0)))
    assert not octets.counters.reasons


def test_a_heading_that_is_lost_is_said_as_nothing_is_seen_without_it():
    stage = VideoStage(VideoSettings(), StageContext())

    def heard(first: int, last: int, heading: float) -> int:
        out = []
        for k in range(first, last):
            stage.counters.received += 1
            out += stage.on_message("radar/video", video_to_msg(spokes_at(k, heading)))
        return sum(output.topic == "radar/points" for output in out)

    assert heard(0, 32, 1.0) >= 2
    assert stage.health().level is Level.OK
    stage.status(110 * S)
    heard(32, 48, math.nan)  # the last heading holds for 2 s of these 5
    assert heard(48, 80, math.nan) == 0
    assert stage.health().level is Level.WARN
    assert " spokes without a heading left out since the last status" in stage.health().text
    stage.status(125 * S)
    heard(80, 96, 1.0)
    assert stage.health().level is Level.OK
    bow = VideoStage(VideoSettings.load({"up": "bow"}), StageContext())
    for k in range(16):
        bow.counters.received += 1
        list(bow.on_message("radar/video", video_to_msg(spokes_at(k, math.nan))))
    assert bow.health().level is Level.OK


@pytest.mark.parametrize("of", ["turn", "sector"])
def test_from_a_radars_datagrams_to_plots(of):
    """Two turns of 2 s, 64 datagrams each, with an echo ahead at cells 500 to 509 of 1024 m."""
    driver = DriverStage(NavicoSettings.load({"driver": "navico", "report.port": 0}), StageContext())
    video = VideoStage(VideoSettings.load({"picture.of": of}), StageContext())
    out, stamps = [], []
    for n in range(2):
        for k, data in enumerate(turn(range_m=1024.0)):
            at_ns = 100 * S + round((n + (k + 1) / 64) * 2 * S)
            for frame in driver.driver.parser.feed(data, at_ns):
                for output in driver._outputs(frame, at_ns):
                    if output.topic == "radar/video":
                        stamps.append(stamp_of(output.message))
                        out += video.on_message(output.topic, output.message)
                    else:
                        assert output.topic == "odometry"
                        assert stamp_of(output.message) == stamps[-1]
    out += video.finish(0)
    assert stamps == sorted(stamps)
    found = clouds(out)
    assert len(found) in ((2,) if of == "turn" else (32, 33))
    plots = [(c["range"][i], c["azimuth"][i]) for c in found for i in range(len(c["range"]))]
    # The echo ahead lies over the seam: whole at the second turn's begin, halves at the begin and end.
    assert len(plots) == 3
    np.testing.assert_allclose([p[0] for p in plots], 505.0, atol=0.01)
    np.testing.assert_allclose([p[1] for p in plots], 0.0, atol=math.radians(1.5))
    assert video.detail()["up"] == "bow"


def test_another_drivers_sectors():
    """marine_sensor_msgs/RadarSector, on objects with its fields: rays of floats, the antenna turning clockwise."""
    stage = VideoStage(VideoSettings(source="sector", sector_full_scale=1.0), StageContext())
    assert stage.reads("radar/sector")
    assert not stage.reads("radar/video")
    out = []
    rays = 1024
    for n in range(0, 2 * rays, 64):
        at_ns = 10 * S + n * 2 * S // rays
        intensities = []
        for k in range(n, n + 64):
            echoes = np.zeros(200, np.float32)
            if abs(k % rays - 256) < 8:
                echoes[100:105] = 0.9
            intensities.append(SimpleNamespace(echoes=echoes))
        message = SimpleNamespace(
            header=Header(stamp=Time(sec=at_ns // S, nanosec=at_ns % S), frame_id="halo"),
            angle_start=-(n % rays) * 2 * math.pi / rays,
            angle_increment=-2 * math.pi / rays,
            time_increment=Duration(sec=0, nanosec=2 * S // rays),
            range_min=5.0,
            range_max=1995.0,
            intensities=intensities,
        )
        out += stage.on_message("radar/sector", message)
    out += stage.finish(0)
    first, second = clouds(out)
    np.testing.assert_allclose(first["range"], [5.0 + 102 * 10.0])
    np.testing.assert_allclose(first["azimuth"], [-math.pi / 2], atol=1e-3)
    np.testing.assert_allclose(second["time_offset"], first["time_offset"], atol=1e-3)
    np.testing.assert_allclose(first["time_offset"], [-0.5], atol=5e-3)
    bad = SimpleNamespace(
        **{**vars(message), "intensities": [SimpleNamespace(echoes=[1.0]), SimpleNamespace(echoes=[])]}
    )
    (told,) = stage.on_message("radar/sector", bad)
    assert told.message.name == "PIPELINE_ERROR"
    assert dict(stage.counters.reasons) == {"video shape": 1}


def test_live_the_package_is_needed():
    with pytest.raises(ConfigError, match="marine_sensor_msgs"):
        VideoStage(VideoSettings(source="sector"), StageContext(live=True))
