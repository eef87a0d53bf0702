# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The newest picture, placed on Earth, for all outputs; lives on the event loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from aegis.bridge.live.frames import Frame
from aegis.bridge.outputs.settings import OutputSettings
from aegis.core.site import Placed, Site
from aegis.core.types import ThreatLevel, Threats, Tracks, TrackStatus


@dataclass(frozen=True, eq=False)
class Picture:
    """The tracks after one scan, with their places and what is assessed of them. Safe to share with other threads."""

    frame: Frame[Tracks]
    threats: Frame[Threats] | None  # None: no assessment that is young enough
    site: Site

    @property
    def tracks(self) -> Tracks:
        """Return the tracks."""
        return self.frame.data

    @cached_property
    def placed(self) -> Placed:
        """Return where the tracks are."""
        return self.site.place(self.tracks.state, self.tracks.covariance)

    @cached_property
    def has_place(self) -> NDArray[np.bool_]:
        """Return which tracks have a place on Earth, (N,)."""
        found: NDArray[np.bool_] = np.isfinite(self.placed.latitude_deg)
        return found

    @cached_property
    def established(self) -> NDArray[np.bool_]:
        """Return which tracks are confirmed or coasting, and have a place, (N,): what is shown to people."""
        return self.has_place & np.isin(self.tracks.status, (TrackStatus.CONFIRMED, TrackStatus.COASTING))

    @cached_property
    def assessed(self) -> dict[int, tuple[ThreatLevel, str | None]]:
        """Return the threat level, and its reason, by track id; None for what is below the list of threats."""
        if self.threats is None:
            return {}
        threats = self.threats.data
        reasons = dict(zip(threats.track_id.tolist(), threats.reason, strict=True))
        return {track_id: (level, reasons.get(track_id)) for track_id, level in threats.levels().items()}


class Feed:
    """Keeps the newest picture and calls the senders. Without a site there is none."""

    def __init__(self, settings: OutputSettings) -> None:
        self.site = Site.of(settings.site)
        self.picture: Picture | None = None
        self.reports = 0  # tracks in all pictures so far
        self._max_lag_ns = round(settings.threat_max_lag_s * 1e9)
        self._tracks: Frame[Tracks] | None = None
        self._threats: Frame[Threats] | None = None
        self._listeners: list[Callable[[], None]] = []

    def subscribe(self, fresh: Callable[[], None]) -> None:
        """Have `fresh` called when there are new tracks."""
        self._listeners.append(fresh)

    def take_tracks(self, frame: Frame[Tracks]) -> None:
        """Take the picture after a scan."""
        self._tracks = frame
        self.reports += len(frame.data)
        self._renew()
        for fresh in self._listeners:
            fresh()

    def take_threats(self, frame: Frame[Threats]) -> None:
        """Take an assessment; it comes after the tracks that it is of."""
        self._threats = frame
        self._renew()

    def _renew(self) -> None:
        if self.site is None or self._tracks is None:
            return
        threats = self._threats
        if threats is not None and abs(self._tracks.data.stamp_ns - threats.data.stamp_ns) > self._max_lag_ns:
            threats = None
        self.picture = Picture(self._tracks, threats, self.site)
