# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the filter knows between scans, and what it hands on within one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.tracking.births import Entered
from aegis.core.tracking.class_looks import ClassLooks
from aegis.core.tracking.clutter import ClutterMap
from aegis.core.tracking.measurement import Plots, SensorView
from aegis.core.tracking.misses import Heard
from aegis.core.tracking.rows import Rows
from aegis.core.tracking.scan import Observed
from aegis.core.tracking.sweep import Passed
from aegis.core.types import Floats, Ints, Tracks


class State(NamedTuple):
    """What the filter knows after a scan."""

    tracks: Rows
    now_ns: int | None = None  # None before any scan
    entered: Entered | None = None  # at known places, not detected yet
    clutter: Mapping[str, ClutterMap] = MappingProxyType({})  # by sensor
    undetected: Mapping[str, float] = MappingProxyType({})  # objects in each sensor's view, not shown yet
    passed: Mapping[str, Passed] = MappingProxyType({})  # by sensor with a turning antenna
    quiet_db: Mapping[str, float] = MappingProxyType({})  # usual level of each sensor's noise
    heard: Mapping[int, Heard] = MappingProxyType({})  # when, by number of each sensor


class Plotted(NamedTuple):
    """A scan, as the tracks take it."""

    view: SensorView
    z: Plots  # D, in the order of `gate_keys`
    rcs: Floats  # (D,) [dBsm], NaN where it is not stated
    looks: ClassLooks | None  # (D,) what they say to a model of classes that remembers looks; None: it does not
    scatter: Floats  # (D,) variance of an extended object's scatterers [m^2]
    measured_ns: Ints  # (D,)


class Seen(NamedTuple):
    """What a scan showed of the tracks, for those who learn about the sensor from it."""

    scan: Plotted
    before: Rows  # predicted; its kinematics updated
    velocity: Floats  # (N, 2) in map, predicted
    visible: NDArray[np.bool_]  # (N,) whether a track was in view
    observed: Observed
    found: Ints  # (F,) the rows that were probably detected


class Report(NamedTuple):
    """What else a scan gave."""

    tracks: Tracks  # the picture
    over_capacity: int  # detections that would have started a track beyond max_tracks
    outside: Floats  # (K,) ranges of the detections outside the sensor's view [m]
    seen: Seen | None  # None without tracks


class Background(NamedTuple):
    """Where D detections can come from, besides the tracks."""

    density: Floats  # (3, D) in measurement space: of false alarms, of new objects anywhere, of those that entered at known places
    x: Floats  # (D, 6) state and covariance of the latter, or no rows
    P: Floats
