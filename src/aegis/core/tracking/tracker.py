# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The tracking stage: every scan advances the filter, from where the scan belongs in time."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from aegis.core.classification.track_model import TableModel, TrackModel
from aegis.core.ids import UniqueIds
from aegis.core.rows import take_rows
from aegis.core.tracking import measurement, rows, snapshot
from aegis.core.tracking.consistency import Nis
from aegis.core.tracking.filter import BIRTH_NUMBERS, Filter
from aegis.core.tracking.filter_state import Report, State
from aegis.core.tracking.learning import SensorKnowledge
from aegis.core.tracking.looks import Look, Turns, in_time
from aegis.core.tracking.registration import Bias
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.timeline import Moment, Timeline
from aegis.core.types import Detections, Floats, Ints, Tracks, TrackStatus

# By how much a turning antenna's sector may be older than what can be gone back to: some radars send their plots seconds
# later than others. Its detections are then taken at the earliest time that can, as older ones.
LATEST_SECTOR_NS = 5_000_000_000
NO_IDS = np.empty(0, dtype=np.int64)


@dataclass
class StepResult:
    """What a scan did: the picture, or the reason why the scan was dropped; and what changed."""

    tracks: Tracks | None
    dropped: str | None = None
    reset: bool = False
    reordered: bool = False  # the scan came late and was put in its place
    resumed: bool | None = None  # the picture of an earlier process was taken up, or was too old; None: there was none
    confirmed: Ints = field(default_factory=NO_IDS.copy)
    lost: Ints = field(default_factory=NO_IDS.copy)  # ids of confirmed tracks now deleted
    refused: int = 0  # detections that could not be used
    mistimed: int = 0  # detections whose own time could not be
    copies: int = 0  # detections that a scan before had already, of a turning antenna
    over_capacity: int = 0  # detections that would have started a track beyond max_tracks
    outside: Floats = field(default_factory=lambda: np.empty(0))  # ranges of detections outside the stated view [m]


