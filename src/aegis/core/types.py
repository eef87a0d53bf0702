# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What passes between stages: plain arrays, one entry per object. SI units, radians; unknown is NaN.

Stamps are integer nanoseconds (the time of measurement), because a float64 of seconds since 1970 cannot hold them exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOT_STAMPED = "header.stamp is zero, and the driver has to set it"  # why a scan is refused, for counting


class Row:
    """The shape of one object's numbers, of an array that has more than one per object: `Annotated[Floats, Row(3, 3)]`."""

    def __init__(self, *shape: int) -> None:
        self.shape = shape


class ClassId(IntEnum):
    """Object classes, as numbered in aegis_msgs/ClassInfo."""

    UNKNOWN = 0
    DRONE = 1
    BIRD = 2
    AIRCRAFT = 3
    HELICOPTER = 4
    MISSILE = 5
    VEHICLE = 6
    PERSON = 7
    VESSEL = 8
    CLUTTER = 9


N_CLASSES = len(ClassId)


class ClassBasis(IntEnum):
    """What a detection's class probabilities rest on, as in aegis_msgs/DetectionArray."""

    STATED = 0  # the sensor, or who else saw more of the object than we do
    DERIVED = 1  # range rate, height and RCS, which the tracker knows itself


class TrackStatus(IntEnum):
    """As in aegis_msgs/TrackArray."""

    TENTATIVE = 1
    CONFIRMED = 2
    COASTING = 3


