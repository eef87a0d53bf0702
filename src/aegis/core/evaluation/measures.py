# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The names of all measures, what each means, and how a value is given: with the number of things that it rests on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Measure(NamedTuple):
    """A value, and how many things it rests on: 0 is 'no data', whatever the value."""

    value: float
    n: int


class Meaning(NamedTuple):
    """What a measure is."""

    unit: str
    text: str


MEANINGS: dict[str, Meaning] = {
    "coverage": Meaning("", "share of the scans of objects in view in which a track shows the object"),
    "update_probability": Meaning("", "share of the stretches of the update period in view with an update by a detection"),
    "update_interval_s": Meaning("s", "mean time from one update of an object to the next"),
    "long_gap_share": Meaning("", "share of these times that are longer than the stated gap"),
    "longest_gap_s": Meaning("s", "longest time in view without a track, after the first one"),
    "gap_share": Meaning("", "share of the scans in view without a track, after the first one"),
    "never_shown": Meaning("", "objects in view that no track ever shows"),
    "to_confirmation_s": Meaning("s", "mean time from the first scan in view to the first track, of those that are ever shown"),
    "rms_m": Meaning("m", "position over ground, root mean square"),
    "rms_along_m": Meaning("m", "along the object's course"),
    "rms_across_m": Meaning("m", "across it"),
    "rms_height_m": Meaning("m", "height"),
    "rms_speed_mps": Meaning("m/s", "speed over ground"),
    "rms_course_deg": Meaning("deg", "course, of objects of 1 m/s and more"),
    "p95_m": Meaning("m", "position over ground: 95 % are within"),
    "p90_along_m": Meaning("m", "along the course: 90 % are within"),
    "p90_across_m": Meaning("m", "across it: 90 % are within"),
    "p90_speed_mps": Meaning("m/s", "speed: 90 % are within"),
    "p90_course_deg": Meaning("deg", "course: 90 % are within"),
    "nees": Meaning("", "mean normalised squared error of the position over ground: 2 where the covariance is right"),
    "nees_within_95": Meaning("", "share of positions inside their own 95 % ellipse"),
    "gospa_m": Meaning("m", "GOSPA, p = 2, alpha = 2, cut at the gate: root mean square over the scans"),
    "gospa_localisation_m2": Meaning("m^2", "its part from positions, mean of a scan"),
    "gospa_missed_m2": Meaning("m^2", "from missed objects"),
    "gospa_false_m2": Meaning("m^2", "from false and duplicate tracks"),
    "t_gospa_m": Meaning("m", "T-GOSPA, a change of track costing gate / 2, per scan"),
    "t_gospa_switch_m2": Meaning("m^2", "its part from changes of track, mean of a scan"),
    "idf1": Meaning("", "share of scans shown rightly by one and the same track for each object"),
    "main_track_share": Meaning("", "share of the scans with a track in which it is the object's most frequent one"),
    "id_changes": Meaning("", "how often an object's track changed"),
    "ids_per_object": Meaning("", "tracks that showed an object, mean of those ever shown"),
    "count_within_1": Meaning(
        "", "share of the scans that show as many tracks in view as there are objects there, or one more or less"
    ),
    "false_tracks": Meaning("", "tracks that were false most of the time that they were shown"),
    "false_tracks_per_hour": Meaning("1/h", "the same, an hour"),
    "false_share": Meaning("", "share of all tracks in all scans that are false"),
    "false_scans_share": Meaning("", "share of the scans with a false track at least"),
    "duplicate_tracks": Meaning("", "tracks that were duplicates most of the time"),
    "duplicate_tracks_per_hour": Meaning("1/h", "the same, an hour"),
    "duplicate_share": Meaning("", "share of all tracks in all scans that are duplicates"),
    "class_right": Meaning("", "share of the scans with a track of the right class"),
    "class_wrong": Meaning("", "of another class"),
    "class_unknown": Meaning("", "of class UNKNOWN"),
    "calibration_error": Meaning("", "mean distance between the probability of a class and how often it is right"),
    "threat_order": Meaning("", "share of the pairs of assessed objects in the order of their true times to impact"),
    "threat_first_right": Meaning("", "share of the scans in which the object that will be there first is the first threat"),
    "impact_error_s": Meaning("s", "time to impact, root mean square"),
    "false_first_s": Meaning("s", "time in which a false or duplicate track is the first threat, at HIGH or above"),
    "false_critical_s": Meaning("s", "time in which a false or duplicate track is CRITICAL"),
    "alarms": Meaning("", "events at WARNING or above"),
    "alarms_per_hour": Meaning("1/h", "the same, an hour (EEMUA 191: at most 6)"),
    "ew_signals": Meaning("", "EW signals, different ones"),
    "ew_false_signals": Meaning("", "of these, raised while nobody radiated"),
    "ew_advice": Meaning("", "pieces of EW advice, different ones"),
    "ew_false_advice": Meaning("", "of these, to a signal while nobody radiated"),
    "ew_signalled": Meaning("", "share of the scans with an emitter on that have a signal"),
    "ew_advised": Meaning("", "share of the scans with an emitter on that have advice to a signal in force"),
}  # fmt: skip


def percentile(values: ArrayLike, percent: float) -> Measure:
    """Return the percentile of the absolute finite values; NaN of none."""
    finite = np.abs(np.asarray(values, dtype=float))
    finite = finite[np.isfinite(finite)]
    return Measure(float(np.percentile(finite, percent)) if len(finite) else float("nan"), len(finite))


def ratio(part: float, whole: float) -> Measure:
    """Return the share of a count; NaN of none."""
    return Measure(part / whole if whole else float("nan"), int(whole))
