# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`radar/video`, or `radar/sector` of another's driver, to `radar/points`: plots of a radar that turns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from typing import cast

import numpy as np

from aegis.core.events import ScanStarted
from aegis.core.finite import finite_or_none
from aegis.core.health import Health, Level
from aegis.core.params import ConfigError
from aegis.core.types import Floats
from aegis.core.video.extractor import NO_HEADING, Picture, PlotExtractor
from aegis.core.video.settings import VideoSettings
from aegis.core.video.spokes import Spokes, VideoError
from aegis.ros.messages.clouds import cloud_to_msg
from aegis.ros.messages.fields import StampedMessage, stamp_of
from aegis.ros.messages.radar_sector import RadarSector, video_from_sector
from aegis.ros.messages.video import video_from_msg
from aegis.ros.stages.base import Output, Stage, StageContext


class VideoStage(Stage[VideoSettings]):
    """Publishes the plots of a turn, or of a sector, when it is complete.

    Raises:
        ConfigError: on making, where it is to read another's driver live and marine_sensor_msgs is not installed.
    """

    name = "video"
    settings_type = VideoSettings

    def __init__(self, settings: VideoSettings, context: StageContext) -> None:
        super().__init__(settings, context)
        if settings.source == "sector" and context.live and find_spec("marine_sensor_msgs") is None:
            raise ConfigError(
                "the node video with video.source = sector needs the message package marine_sensor_msgs: "
                "ros-<distribution>-marine-sensor-msgs on a machine with ROS 2, or built from "
                "https://github.com/apl-ocean-engineering/marine_msgs"
            )
        self.extractor = PlotExtractor(settings)
        self._sequence = self._pictures = 0
        self._headless = 0  # spokes without a heading, until the last status

    def reads(self, topic: str) -> bool:
        """Read the one topic that the parameters name."""
        return topic == f"radar/{self.settings.source}"

    def on_message(self, topic: str, message: StampedMessage) -> Iterator[Output]:
        """Take some spokes."""
        stamp_ns = stamp_of(message)
        try:
            video = self._read(topic, message)
        except VideoError as error:
            yield from self._refuse_input(error.reason, str(error), stamp_ns)
            return
        self.note_sequence(topic, video.sequence, video.sensor_id)
        yield from self._outputs(self.extractor.step(video), stamp_ns)

    def finish(self, now_ns: int) -> Iterable[Output]:
        """Publish what only waited for more spokes."""
        return self._outputs(self.extractor.finish(), now_ns)

    def _read(self, topic: str, message: StampedMessage) -> Spokes:
        if topic == "radar/video":
            return video_from_msg(message)
        self._sequence += 1
        full_scale = self.settings.sector_full_scale
        sector = cast("RadarSector", message)
        return video_from_sector(sector, full_scale=full_scale, sequence=self._sequence, sensor_id="radar")

    def _outputs(self, pictures: list[Picture], stamp_ns: int) -> Iterator[Output]:
        for picture in pictures:
            self._pictures += 1
            yield self.event(ScanStarted(self._pictures), picture.stamp_ns)
            cloud = cloud_to_msg(_with_looks(picture), frame_id=picture.frame_id, stamp_ns=picture.stamp_ns)
            yield Output("radar/points", cloud)

    def reset(self) -> None:
        """Begin the picture anew."""
        self.extractor.reset()

    def status(self, now_ns: int) -> list[Output]:
        """Begin to count spokes without a heading anew."""
        out = super().status(now_ns)
        self._headless = self.extractor.notes[NO_HEADING]
        return out

    def health(self) -> Health:
        """Tell also that a picture which has north up lacks headings: nothing is seen then."""
        health = super().health()
        headless = self.extractor.notes[NO_HEADING] - self._headless
        if health.level is Level.OK and headless > 0:
            return Health(
                Level.WARN,
                f"{headless} spokes without a heading left out since the last status: the picture has north up, and none came "
                f"for {self.settings.heading_hold_s:g} s (video.heading_hold_s; video.up: bow needs none)",
            )
        return health

    def detail(self) -> dict[str, object]:
        """Return how the antenna turns, where the picture's x points, and what was left out."""
        extractor = self.extractor
        notes: Counter[str] = extractor.notes
        return {
            "last_refusal": self._last_refusal,
            "pictures": self._pictures,
            "turn_s": finite_or_none(extractor.turn_s, 3),
            "up": "north" if extractor.north else "bow",
            **{f"left out: {reason}": count for reason, count in sorted(notes.items()) if count},
        }


def _with_looks(picture: Picture) -> dict[str, Floats]:
    """Return a picture's columns, and after the plots rows without a range: where the antenna looked, and when."""
    azimuth, time_offset = picture.looked.T
    nothing = np.full(len(azimuth), np.nan)
    beams = {"azimuth": azimuth, "time_offset": time_offset}
    return {name: np.concatenate([values, beams.get(name, nothing)]) for name, values in picture.columns.items()}