class ThreatLevel(IntEnum):
    """As in aegis_msgs/ThreatArray."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


class SignalKind(IntEnum):
    """As in aegis_msgs/EwSignalArray."""

    UNKNOWN = 0
    NOISE_JAMMING = 1
    DECEPTION = 2
    INTERFERENCE = 3
    EMITTER = 4


class AlarmState(IntEnum):
    """As in aegis_msgs/AlarmArray."""

    UNKNOWN = 0
    ACTIVE = 1
    ENDED = 2


class AdviceState(IntEnum):
    """As in aegis_msgs/EwAdviceArray."""

    UNKNOWN = 0
    PROPOSED = 1
    ACKNOWLEDGED = 2
    REJECTED = 3
    EXPIRED = 4
    WITHDRAWN = 5


def _none() -> Ints:
    return np.empty(0, dtype=np.int64)


def unknown(n: int) -> Floats:
    """Return (n,) NaN: a quantity that nobody measured."""
    return np.full(n, np.nan)


@dataclass(frozen=True)
class Sector:
    """What an antenna that turns has looked at: in this time, and nothing else was detected in it."""

    begin_s: float  # [s] after the stamp
    end_s: float
    azimuth: float = math.nan  # where it looked at the stamp, from x towards y [rad]; NaN: nobody knows
    rate: float = math.nan  # of its turning, from x towards y [rad/s]; NaN: nobody knows


@dataclass
class Scan:
    """One scan's radar points in the sensor's frame (x forward, y left, z up); all arrays (N,)."""

    stamp_ns: int
    frame_id: str
    sequence: int
    range: Floats  # [m]
    azimuth: Floats  # [rad]
    elevation: Floats  # [rad]
    range_rate: Floats  # [m/s], positive receding
    snr_db: Floats
    rcs_dbsm: Floats
    noise_db: Floats
    variance: Floats | None = None  # (N, 4) of range, azimuth, elevation, range rate; NaN: the sensor does not state it
    time_offset: Floats = field(default_factory=lambda: np.empty(0))  # [s] after the stamp; not given: all at the stamp
    sector: Sector | None = None  # None: all of the view, at the stamp
    untimed: int = 0  # points whose own time was none that can be: theirs is the stamp
    class_probability: Floats | None = (
        None  # (N, N_CLASSES) that the sensor states; NaN: nothing of it; None: of no point
    )

    def __post_init__(self) -> None:
        if not len(self.time_offset):
            self.time_offset = np.zeros(len(self.range))

    def __len__(self) -> int:
        return len(self.range)


@dataclass(frozen=True)
class Pose:
    """Where a sensor was when it measured: its frame in `map`."""

    position: Floats  # (3,) [m]
    rotation: Floats  # (3, 3) turns vectors of the sensor's frame into map
    velocity: Floats  # (3,) of the sensor in map [m/s]


@dataclass
class Detections:
    """One scan's detections in the sensor's frame; arrays (N,), or (N, *row)."""

    stamp_ns: int
    frame_id: str
    sequence: int
    sensor_id: str
    cartesian_accuracy: bool
    id: Ints
    range: Floats
    azimuth: Floats
    elevation: Floats
    range_rate: Floats
    variance: Annotated[Floats, Row(4)]  # of range, azimuth, elevation, range rate
    snr_db: Floats
    rcs_dbsm: Floats
    noise_db: Floats
    points: Ints
    class_id: Ints
    confidence: Floats
    class_probability: Annotated[Floats, Row(N_CLASSES)]
    pose: Pose | None = None  # of the sensor at the stamp; None: as the parameters say, and at rest
    time_offset: Floats = field(default_factory=lambda: np.empty(0))  # [s] after the stamp; not given: all at the stamp
    sector: Sector | None = None  # None: all of the view, at the stamp
    class_basis: Ints = field(default_factory=_none)  # ClassBasis, of class_probability; not given: STATED

    def __post_init__(self) -> None:
        if not len(self.time_offset):
            self.time_offset = np.zeros(len(self.range))
        if not len(self.class_basis):
            self.class_basis = np.full(len(self.range), int(ClassBasis.STATED))

    def __len__(self) -> int:
        return len(self.range)


@dataclass
class Tracks:
    """The picture after one scan, in `map` (ENU), ordered by track_id; arrays (N,), or (N, *row)."""

    stamp_ns: int
    frame_id: str
    sequence: int  # of the detections that it follows; each sensor counts its own
    sensor_id: str  # of these detections
    track_id: Ints
    status: Ints
    state: Annotated[Floats, Row(6)]  # x y z vx vy vz
    covariance: Annotated[Floats, Row(6, 6)]
    class_id: Ints
    class_probability: Annotated[Floats, Row(N_CLASSES)]
    existence_probability: Floats
    rcs_dbsm: Floats
    age: Floats
    time_since_update: Floats
    hits: Ints
    # The names of the sources that hold it, separated by commas; empty where a tracker alone makes the picture.
    sources: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sources = self.sources or [""] * len(self.track_id)

    def __len__(self) -> int:
        return len(self.track_id)


@dataclass
class Threats:
    """The threats, most threatening first, and which other tracks were assessed; arrays (N,)."""

    stamp_ns: int
    frame_id: str
    sequence: int  # of the detections that it follows; each sensor counts its own
    sensor_id: str  # of these detections
    track_id: Ints
    level: Ints
    class_id: Ints
    score: Floats
    time_to_cpa: Floats
    cpa_distance: Floats
    cpa_distance_sigma: Floats
    time_to_impact: Floats
    reason: list[str] = field(default_factory=list)
    # Of entering the asset's radius (not given: NaN), the asset that it threatens most, and what in its way speaks of intent
    # (APPROACH, LOITER, SWARM, POP_UP, DROP).
    entry_probability: Floats = field(default_factory=lambda: np.empty(0))
    asset: list[str] = field(default_factory=list)
    behaviour: list[str] = field(default_factory=list)
    listed_from: int = int(ThreatLevel.LOW)  # the level that the list begins at
    # Of the tracks below it; arrays (M,).
    unlisted_track_id: Ints = field(default_factory=_none)
    unlisted_level: Ints = field(default_factory=_none)

    def __post_init__(self) -> None:
        n = len(self.track_id)
        if not len(self.entry_probability):
            self.entry_probability = unknown(n)
        self.asset = self.asset or [""] * n
        self.behaviour = self.behaviour or [""] * n

    def __len__(self) -> int:
        return len(self.track_id)

    def levels(self) -> dict[int, ThreatLevel]:
        """Return the level of every track that was assessed, by its id; of levels that do not exist, nothing."""
        ids = [*self.track_id.tolist(), *self.unlisted_track_id.tolist()]
        numbers = [*self.level.tolist(), *self.unlisted_level.tolist()]
        known = {int(level): level for level in ThreatLevel}
        return {i: known[number] for i, number in zip(ids, numbers, strict=True) if number in known}


@dataclass
class Truth:
    """What is really there at the stamp of a scan, in `map` (ENU), ordered by truth_id; arrays (N,), or (N, *row)."""

    stamp_ns: int
    frame_id: str
    sequence: int  # of the scan
    sensor_id: str  # whose scan it is
    emitters: int  # jammers, interferers and pull-offs that are on
    truth_id: Ints
    class_id: Ints
    state: Annotated[Floats, Row(6)]  # x y z vx vy vz
    in_view: Ints  # 1: in the sensor's field of view and in no blanked sector
    snr_db: Floats  # mean of the echo; NaN where it is not known
    name: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.truth_id)


@dataclass
class ReceiverNoise:
    """What a receiver hears in cells without echoes, in beams; arrays (N,). Powers are of a sample, as a point's `noise_db`."""

    stamp_ns: int
    frame_id: str
    sequence: int  # of the cube or scan
    sensor_id: str
    carrier_frequency: float  # [Hz]; NaN unknown
    bandwidth: float  # [Hz] of the receiver; NaN unknown
    power_db: float  # mean over all cells and channels
    cells: float  # independent cells behind it
    beamwidth: float  # [rad] half power, in azimuth
    beam_cells: float  # independent cells behind the power of each beam
    simultaneous: bool  # the beams are formed of the same samples; else they look one after another
    azimuth: Floats  # [rad]
    elevation: Floats  # [rad]; NaN of a fan
    beam_power_db: Floats
    kurtosis_samples: int = 0  # M behind each estimate; 0: not estimated
    kurtosis_bins: int = 0
    kurtosis_least: float = math.nan
    kurtosis_median: float = math.nan
    bursts: int = 0  # samples that stand out of the others
    burst_samples: int = 0  # looked at; 0: none
    burst_probability: float = 0.0  # of noise, for each of them
    burst_power_db: float = math.nan
    burst_repeats: float = 0.0  # largest share of chirps that one place in the chirp is hit in

    def __len__(self) -> int:
        return len(self.azimuth)


