# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The picture for RViz: tracks and threats in, a MarkerArray out."""

from __future__ import annotations

from collections.abc import Iterable

from aegis.core.params import Settings
from aegis.core.picture import PictureFeed, PictureSettings
from aegis.ros.messages.fields import StampedMessage
from aegis.ros.messages.markers import picture_to_msg
from aegis.ros.messages.picture import threats_from_msg, tracks_from_msg
from aegis.ros.stages.base import Output, Stage, StageContext


class MarkersStage(Stage[PictureSettings]):
    """Draws every picture of the tracks that the rate allows, coloured by the latest threat levels."""

    name = "markers"
    settings_type = PictureSettings
    tunable = ("*",)

    def __init__(self, settings: PictureSettings, context: StageContext) -> None:
        super().__init__(settings, context)
        self._feed = PictureFeed(settings)

    @property
    def is_watched(self) -> bool:
        """Whether RViz, or something else, listens."""
        return self.has_listeners("markers")

    def on_message(self, topic: str, message: StampedMessage) -> Iterable[Output]:
        """Take tracks or threats.

        Raises:
            ValueError: arrays of different lengths.
        """
        if topic == "threats":
            self._feed.take_threats(threats_from_msg(message))
            return []
        tracks = tracks_from_msg(message)
        self.note_sequence(topic, tracks.sequence, tracks.sensor_id)
        undrawable = self._feed.undrawable
        picture = self._feed.take_tracks(tracks)
        self.counters.drop("track without a finite state", self._feed.undrawable - undrawable)
        if picture is None or not self.has_listeners(
            "markers"
        ):  # the message costs more than all the rest of this node
            return []
        return [Output("markers", picture_to_msg(picture, self.settings))]

    def tune(self, settings: Settings) -> None:
        """Draw with these settings from now on."""
        assert isinstance(settings, PictureSettings)
        self.settings = self._feed.settings = settings

    def reset(self) -> None:
        """Forget what is drawn; the next picture begins with an empty scene."""
        self._feed.clear()

    def detail(self) -> dict[str, object]:
        """Return how many tracks are shown, and how many pictures the rate left out."""
        return {"shown": self._feed.shown, "skipped_by_rate": self._feed.skipped}
