# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The node `asterix_tracks`: others' tracks by ASTERIX become `source_tracks`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from aegis.core.health import Health, Level
from aegis.drivers.asterix_foreign import ForeignTracks
from aegis.drivers.asterix_foreign_settings import AsterixTracksSettings, check_placed
from aegis.ros.messages.fields import StampedMessage
from aegis.ros.messages.picture import tracks_to_msg
from aegis.ros.stages.base import Output, Stage, StageContext
from aegis.state import kept_ids

POLL_S = 0.1
REOPEN_AFTER_NS = 1_000_000_000


class AsterixTracksStage(Stage[AsterixTracksSettings]):
    """Holds the port; opens it again where it is lost."""

    name = "asterix_tracks"
    settings_type = AsterixTracksSettings

    def __init__(self, settings: AsterixTracksSettings, context: StageContext) -> None:
        """Prepare.

        Raises:
            ConfigError: `site` does not say where map is, or an address is none.
        """
        super().__init__(settings, context)
        site = check_placed(settings)
        folder = context.state_dir
        self.foreign = ForeignTracks(settings, site, kept_ids(folder and folder / "asterix_track_ids.json"))
        self.transport = settings.udp.transport()
        self._counted: Counter[str] = Counter()
        self._noted: Counter[str] = Counter()
        self._open = False
        self._trouble = ""
        self._open_at_ns = self._now_ns = 0

    @property
    def period_s(self) -> float:
        """Time between looks at the port."""
        return POLL_S

    def on_message(self, topic: str, message: StampedMessage) -> Iterable[Output]:
        """Refuse: this node reads no topic.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"asterix_tracks reads no topic, got a message on '{topic}'")

    def on_timer(self, now_ns: int) -> Iterator[Output]:
        """Take what has come, and publish the pictures that are due."""
        self._now_ns = now_ns
        for data, received_ns in self._received(now_ns):
            self.foreign.take(data, received_ns)
        refused = self.foreign.refused + self.transport.refused
        for reason, times in (refused - self._counted).items():
            self.counters.drop(reason, inputs=times)
        self._counted = refused
        for reason, times in (self.foreign.passed_over - self._noted).items():
            self.counters.note(reason, times)
        self._noted = self.foreign.passed_over.copy()
        for tracks in self.foreign.pictures(now_ns):
            yield Output("source_tracks", tracks_to_msg(tracks))

    def close(self) -> None:
        """Close the port."""
        self.transport.close()
        self._open = False

    def detail(self) -> dict[str, object]:
        """Return how each source is."""
        return {
            "sources": {
                name: {"tracks": len(one.source.objects), "silent_s": round((self._now_ns - one.heard_ns) * 1e-9, 1)}
                for name, one in self.foreign.sources.items()
            }
        }

    def health(self) -> Health:
        """Return a port that is not open, or a source that is silent, besides what every stage tells."""
        if self._trouble:
            return Health(Level.ERROR, self._trouble)
        if silent := self.foreign.silent(self._now_ns):
            return Health(Level.WARN, f"nothing is heard of {', '.join(silent)}: what it tracks is not in the picture")
        return super().health()

    def _input_expected(self) -> bool:
        return False

    def _received(self, now_ns: int) -> list[tuple[bytes, int]]:
        try:
            if not self._open:
                if now_ns < self._open_at_ns:
                    return []
                self.transport.open()
                self._open, self._trouble = True, ""
            return [(packet.data, packet.received_ns) for packet in self.transport.read(0.0)]
        except OSError as error:
            self.close()
            self._trouble, self._open_at_ns = str(error), now_ns + REOPEN_AFTER_NS
            return []