@dataclass(frozen=True)
class Signal:
    """One active electronic attack or interference."""

    id: Annotated[int, "id of the signal"]
    kind: Annotated[SignalKind, "what it is taken for"]
    bearing: Annotated[float, "in the sensor's frame, from x towards y [rad]; NaN where it has no direction"]
    bearing_sigma: Annotated[float, "its standard deviation [rad]"]
    power_db: Annotated[float, "above the quiet noise floor [dB]"]
    frequency: Annotated[float, "[Hz]; NaN where the sensor does not say"]
    confidence: Annotated[float, "1 - probability that quiet noise does this"]
    evidence: Annotated[str, "in words, with numbers"]
    track_id: Annotated[int, "the track that it deceives about; 0 where it is about none"] = 0
    emitter: Annotated[str, "name in the library of emitters; empty where it fits none"] = ""
    x: Annotated[float, "in map, where the strobes of several sites cross [m]; NaN where they do not"] = math.nan
    y: Annotated[float, "the same [m]"] = math.nan
    xx: Annotated[float, "variance of x [m2]"] = math.nan
    xy: Annotated[float, "covariance of x and y [m2]"] = math.nan
    yy: Annotated[float, "variance of y [m2]"] = math.nan
    sensor: Annotated[str, "which sensor's it is: the bearing is in its frame"] = ""


@dataclass(frozen=True)
class Advice:
    """One piece of EW advice."""

    id: Annotated[int, "id of the advice"]
    track_id: Annotated[int, "the threat that it answers; 0 where it answers a signal"]
    signal_id: Annotated[int, "the signal that it answers; 0 where it answers a threat"]
    technique: Annotated[str, "what is proposed"]
    priority: Annotated[int, "1 is most urgent"]
    rationale: Annotated[str, "why, in words"]
    expected_benefit_db: Annotated[float, "[dB]; NaN where it cannot be computed"]
    valid_until_ns: Annotated[int, "in the time of the stamps [ns]"]
    state: Annotated[AdviceState, "what a person has decided"]
    decided_by: Annotated[str, "who; empty before"] = ""


@dataclass(frozen=True)
class Alarm:
    """An alarm of a zone rule."""

    id: Annotated[int, "id of the alarm"]
    rule: Annotated[str, "name of the rule"]
    zone: Annotated[str, "of its zone or asset; empty for a rule without one"]
    track_id: Annotated[int, "id of the track"]
    state: Annotated[AlarmState, "whether it is on"]
    priority: Annotated[int, "1 is most urgent"]
    raised_ns: Annotated[int, "when it was raised, in the time of the stamps [ns]"]
    text: Annotated[str, "in words, with the numbers at the time it was raised"]
    ended_ns: Annotated[int, "when it ended; 0 while it is on"] = 0
    acknowledged_by: Annotated[str, "who has seen it; empty before"] = ""
    shelved_until_ns: Annotated[int, "until when it is silent; 0: it is not"] = 0
    shelved_by: Annotated[str, "who has shelved it"] = ""
    shelf_reason: Annotated[str, "why"] = ""
    note: Annotated[str, "what a person has written to it"] = ""