class Tracker:
    """The tracking stage: `step` takes the detections of a scan and returns the picture after it."""

    def __init__(
        self, settings: TrackingSettings, ids: UniqueIds | None = None, model: TrackModel | None = None
    ) -> None:
        """Make a tracker whose tracks get names from `ids` and classes from `model`; None: from the stated table."""
        s = self.settings = settings
        classes = s.classification
        self.model: TrackModel = model or TableModel(classes.class_ids(), classes.class_priors())
        self._filter = Filter(s, ids or UniqueIds(), self.model)
        self._timeline = Timeline(
            self._filter.blank, s.timeline.reorder_window_s, s.timeline.reset_after_s, s.snapshot.max_age_s
        )
        self._sensors = SensorKnowledge(self._filter.bound, s.registration, s.consistency)
        self._models = s.sensor_models()
        self._turns: dict[str, Turns] = {}  # by sensor
        self._serial = self._shown_ns = 0  # of the last scan; the time of the last picture
        self._confirmed = NO_IDS  # of the last picture, ascending

    def tune(self, settings: TrackingSettings) -> None:
        """Track with these settings from the next scan on.

        Motion model, gate, timeline, registration and consistency have to be as they were: the state rests on them.
        """
        self.settings = settings
        self._filter = self._filter.with_settings(settings)
        self._models = settings.sensor_models()

    @property
    def state(self) -> State:
        """Return the filter's state after the last scan."""
        return self._timeline.state

    def reset(self) -> None:
        """Forget all tracks and the time; ids go on."""
        self._timeline.forget()
        self._shown_ns = 0
        self._sensors.forget()
        self._turns.clear()
        self._confirmed = NO_IDS

    def step(self, detections: Detections) -> StepResult:
        """Advance the picture to a scan, or put a late one in its place; else drop it, unless time has plainly begun anew."""
        result = StepResult(None)
        stamp, sensor_id, timeline = detections.stamp_ns, detections.sensor_id, self._timeline
        before = self._confirmed
        detections, until, result.mistimed = in_time(detections, timeline.interval_s(sensor_id, stamp))
        grace = 0 if detections.sector is None else LATEST_SECTOR_NS
        if timeline.goes_back(sensor_id, stamp, until, grace):
            result.reset = True
            timeline.begin_anew()
            self._shown_ns = 0
            self._sensors.forget()
            self._turns.clear()
            self._confirmed = NO_IDS
        result.resumed = timeline.take_up(stamp)
        if result.resumed:
            self._serial = int(timeline.state.tracks["birth"].max(initial=0)) // BIRTH_NUMBERS + 1
        result.dropped = timeline.refusal(sensor_id, stamp, until, grace)
        if result.dropped is not None:
            timeline.refuse(sensor_id, stamp)
            return result
        usable = measurement.plausible(detections)
        if not usable.all():
            result.refused = int((~usable).sum())
            detections = take_rows(detections, np.flatnonzero(usable))
        timeline.hear(sensor_id, stamp)
        result.reordered = timeline.is_late(until)
        turns = self._turns_of(sensor_id)
        looks, result.copies = turns.looks(detections, until), turns.copies
        earliest = timeline.earliest_ns()
        if earliest is not None and looks[0].now_ns < earliest:
            looks = [look._replace(now_ns=max(look.now_ns, earliest)) for look in looks]
        later = timeline.go_back(looks[0].now_ns) if timeline.is_late(looks[0].now_ns) else []
        known = _names(later)
        tracks = None
        for look, serial in _in_order(looks, later, self._serial):
            report = self._advance(look, serial, known, self._shown_ns, learn=serial > self._serial)
            tracks = report.tracks
            if serial > self._serial:
                result.over_capacity += report.over_capacity
                if len(report.outside):
                    result.outside = np.append(result.outside, report.outside)
        assert tracks is not None
        self._shown_ns = tracks.stamp_ns
        self._serial += len(looks)
        self._confirmed = tracks.track_id[tracks.status != int(TrackStatus.TENTATIVE)]
        result.tracks = tracks
        result.confirmed, result.lost = rows.changes(before, self._confirmed)
        return result

    def snapshot(self) -> bytes | None:
        """Return the picture for `resume` in another process; None before the first scan."""
        state = self.state
        return (
            None if state.now_ns is None else snapshot.to_bytes(state.tracks, state.now_ns, self.settings.motion.model)
        )

    def resume(self, data: bytes) -> None:
        """Go on from a snapshot, if the first scan follows it within `snapshot.max_age_s`; else it is forgotten.

        Raises:
            ValueError: it is no snapshot, or of another motion model.
        """
        tracks, now_ns = snapshot.from_bytes(data, self.settings.motion.model, remember=self.model.remembers)
        self._timeline.wait_for_first_scan(State(tracks, now_ns))

    def nis(self) -> dict[str, Nis]:
        """Return the consistency of each sensor's measurements with the tracks."""
        return self._sensors.nis()

    def turns_s(self) -> dict[str, float]:
        """Return how long a turn of each sensor's antenna takes [s], of those that turn; negative where it is clockwise."""
        rates = {name: turns.antenna.rate for name, turns in self._turns.items()}
        return {name: 2.0 * math.pi / rate for name, rate in rates.items() if rate}

    def error_scales(self) -> dict[str, float]:
        """Return by how much the variances of sensors are multiplied, where their errors are not as stated (consistency.mode)."""
        return self._sensors.scales()

    def biases(self) -> dict[str, Bias]:
        """Return the bias of each sensor, where there are several."""
        return self._sensors.biases()

    def _turns_of(self, sensor_id: str) -> Turns:
        """Return what is known of a sensor's turning."""
        if sensor_id not in self._turns:
            model = self._models.get(sensor_id) or self._models[""]
            self._turns[sensor_id] = Turns(model.turn_period_s)
        return self._turns[sensor_id]

    def _advance(self, look: Look, serial: int, known: dict[int, int], shown_ns: int, *, learn: bool) -> Report:
        """Do one look; `learn` from it about the sensor, unless it is done again. No picture is older than one that was shown."""
        detections, now_ns, sweep = look
        corrected = self._sensors.corrected(detections)
        after, report = self._filter.advance(
            self._timeline.state, corrected, serial, known, now_ns, sweep, max(detections.stamp_ns, shown_ns)
        )
        if learn and report.seen is not None:
            self._sensors.learn(detections.sensor_id, now_ns, report.seen, self._timeline.sensors)
        self._timeline.add(Moment(now_ns, serial, detections, after, sweep))
        return report


def _in_order(looks: list[Look], later: list[Moment], serial: int) -> Iterator[tuple[Look, int]]:
    """Yield a scan's looks, numbered from after `serial`, and the looks to be done again, in the order of time."""
    again = [(Look(m.detections, m.stamp_ns, m.sweep), m.serial) for m in later if m.detections is not None]
    new = [(look, serial + 1 + i) for i, look in enumerate(looks)]
    yield from heapq.merge(new, again, key=lambda each: each[0].now_ns)


def _names(moments: list[Moment]) -> dict[int, int]:
    """Return the names of all tracks by their birth: one that is found again keeps its name."""
    known: dict[int, int] = {}
    for moment in moments:
        tracks = moment.after.tracks
        named = tracks["id"] > 0
        known.update(zip(tracks["birth"][named].tolist(), tracks["id"][named].tolist(), strict=True))
    return known
