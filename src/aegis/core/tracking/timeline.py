# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where a scan belongs in time: next, late, a duplicate, too old, or after time has begun anew.

The last states of the filter are kept for as long as a late scan could still come between them.
"""

from __future__ import annotations

from dataclasses import dataclass

from aegis.core.tracking.filter_state import State
from aegis.core.tracking.sweep import Sweep
from aegis.core.types import NOT_STAMPED, Detections

SCANS_KEPT = 256  # for putting late scans in their place, at most
# A sensor that is heard again at or before the first of so many of its scans, in a row, is at the start of a loop: a single one
# says nothing of an order, and the copy of a scan that was sent twice is rarely that of the first.
LEAST_LOOP = 2
# A scan that is ahead of all sensors by more than the first comes from a clock that is wrong, unless another sensor says the same,
# or none of them anything for as long as the second: then it was silent everywhere.
LEAP_NS = 60_000_000_000
ALONE_NS = 10_000_000_000


@dataclass
class _Run:
    """Scans of one sensor, as their stamps went up."""

    first_ns: int
    last_ns: int
    scans: int = 1

    def goes_on(self, stamp_ns: int) -> None:
        """Take the next scan, which may be a late one."""
        self.last_ns = max(self.last_ns, stamp_ns)
        self.scans += 1

    def is_begun_again_by(self, stamp_ns: int) -> bool:
        """Tell whether a scan is where the run began, or before."""
        return self.scans >= LEAST_LOOP and stamp_ns <= self.first_ns < self.last_ns


@dataclass(frozen=True)
class Moment:
    """The filter's state after a scan."""

    stamp_ns: int  # of the state; that of the scan's latest detection
    serial: int  # of the scan, in the order in which they came
    detections: Detections | None  # None: the state comes from another process
    after: State
    sweep: Sweep | None = None  # of a turning antenna


