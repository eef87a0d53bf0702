# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Video to plots: a threshold that follows the clutter, cells joined over the spokes; of each echo where, when and how exact."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from aegis.core.angles import wrapped
from aegis.core.types import Floats
from aegis.core.video import blobs as rows
from aegis.core.video.blobs import Blobs
from aegis.core.video.settings import VideoSettings
from aegis.core.video.spokes import Spokes
from aegis.core.video.window import Bytes, Window

MAX_GAP = math.radians(3.0)  # of bearing between spokes; beyond, nothing is joined over it
MAX_BACK = math.radians(20.0)  # what steps back no more is out of order and dropped; else the antenna went round
TURN = 2.0 * math.pi
LOOK = math.radians(15.0)  # between the directions that a picture states
LATEST = math.radians(20.0)  # by which a picture may end before its last spoke, for an echo that is not complete
CLOSE_EVERY = 16  # spokes
NS = 1e-9
NO_HEADING = "spoke without heading"


@dataclass
class Picture:
    """The plots of a turn or of a sector; `columns` has (K,) arrays, named as on `radar/points`.

    `looked` says where the antenna looked, and when [s after the stamp]: (B, 2) of azimuth [rad] and time, some degrees apart. From
    the first to the last of them there is no plot that is not in this picture.
    """

    stamp_ns: int  # middle of its spokes
    frame_id: str
    spokes: int
    columns: dict[str, Floats]
    looked: Floats


@dataclass
class _Gathered:
    """What has come for a picture."""

    begin_s: float = math.nan
    end_s: float = math.nan
    spokes: int = 0
    plots: list[dict[str, Floats]] = field(default_factory=list)


