# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""`source_tracks` of several trackers to `tracks`: one picture of all."""

from __future__ import annotations

import math
from collections.abc import Iterator

from aegis.core.events import SourceBack, SourceSilent, TrackingReset, TrackLost
from aegis.core.fusion.fuser import Fuser
from aegis.core.fusion.settings import FusionSettings
from aegis.core.health import Health, Level
from aegis.ros.messages.fields import StampedMessage
from aegis.ros.messages.picture import tracks_from_msg, tracks_to_msg
from aegis.ros.stages.base import Output, Stage, StageContext
from aegis.state import kept_ids

# Noted beside what is dropped and refused.
RESET = "time went backwards: reset"
LATE = "late report put in its place"
JOINED = "two tracks of one object joined"


class FusionStage(Stage[FusionSettings]):
    """A picture of what all sources hold, each track with its sources."""

    name = "fusion"
    settings_type = FusionSettings

    def __init__(self, settings: FusionSettings, context: StageContext) -> None:
        super().__init__(settings, context)
        folder = context.state_dir
        self.fuser = Fuser(settings, kept_ids(folder / "fused_track_ids.json" if folder is not None else None))
        self._source_of = settings.source_of_topic
        self._tracks = 0
        self._shared = 0  # tracks that several sources hold

    def reset(self) -> None:
        """Drop all tracks; ids go on, and so does what is known of the sources' biases."""
        self.fuser.reset()
        self._tracks = self._shared = 0

    def on_message(self, topic: str, message: StampedMessage) -> Iterator[Output]:
        """Take one report."""
        tracks = tracks_from_msg(message)
        self.note_sequence(topic, tracks.sequence, tracks.sensor_id)
        tracks.sensor_id = self._source_of.get(topic, tracks.sensor_id)
        result = self.fuser.step(tracks)
        if result.dropped is not None:
            self.counters.drop(result.dropped)
            return
        self.counters.drop("track not finite, or there twice", result.refused)
        self.counters.drop("over max_tracks", result.over_capacity)
        self.counters.note(LATE, int(result.late))
        self.counters.note(JOINED, result.joined)
        stamp_ns = self.fuser.now_ns
        if result.reset:
            self.counters.note(RESET)
            shown = 0 if result.tracks is None else len(result.tracks)
            yield self.event(TrackingReset(tracks.sequence, shown, result.confirmed.tolist()), stamp_ns)
        if result.back:
            yield self.event(SourceBack(topic, result.back, "silent", round(result.away_s, 1)), stamp_ns)
        for name in result.lost_sources:
            silent_s = self.fuser.sources[name].silent_s(stamp_ns)
            yield self.event(SourceSilent(topic, name, round(silent_s, 1)), stamp_ns)
        if result.tracks is not None:
            self._tracks = len(result.tracks)
            self._shared = sum("," in names for names in result.tracks.sources)
            yield Output("tracks", tracks_to_msg(result.tracks))
        for track_id in result.lost.tolist():
            yield self.event(TrackLost(track_id), stamp_ns)

    def detail(self) -> dict[str, object]:
        """Add the size of the picture, how the sources are, and what is known of their biases."""
        now_ns = self.fuser.now_ns
        sources = {
            name: {
                "tracks": len(source.link),
                "period_s": round(source.period_s(), 3),
                "silent_s": round(source.silent_s(now_ns), 3),
                "reports": source.reports,
                "dropped": source.dropped,
                "lost": source.lost,
                "foreign": source.settings.foreign,
            }
            for name, source in self.fuser.sources.items()
        }
        biases = {
            name: {
                "east_m": round(b.offset_m[0], 2),
                "north_m": round(b.offset_m[1], 2),
                "offset_sigma_m": round(b.offset_sigma_m, 2),
                "rotation_deg": round(math.degrees(b.rotation_rad), 4),
                "rotation_sigma_deg": round(math.degrees(b.rotation_sigma_rad), 4),
                "range_m": round(b.range_m, 2),
                "range_sigma_m": round(b.range_sigma_m, 2),
                "late_s": round(b.late_s, 4),
                "late_sigma_s": round(b.late_sigma_s, 4),
                "pairs": b.pairs,
            }
            for name, b in self.fuser.biases().items()
        }
        return {"tracks": self._tracks, "of_several": self._shared, "sources": sources, "biases": biases}

    def health(self) -> Health:
        """Tell also which sources are lost."""
        health = super().health()
        lost = sorted(name for name, source in self.fuser.sources.items() if source.lost)
        if health.level is not Level.OK or not lost:
            return health
        return Health(Level.WARN, f"no reports of {', '.join(lost)}: what it alone saw is not in the picture")