class Timeline:
    """The moments of the last while, and what follows from them for the next scan. Only what is named as an act changes it."""

    def __init__(self, blank: State, reorder_window_s: float, reset_after_s: float, snapshot_max_age_s: float) -> None:
        """Begin.

        Args:
            blank: the state before any scan.
            reorder_window_s: by how much a scan may come late.
            reset_after_s: a scan older than its own sensor's last one by more than this says that time has begun anew.
            snapshot_max_age_s: a state of another process older than this is forgotten.
        """
        self._blank = blank
        self._window_ns = round(reorder_window_s * 1e9)
        self._again_ns = max(self._window_ns, round(reset_after_s * 1e9))
        self._max_age_ns = snapshot_max_age_s * 1e9
        self._waiting: Moment | None = None  # of another process, to be taken up by the first scan
        self.forget()

    def forget(self) -> None:
        """Forget all moments; begin at the blank state."""
        self.state = self._blank
        self._history: list[Moment] = []
        self._base: Moment | None = None  # what the history follows
        self._heard: dict[str, _Run] = {}  # by sensor
        self._refused: dict[str, _Run] = {}  # by sensor: since the last scan that was taken, those from before it
        self._ahead: dict[str, _Run] = {}  # by sensor: since the last scan that was taken, those that leapt
        self._ended_ns: int | None = None  # the time before it began anew
        self._waiting = None

    @property
    def now_ns(self) -> int | None:
        """Return the time of the state; None before any scan."""
        return self.state.now_ns

    @property
    def sensors(self) -> int:
        """Return how many sensors have been heard."""
        return len(self._heard)

    def interval_s(self, sensor_id: str, stamp_ns: int) -> float | None:
        """Return the time from a sensor's last scan to one [s]; None where this is its first, or none that follows."""
        heard = self._heard.get(sensor_id)
        return None if heard is None or stamp_ns <= heard.last_ns else (stamp_ns - heard.last_ns) * 1e-9

    def earliest_ns(self) -> int | None:
        """Return the earliest time that can be gone back to; None where that is the beginning."""
        if self._base is not None and self._history:
            return self._base.stamp_ns
        return None if self._history else self.now_ns

    def goes_back(self, sensor_id: str, stamp_ns: int, until_ns: int | None = None, grace_ns: int = 0) -> bool:
        """Tell whether a scan says that time has begun anew: a bag looped, or a clock was set.

        Either it is far older than its sensor's last one, or it has no place here and is where its sensor's scans began: a loop
        that is shorter than `reset_after_s`, of whose scans none would have a place ever again. Where the loop's first scan was
        lost, the second time that the refused ones begin anew says so.
        """
        heard, refused = self._heard.get(sensor_id), self._refused.get(sensor_id)
        if heard is None or stamp_ns >= heard.last_ns:
            return False
        if heard.last_ns - stamp_ns > self._again_ns:
            return True
        if self.refusal(sensor_id, stamp_ns, until_ns, grace_ns) is None:
            return False  # late
        return heard.is_begun_again_by(stamp_ns) or (refused is not None and refused.is_begun_again_by(stamp_ns))

    def begin_anew(self) -> None:
        """Forget all, but remember when it ended: other sensors' scans from before may still be on their way."""
        ended_ns = self.now_ns
        self.forget()
        self._ended_ns = ended_ns

    def wait_for_first_scan(self, state: State) -> None:
        """Take a state of another process, to go on from if the first scan follows it soon enough."""
        assert state.now_ns is not None
        self._waiting = Moment(state.now_ns, 0, None, state)

    def take_up(self, stamp_ns: int) -> bool | None:
        """Go on from the state that waits, if it is not too old for a scan; tell whether, None where none waits."""
        kept, self._waiting = self._waiting, None
        if kept is None:
            return None
        if not 0 < stamp_ns - kept.stamp_ns <= self._max_age_ns:
            return False
        self.state, self._base = kept.after, kept
        return True

    def refusal(self, sensor_id: str, stamp_ns: int, until_ns: int | None = None, grace_ns: int = 0) -> str | None:
        """Return why a scan has no place in time; None where it has one.

        Args:
            sensor_id, stamp_ns: of the scan; until_ns: of its latest detection, None: the stamp.
            grace_ns: by how much it may be older than what can be gone back to.
        """
        now, heard = self.now_ns, self._heard.get(sensor_id)
        until_ns = stamp_ns if until_ns is None else until_ns
        if now is None:
            return None
        if self._ended_ns is not None and heard is None:
            # Of another sensor, on its way when time began anew? It is nearer to the end of that time than to this one.
            from_end_ns = abs(stamp_ns - self._ended_ns)
            if from_end_ns <= self._again_ns and from_end_ns < stamp_ns - now:
                return "scan from before the reset"
        if until_ns > now:
            return "scan far ahead of the other sensors" if self._leaps(sensor_id, stamp_ns) else None
        last = None if heard is None else heard.last_ns
        known = (moment.detections for moment in (*self._history, self._base) if moment is not None)
        if stamp_ns == last or (sensor_id, stamp_ns) in {(d.sensor_id, d.stamp_ns) for d in known if d is not None}:
            return NOT_STAMPED if stamp_ns == 0 else "duplicate scan"
        until_ns += grace_ns
        if now - until_ns > self._window_ns or (self._base is not None and until_ns < self._base.stamp_ns):
            return "scan older than the reorder window"
        return None

    def _leaps(self, sensor_id: str, stamp_ns: int) -> bool:
        """Tell whether a scan is far ahead of all that the other sensors say; one alone is believed."""
        now = self.now_ns
        if now is None or stamp_ns - now <= LEAP_NS or not self._heard.keys() - {sensor_id}:
            return False
        for other, run in self._ahead.items():
            if other == sensor_id:
                if stamp_ns - run.first_ns > ALONE_NS:
                    return False
            elif abs(stamp_ns - run.last_ns) <= LEAP_NS:
                return False
        return True

    def is_late(self, stamp_ns: int) -> bool:
        """Tell whether a scan belongs before the last one."""
        return self.now_ns is not None and stamp_ns < self.now_ns

    def go_back(self, stamp_ns: int) -> list[Moment]:
        """Return to the state at a time; return the moments after it, which have to be done again."""
        at = next((i for i, m in enumerate(self._history) if m.stamp_ns > stamp_ns), len(self._history))
        later, self._history = self._history[at:], self._history[:at]
        base = self._history[-1] if self._history else self._base
        self.state = base.after if base is not None else self._blank
        return later

    def hear(self, sensor_id: str, stamp_ns: int) -> None:
        """Note that a scan of a sensor was taken."""
        _note(self._heard, sensor_id, stamp_ns)
        self._refused.pop(sensor_id, None)
        self._ahead.clear()

    def refuse(self, sensor_id: str, stamp_ns: int) -> None:
        """Note that a scan of a sensor was not taken."""
        heard = self._heard.get(sensor_id)
        if heard is not None and stamp_ns < heard.last_ns:
            _note(self._refused, sensor_id, stamp_ns)
        elif self._leaps(sensor_id, stamp_ns):
            _note(self._ahead, sensor_id, stamp_ns)

    def add(self, moment: Moment) -> None:
        """Go on to a moment; forget those that no late scan could come between any more."""
        self.state = moment.after
        if not self._window_ns:
            return
        self._history.append(moment)
        while len(self._history) > SCANS_KEPT or self._history[0].stamp_ns < moment.stamp_ns - self._window_ns:
            self._base = self._history.pop(0)


def _note(runs: dict[str, _Run], sensor_id: str, stamp_ns: int) -> None:
    run = runs.get(sensor_id)
    if run is None:
        runs[sensor_id] = _Run(stamp_ns, stamp_ns)
    else:
        run.goes_on(stamp_ns)
