"""The tracking stage: every scan advances the filter, from where the scan belongs in time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from aegis.core.ids import UniqueIds
from aegis.core.tracking import measurement, rows, snapshot
from aegis.core.tracking.consistency import Nis
from aegis.core.tracking.filter import BIRTH_NUMBERS, Filter, Report, State
from aegis.core.tracking.learning import SensorKnowledge
from aegis.core.tracking.looks import in_time
from aegis.core.tracking.registration import Bias
from aegis.core.tracking.settings import TrackingSettings
from aegis.core.tracking.timeline import Moment, Timeline
from aegis.core.types import Detections, Floats, Ints, Tracks, TrackStatus, take_rows

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
    over_capacity: int = 0  # detections that would have started a track beyond max_tracks
    outside: Floats = field(default_factory=lambda: np.empty(0))  # ranges of detections outside the stated view [m]


class Tracker:
    """The tracking stage: `step` takes the detections of a scan and returns the picture after it."""

    def __init__(self, settings: TrackingSettings, ids: UniqueIds | None = None) -> None:
        """Make a tracker."""
        s = self.settings = settings
        self._filter = Filter(s, ids or UniqueIds())
        self._timeline = Timeline(
            self._filter.blank, s.timeline.reorder_window_s, s.timeline.reset_after_s, s.snapshot.max_age_s
        )
        self._sensors = SensorKnowledge(self._filter.bound, s.registration.mode, s.registration.reference)
        self._serial = 0
        self._confirmed = NO_IDS  # of the last picture, ascending

    @property
    def state(self) -> State:
        """Return the filter's state after the last scan."""
        return self._timeline.state

    def reset(self) -> None:
        """Forget all tracks and the time; ids go on."""
        self._timeline.forget()
        self._sensors.forget()
        self._confirmed = NO_IDS

    def step(self, detections: Detections) -> StepResult:
        """Advance the picture to a scan, or put a late one in its place; else drop it, unless time has plainly begun anew."""
        result = StepResult(None)
        stamp, sensor_id, timeline = detections.stamp_ns, detections.sensor_id, self._timeline
        before = self._confirmed
        detections, until, result.mistimed = in_time(detections, timeline.interval_s(sensor_id, stamp))
        if timeline.goes_back(sensor_id, stamp, until):
            result.reset = True
            timeline.begin_anew()
            self._sensors.forget()
            self._confirmed = NO_IDS
        result.resumed = timeline.take_up(stamp)
        if result.resumed:
            self._serial = int(timeline.state.tracks["birth"].max(initial=0)) // BIRTH_NUMBERS + 1
        result.dropped = timeline.refusal(sensor_id, stamp, until)
        if result.dropped is not None:
            timeline.refuse(sensor_id, stamp)
            return result
        usable = measurement.plausible(detections)
        result.refused = int((~usable).sum())
        if result.refused:
            detections = take_rows(detections, np.flatnonzero(usable))
        timeline.hear(sensor_id, stamp)
        result.reordered = timeline.is_late(until)
        later = timeline.go_back(until) if result.reordered else []
        self._serial += 1
        known = _names(later)
        report = self._advance(detections, until, self._serial, known, learn=True)
        result.over_capacity, result.outside = report.over_capacity, report.outside
        tracks = report.tracks
        for moment in later:
            if moment.detections is not None:
                tracks = self._advance(moment.detections, moment.stamp_ns, moment.serial, known, learn=False).tracks
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
        tracks, now_ns = snapshot.from_bytes(data, self.settings.motion.model)
        self._timeline.wait_for_first_scan(State(tracks, now_ns))

    def nis(self) -> dict[str, Nis]:
        """Return the consistency of each sensor's measurements with the tracks."""
        return self._sensors.nis()

    def biases(self) -> dict[str, Bias]:
        """Return the bias of each sensor, where there are several."""
        return self._sensors.biases()

    def _advance(
        self, detections: Detections, until: int, serial: int, known: dict[int, int], *, learn: bool
    ) -> Report:
        """Do one scan, up to its latest detection; `learn` from it about the sensor, unless it is done again."""
        corrected = self._sensors.corrected(detections)
        after, report = self._filter.advance(self._timeline.state, corrected, serial, known, until)
        if learn and report.seen is not None:
            self._sensors.learn(detections.sensor_id, until, report.seen, self._timeline.sensors)
        self._timeline.add(Moment(until, serial, detections, after))
        return report


def _names(moments: list[Moment]) -> dict[int, int]:
    """Return the names of all tracks by their birth: one that is found again keeps its name."""
    known: dict[int, int] = {}
    for moment in moments:
        tracks = moment.after.tracks
        named = tracks["id"] > 0
        known.update(zip(tracks["birth"][named].tolist(), tracks["id"][named].tolist(), strict=True))
    return known
