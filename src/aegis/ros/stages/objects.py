# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The tracks in the messages of other stacks, where these packages are installed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from aegis.core.objects import TOPIC_OF, ObjectsSettings, to_publish
from aegis.core.params import ConfigError
from aegis.ros.messages.fields import StampedMessage
from aegis.ros.messages.objects import MAKERS
from aegis.ros.messages.picture import tracks_from_msg
from aegis.ros.stages.base import Output, Stage, StageContext


class ObjectsStage(Stage[ObjectsSettings]):
    """Publishes every picture of the tracks for each package that the parameters name and somebody listens to.

    Raises:
        ConfigError: on making, where it is to run live and a package is not installed.
    """

    name = "objects"
    settings_type = ObjectsSettings

    def __init__(self, settings: ObjectsSettings, context: StageContext) -> None:
        super().__init__(settings, context)
        if context.live and (missing := [name for name in settings.packages if find_spec(name) is None]):
            names = ", ".join(f"ros-<distribution>-{name.replace('_', '-')}" for name in missing)
            raise ConfigError(
                f"parameter 'packages' of node 'objects' names {', '.join(missing)}, which is not installed: {names} on a machine "
                "with ROS 2, or built from its sources (docs/stacks.md)"
            )

    @property
    def is_watched(self) -> bool:
        """Whether another stack listens."""
        return any(self.has_listeners(TOPIC_OF[package]) for package in self.settings.packages)

    def writes(self, topic: str) -> bool:
        """Publish what the parameters name: the packages of the others may not be here."""
        return topic in {TOPIC_OF[package] for package in self.settings.packages}

    def on_message(self, topic: str, message: StampedMessage) -> Iterator[Output]:
        """Convert one picture.

        Raises:
            ValueError: arrays of different lengths.
        """
        tracks = tracks_from_msg(message)
        self.note_sequence(topic, tracks.sequence, tracks.sensor_id)
        rows, unusable = to_publish(tracks, self.settings)
        self.counters.drop("track without a finite state", unusable)
        for package in self.settings.packages:
            if self.has_listeners(TOPIC_OF[package]):
                yield Output(TOPIC_OF[package], MAKERS[package](tracks, rows, self.settings, self.context.namespace))