class PlotExtractor:
    """The node's work: `step` takes some spokes and returns the pictures that they complete.

    Bearings are clockwise. `notes` counts spokes and echoes that were left out, by reason.
    """

    def __init__(self, settings: VideoSettings) -> None:
        self.settings = settings
        self.notes: Counter[str] = Counter()
        self.north = settings.up == "north"
        self.turn_s = math.nan  # of the antenna, last measured
        self._forget()

    def _forget(self) -> None:
        self._window: Window | None = None
        self._blobs: Blobs | None = None
        self._least_spokes = 1  # of an echo
        self._kind: tuple[object, ...] = ()  # what the window and blobs were made for
        self._video: Spokes | None = None  # the last, for what does not change from spoke to spoke
        self._origin_ns: int | None = None
        self._heading: tuple[float, float] | None = None  # the last one [rad] and its time [s]
        self._sense = 1.0  # -1 where the antenna turns anticlockwise: bearings, times it, grow
        self._last: tuple[float, float] | None = None  # bearing and angle from the bow of the last spoke
        self._angle = self._turned = 0.0  # the same, growing on
        self._sections: tuple[int, int] | None = None  # turn and sector of the spoke that was last judged
        self._spoke = 0
        self._now = (0.0, 0.0)  # time and angle of the spoke that was last judged
        self._turn_begin_s = math.nan
        self._gathered = _Gathered()
        self._looked: list[tuple[float, float]] = []  # time [s] and angle, since the last picture's end

    def reset(self) -> None:
        """Forget everything; the video begins anew."""
        self._forget()
        self.north = self.settings.up == "north"

    def step(self, video: Spokes) -> list[Picture]:
        """Return the pictures that these spokes complete."""
        out: list[Picture] = []
        if self._origin_ns is not None and not 0.0 <= self._seconds(video) - self._last_s() <= 60.0:
            out += self.finish()
            self._forget()
            self.notes["video began anew"] += 1
        if self.settings.up == "auto" and not self.north and np.isfinite(video.heading).any():
            if self._spoke:
                out += self.finish()
                self.notes["turned north: headings came"] += 1
            self._forget()
            self.north = True
        if self._origin_ns is None:
            self._origin_ns = video.stamp_ns
        kind = (
            video.codes.shape[1],
            video.cell_m,
            video.first_range_m,
            video.full_scale,
            video.approaching,
            video.receding,
        )
        if kind != self._kind:
            out += self._flush()
            self._begin(video, kind)
        self._video = video
        levels = video.levels()
        blind = math.floor((self.settings.min_range_m - video.first_range_m) / video.cell_m)
        if blind > 0:
            levels[:, :blind] = 0
        times = self._seconds(video) + video.time_offset
        for i in range(len(video)):
            bow = self._sense * (math.radians(self.settings.azimuth_offset_deg) - float(video.azimuth[i]))
            heading = self._heading_at(float(video.heading[i]), float(times[i]))
            if heading is None:
                self.notes[NO_HEADING] += 1
                continue
            bearing = bow + self._sense * heading
            if self._last is None:
                self._angle, self._turned = bearing % TURN, bow % TURN
            else:
                step = (bearing - self._last[0]) % TURN
                if step == 0.0 or step > TURN - MAX_BACK:
                    self.notes["spoke out of order"] += 1
                    continue
                if step > MAX_GAP:
                    self.notes["gap between spokes"] += 1
                    out += self._flush()
                self._angle += step
                self._turned += (bow - self._last[1]) % TURN
            self._last = bearing, bow
            assert self._window is not None
            judged = self._window.push(video.codes[i], levels[i], (self._angle, float(times[i]), self._turned))
            if judged is not None:
                out += self._take(*judged)
        return out

    def finish(self) -> list[Picture]:
        """Return what only waited for more spokes."""
        out = self._flush()
        if self._gathered.spokes:
            out.append(self._picture())
        return out

    def _seconds(self, video: Spokes) -> float:
        return (video.stamp_ns - (self._origin_ns or 0)) * NS

    def _last_s(self) -> float:
        """Return the time of the last video, less what its successor's stamp may lie before it."""
        return -math.inf if self._video is None else self._seconds(self._video) - 1.0

    def _begin(self, video: Spokes, kind: tuple[object, ...]) -> None:
        """Make window and blobs for another geometry."""
        s, self._kind = self.settings, kind
        step = float(np.median(wrapped(-np.diff(video.azimuth)))) if len(video) > 1 else math.radians(0.25)
        if self._last is None:
            self._sense = -1.0 if step < 0.0 else 1.0
        spacing = max(abs(step), math.radians(0.01))
        # A radar with few spokes a turn has not so many within its beam.
        within = int(math.radians(s.blob.beam_deg) / (2.0 * spacing))
        self._least_spokes = max(1, min(s.blob.min_spokes, within))
        self._window = Window(video.codes.shape[1], s.threshold, spacing, video.full_scale)
        self._blobs = Blobs(
            video.codes.shape[1],
            most=s.max_blobs,
            gap_cells=s.blob.gap_cells,
            gap_spokes=s.blob.gap_spokes,
            max_cells=max(2, round(s.blob.max_extent_m / video.cell_m)),
            piece_cells=max(2, round(s.blob.piece_m / video.cell_m)),
            beam=math.radians(s.blob.beam_deg),
            marks=(video.approaching, video.receding),
        )

    def _heading_at(self, heading: float, time_s: float) -> float | None:
        """Return a spoke's heading [rad], the last one where it has none; None: unknown, where the picture needs one."""
        if not self.north:
            return 0.0
        if math.isfinite(heading):
            self._heading = heading, time_s
        elif self._heading is None or time_s - self._heading[1] > self.settings.heading_hold_s:
            return None
        return self._heading[0]

    def _flush(self) -> list[Picture]:
        """Judge the spokes that waited for their surroundings, and close all blobs."""
        out: list[Picture] = []
        if self._window is not None and self._blobs is not None:
            for judged in self._window.flush():
                out += self._take(*judged)
            self._close(self._blobs.all())
        return out

    def _take(self, codes: Bytes, levels: Bytes, mask: Bytes, where: tuple[float, float, float]) -> list[Picture]:
        """Take a spoke that was judged; return the picture before it, where it begins another."""
        assert self._blobs is not None
        out: list[Picture] = []
        angle, time_s, turned = where
        width = TURN if self.settings.picture.of == "turn" else math.radians(self.settings.picture.sector_deg)
        sections = math.floor(turned / TURN), math.floor(turned / width)
        if self._sections is not None and sections != self._sections:
            self._close(self._blobs.closed(self._spoke))
            out.append(self._picture())
        if self._sections is not None and sections[0] != self._sections[0]:
            self.turn_s, self._turn_begin_s = time_s - self._turn_begin_s, time_s
        self._sections = sections
        gathered = self._gathered
        gathered.begin_s = time_s if gathered.spokes == 0 else gathered.begin_s
        gathered.end_s = time_s
        gathered.spokes += 1
        self._spoke += 1
        if not self._looked or angle - self._looked[-1][1] >= LOOK:
            self._looked.append((time_s, angle))
        self._now = time_s, angle
        self._blobs.add(codes, levels, mask, self._spoke, angle, time_s)
        if self._spoke % CLOSE_EVERY == 0:
            self._close(self._blobs.closed(self._spoke))
        return out

    def _close(self, blobs: Floats) -> None:
        """Keep the plots of closed blobs for the picture."""
        if not len(blobs):
            return
        s = self.settings.blob
        small = (blobs[:, rows.CELLS] < s.min_cells) | (
            blobs[:, rows.LAST_SPOKE] - blobs[:, rows.FIRST_SPOKE] + 1 < self._least_spokes
        )
        self.notes["echo too small"] += int(small.sum())
        if not small.all():
            self._gathered.plots.append(self._plots(blobs[~small]))

    def _plots(self, b: Floats) -> dict[str, Floats]:
        """Return the columns of blobs (K, COLUMNS); `time` [s] is from the stream's begin."""
        video, s = self._video, self.settings
        assert video is not None
        w = b[:, rows.WEIGHT]
        cell = b[:, rows.CELL_SUM] / w
        length = (b[:, rows.LAST_CELL] - b[:, rows.FIRST_CELL] + 1.0) * video.cell_m
        width = b[:, rows.LAST_ANGLE] - b[:, rows.FIRST_ANGLE]
        azimuth = self._azimuth(b[:, rows.FIRST_ANGLE] + b[:, rows.ANGLE_SUM] / w)
        distance = video.first_range_m + (cell + 0.5) * video.cell_m + s.range_offset_m
        marked = np.full(len(b), np.nan)
        if video.approaching or video.receding:
            least = s.blob.mark_share * b[:, rows.CELLS]
            coming, going = b[:, rows.APPROACHING], b[:, rows.RECEDING]
            marked = np.where(coming >= np.maximum(going, least), -1.0, np.where(going >= least, 1.0, 0.0))
        return {
            "x": distance * np.cos(azimuth),
            "y": distance * np.sin(azimuth),
            "z": np.zeros(len(b)),
            "range": distance,
            "azimuth": azimuth,
            "range_sigma": np.hypot(s.error.range_cells * video.cell_m, s.error.range_share * length),
            "azimuth_sigma": np.hypot(math.radians(s.error.azimuth_deg), s.error.azimuth_share * width),
            "intensity": b[:, rows.PEAK] / video.full_scale,
            "cells": b[:, rows.CELLS],
            "length": length,
            "width": width,
            "moving": marked,
            "time_offset": b[:, rows.FIRST_TIME] + b[:, rows.TIME_SUM] / w,
        }

    def _picture(self) -> Picture:
        """Return what was gathered, and gather anew."""
        gathered, self._gathered = self._gathered, _Gathered()
        assert self._video is not None
        assert self._origin_ns is not None
        plots = gathered.plots or [self._plots(np.zeros((0, rows.COLUMNS)))]
        columns = {name: np.concatenate([p[name] for p in plots]) for name in plots[0]}
        middle_s = 0.5 * (gathered.begin_s + gathered.end_s)
        frame_id = self.settings.frame_id or self._video.frame_id
        looked = self._until()
        late = columns["time_offset"] > looked[-1, 1]
        if late.any():  # what is open began before it
            self._gathered.plots.append({name: values[late] for name, values in columns.items()})
            columns = {name: values[~late] for name, values in columns.items()}
        columns["time_offset"] = columns["time_offset"] - middle_s
        looked[:, 1] -= middle_s
        return Picture(self._origin_ns + round(middle_s * 1e9), frame_id, gathered.spokes, columns, looked)

    def _until(self) -> Floats:
        """Return (B, 2) of where the antenna looked for this picture, azimuth and time [s]; the next one begins at its end."""
        now = [self._now] if not self._looked or self._now[0] > self._looked[-1][0] else []
        points = np.array([*self._looked, *now])
        end_s = self._now[0]
        earliest_s = float(np.interp(self._now[1] - LATEST, points[:, 1], points[:, 0]))
        open_since = math.inf if self._blobs is None else self._blobs.open_since()
        until_s = min(end_s, max(open_since, earliest_s))
        angle = float(np.interp(until_s, points[:, 0], points[:, 1]))
        before, after = points[points[:, 0] < until_s], points[points[:, 0] > until_s]
        self._looked = [(until_s, angle), *((float(t), float(a)) for t, a in after)]
        stated = np.concatenate([before, [[until_s, angle]]])
        return np.column_stack([self._azimuth(stated[:, 1]), stated[:, 0]])

    def _azimuth(self, angle: Floats) -> Floats:
        """Return azimuths of angles that grow as the antenna turns."""
        return wrapped((math.pi / 2.0 if self.north else 0.0) - self._sense * angle)
