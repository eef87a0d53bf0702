# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The node `sapient`: our tracks and alarms go out, others' detections become `source_tracks`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from aegis.core.health import Health, Level
from aegis.ros.messages.alarms import alarms_from_msg
from aegis.ros.messages.fields import StampedMessage
from aegis.ros.messages.picture import tracks_from_msg, tracks_to_msg
from aegis.ros.stages.base import Output, Stage, StageContext
from aegis.sapient.settings import SapientSettings, check_usable

POLL_S = 0.1


class SapientStage(Stage[SapientSettings]):
    """Holds the connections."""

    name = "sapient"
    settings_type = SapientSettings

    def __init__(self, settings: SapientSettings, context: StageContext) -> None:
        """Begin to connect and to listen.

        Raises:
            ConfigError: nobody to speak to, no site, a package or certificate that is missing, an address that is in use.
        """
        check_usable(settings)
        from aegis.sapient.conversation import Conversation  # needs the packages of the extra

        super().__init__(settings, context)
        self.conversation = Conversation(settings, context.state_dir)
        self._noted: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()

    @property
    def period_s(self) -> float:
        """Time between looks at the connections."""
        return POLL_S

    def reads(self, topic: str) -> bool:
        """Read the picture and the alarms only where somebody is told of them."""
        return bool(self.settings.edge.connect)

    def on_message(self, topic: str, message: StampedMessage) -> Iterable[Output]:
        """Take tracks or alarms, and send what is due of them."""
        if topic == "tracks":
            tracks = tracks_from_msg(message)
            self.note_sequence(topic, tracks.sequence, tracks.sensor_id)
            self.conversation.take_tracks(tracks)
        else:
            self.conversation.take_alarms(alarms_from_msg(message))
        return ()

    def on_timer(self, now_ns: int) -> Iterator[Output]:
        """Take what has come, send what is due by the clock, and publish others' pictures."""
        pictures = self.conversation.poll(now_ns)
        noted, refused = self.conversation.counts(), self.conversation.refused.copy()
        for reason, times in (noted - self._noted).items():
            self.counters.note(reason, times)
        for reason, times in (refused - self._refused).items():
            self.counters.drop(reason, inputs=times)
        self._noted, self._refused = noted, refused
        for tracks in pictures:
            yield Output("source_tracks", tracks_to_msg(tracks))

    def close(self) -> None:
        """Say goodbye and close the connections."""
        self.conversation.close()

    def detail(self) -> dict[str, object]:
        """Return who is connected, and how other nodes are."""
        return self.conversation.detail()

    def health(self) -> Health:
        """Return a connection that is not there, or a node that is silent, besides what every stage tells."""
        own = self.conversation.health()
        return own if own.level is not Level.OK else super().health()

    def _input_expected(self) -> bool:
        return bool(self.settings.edge.connect)
