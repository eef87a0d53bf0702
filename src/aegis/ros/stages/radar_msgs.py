# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`radar/scan` or `radar/tracks` (radar_msgs of ros-perception) to `radar/points`."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import cast

from aegis.core.params import ConfigError
from aegis.ros.messages.clouds import cloud_to_msg
from aegis.ros.messages.fields import StampedMessage, stamp_of
from aegis.ros.messages.radar_msgs import RadarMsgsSettings, RadarScan, RadarTracks, scan_columns, track_columns
from aegis.ros.stages.base import Output, Stage, StageContext


class RadarMsgsStage(Stage[RadarMsgsSettings]):
    """Takes a radar whose driver speaks radar_msgs. Stamp and frame_id are carried through.

    Raises:
        ConfigError: on making, where it is to run live and radar_msgs is not installed.
    """

    name = "radar_msgs"
    settings_type = RadarMsgsSettings

    def __init__(self, settings: RadarMsgsSettings, context: StageContext) -> None:
        super().__init__(settings, context)
        if context.live and find_spec("radar_msgs") is None:
            raise ConfigError(
                "the node radar_msgs needs the message package radar_msgs: ros-<distribution>-radar-msgs on a machine with "
                "ROS 2, or built from https://github.com/ros-perception/radar_msgs"
            )

    def reads(self, topic: str) -> bool:
        """Read the one topic that the parameters name: both would count every object twice."""
        return topic == f"radar/{self.settings.source}"

    def on_message(self, topic: str, message: StampedMessage) -> Iterator[Output]:
        """Convert one message."""
        if topic == "radar/scan":
            columns = scan_columns(cast("RadarScan", message), self.settings)
        else:
            columns = track_columns(cast("RadarTracks", message), self.settings)
        cloud = cloud_to_msg(columns, frame_id=message.header.frame_id, stamp_ns=stamp_of(message))
        yield Output("radar/points", cloud)
