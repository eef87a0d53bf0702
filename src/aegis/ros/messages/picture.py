# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is said of objects: detections, tracks, threats, the truth of a simulation, and what the class numbers mean."""

from __future__ import annotations

import math

import numpy as np
from aegis_msgs.msg import ClassInfo, DetectionArray, ThreatArray, TrackArray, TruthArray
from geometry_msgs.msg import Point, Quaternion, Vector3
from numpy.typing import ArrayLike

from aegis.core.rotation import matrix_of, quaternion_of
from aegis.core.types import N_CLASSES, ClassBasis, ClassId, Detections, Pose, Sector, Threats, Tracks, Truth
from aegis.ros.messages.columns import ArrayConverter, read_from_msg
from aegis.ros.messages.fields import (
    check_lengths,
    finite_vector,
    make_header,
    pack,
    unit_quaternion,
    vector,
)

_POSE = ("pose", "has_pose", "sensor_position", "sensor_orientation", "sensor_velocity")
_SECTOR = ("sector", "has_sector", "sector_begin", "sector_end", "antenna_azimuth", "antenna_rate")
_DETECTIONS = ArrayConverter(Detections, DetectionArray, apart=(*_POSE, *_SECTOR))
_TRACKS = ArrayConverter(Tracks, TrackArray)
_UNLISTED = ("unlisted_track_id", "unlisted_level")
_THREATS = ArrayConverter(Threats, ThreatArray, apart=_UNLISTED)
_TRUTH = ArrayConverter(Truth, TruthArray)

# Each `from_msg` raises MalformedError where a message's arrays have lengths that do not fit each other.
tracks_to_msg, tracks_from_msg = _TRACKS.to_msg, read_from_msg(_TRACKS.from_msg)
truth_to_msg, truth_from_msg = _TRUTH.to_msg, read_from_msg(_TRUTH.from_msg)


def threats_to_msg(t: Threats) -> ThreatArray:
    """Return the message of an assessment."""
    m: ThreatArray = _THREATS.to_msg(t)
    m.unlisted_track_id, m.unlisted_level = pack("I", t.unlisted_track_id), pack("B", t.unlisted_level)
    return m


@read_from_msg
def threats_from_msg(m: ThreatArray) -> Threats:
    """Return the assessment of a message.

    Raises:
        MalformedError: arrays of different lengths.
    """
    check_lengths(m, len(m.unlisted_track_id), _UNLISTED)
    return _THREATS.from_msg(m, **{name: np.array(getattr(m, name), np.int64) for name in _UNLISTED})


def detections_to_msg(d: Detections) -> DetectionArray:
    """Return the message of one scan's detections."""
    m: DetectionArray = _DETECTIONS.to_msg(d)
    m.has_pose = d.pose is not None
    if d.pose is not None:
        m.sensor_position = vector(Point, d.pose.position)
        x, y, z, w = quaternion_of(d.pose.rotation)
        m.sensor_orientation = Quaternion(x=float(x), y=float(y), z=float(z), w=float(w))
        m.sensor_velocity = vector(Vector3, d.pose.velocity)
    m.has_sector = d.sector is not None
    if d.sector is not None:
        m.sector_begin, m.sector_end = float(d.sector.begin_s), float(d.sector.end_s)
        m.antenna_azimuth, m.antenna_rate = float(d.sector.azimuth), float(d.sector.rate)
    return m


@read_from_msg
def detections_from_msg(m: DetectionArray) -> Detections:
    """Return the detections of a message.

    Raises:
        MalformedError: arrays of different lengths; a pose that is none: not finite, or a quaternion not of length 1; or a
            sector that is none: not finite, or ending before it begins.
    """
    pose = sector = None
    if m.has_sector:
        if not -math.inf < m.sector_begin <= m.sector_end < math.inf:
            raise ValueError(
                f"DetectionArray: the sector is from {m.sector_begin} s to {m.sector_end} s after the stamp; its end is expected "
                "at or after its begin"
            )
        sector = Sector(m.sector_begin, m.sector_end, m.antenna_azimuth, m.antenna_rate)
    if len(m.id) and not len(m.time_offset):
        m.time_offset = pack("d", np.zeros(len(m.id)))
    if len(m.id) and not len(m.class_basis):
        m.class_basis = pack("B", np.full(len(m.id), int(ClassBasis.STATED)))
    if len(m.id) and not len(m.class_probability):
        m.class_probability = pack("f", np.full((len(m.id), N_CLASSES), np.nan))
    if m.has_pose:
        orientation = unit_quaternion(m.sensor_orientation, "DetectionArray.sensor_orientation")
        pose = Pose(
            position=finite_vector(m.sensor_position, "DetectionArray.sensor_position"),
            rotation=matrix_of(orientation),
            velocity=finite_vector(m.sensor_velocity, "DetectionArray.sensor_velocity"),
        )
    return _DETECTIONS.from_msg(m, pose=pose, sector=sector)


def class_info_to_msg(prior: ArrayLike, *, model: str, basis: str, stamp_ns: int) -> ClassInfo:
    """Return what the class numbers mean; `prior` is (N_CLASSES,)."""
    m = ClassInfo()
    m.header = make_header(stamp_ns, "")
    m.class_id = pack("B", [int(c) for c in ClassId])
    m.name = [c.name for c in ClassId]
    m.prior = pack("f", prior)
    m.model = model
    m.basis = basis
    return m
