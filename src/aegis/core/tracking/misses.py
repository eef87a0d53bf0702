# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which tracks a scan says are not seen any more: of several sensors, one that does not look there says nothing of that."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.tracking import existence
from aegis.core.tracking.existence import Hiding
from aegis.core.tracking.rows import Rows
from aegis.core.tracking.sweep import Sweep

LATE = 1.5  # periods of a sensor, after which what it has seen last is overdue: scans come neither evenly nor at once
FIRST_PERIOD_NS = 1_000_000_000  # of a sensor, before two scans have come


class Heard(NamedTuple):
    """When a sensor was heard."""

    last_ns: int
    period_ns: int = 0  # from one look to the next at the same place; 0: not known yet
    steady_ns: int = 0  # the shorter of the last two: a single gap is no period


def number_of(sensor_id: str) -> int:
    """Return a number for a sensor, the same in every process, so that it can be kept with the tracks."""
    return zlib.crc32(sensor_id.encode())


def hear(heard: Mapping[int, Heard], number: int, stamp_ns: int, sweep: Sweep | None) -> dict[int, Heard]:
    """Return what is known of the sensors' times after a look of one; `sweep`: of its antenna, if that turns."""
    before = heard.get(number, Heard(stamp_ns))
    turn_ns = 0 if sweep is None else round(2e9 * sweep.same_pass_s)
    period_ns = turn_ns or (stamp_ns - before.last_ns) or before.period_ns
    return {**heard, number: Heard(stamp_ns, period_ns, min(period_ns, before.period_ns))}


def slowest_s(heard: Mapping[int, Heard]) -> float:
    """Return the longest period of a sensor [s]; 0 where none is known."""
    return max((times.steady_ns for times in heard.values()), default=0) * 1e-9


def alone(heard: Mapping[int, Heard], number: int) -> bool:
    """Tell whether a sensor is the only one that was heard."""
    return not heard.keys() - {number}


def missed(
    tracks: Rows, looked: NDArray[np.bool_], heard: Mapping[int, Heard], number: int, stamp_ns: int, *, whole: bool
) -> NDArray[np.bool_]:
    """Return (N,) which tracks are not seen any more, if a scan does not show them.

    A single sensor's whole scan misses all that it does not show, also what has left its view. Of several, it misses what it looked
    at, and what is overdue at the sensor that saw it last: that one has lost it out of its view, or is silent.

    Args:
        tracks: before the scan's detections are noted.
        looked: (N,) which the sensor could have seen in this scan.
        heard: all sensors, this one too, by number.
        number: of the sensor; stamp_ns: of the scan.
        whole: it looked at all of its view at once.
    """
    if alone(heard, number):
        return np.ones(len(tracks), np.bool_) if whole else looked
    held_by, longest_ns = tracks["held_by"], np.zeros(len(tracks))
    for each, times in heard.items():
        longest_ns[held_by == each] = LATE * (times.period_ns or FIRST_PERIOD_NS)
    return np.asarray(looked | (stamp_ns - tracks["updated_ns"] > longest_ns), np.bool_)


def expected(
    tracks: Rows, visible: NDArray[np.bool_], heard: Mapping[int, Heard], number: int, stamp_ns: int, looks_s: float,
    how: Hiding,
) -> NDArray[np.bool_]:  # fmt: skip
    """Return (N,) whether a track belongs into the confirmed picture as far as a sensor's view goes, as `existence.expected`.

    Of several sensors, one that does not look where another one holds a track says nothing of that, as long as the other one comes.

    Args:
        tracks: after the scan; visible: (N,) which are in the sensor's view.
        heard: all sensors, this one too, by number.
        number: of the sensor; stamp_ns: of the scan.
        looks_s: from one look of a single sensor to the next; how: objects hide.
    """
    out = existence.expected(tracks["updated_ns"], stamp_ns, visible, looks_s, how)
    if alone(heard, number):
        return out
    for each, times in heard.items():
        period_ns = times.period_ns or FIRST_PERIOD_NS
        held = np.flatnonzero(tracks["held_by"] == each)
        out[held] = existence.expected(tracks["updated_ns"][held], stamp_ns, visible[held], period_ns * 1e-9, how)
        if each != number and stamp_ns - times.last_ns <= LATE * period_ns:
            out[held] = True
    return out
