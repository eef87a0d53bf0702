"""What the stages say of objects: detections, tracks, threats, and what the class numbers mean."""

from __future__ import annotations

from typing import Any

import numpy as np
from aegis_msgs.msg import (
    ClassInfo,
    DetectionArray,
    ThreatArray,
    TrackArray,
)
from geometry_msgs.msg import Point, Quaternion, Vector3
from scipy.spatial.transform import Rotation

from aegis.core.types import (
    N_CLASSES,
    Detections,
    Pose,
    Threats,
    Tracks,
)
from aegis.ros.messages.fields import (
    check_lengths,
    finite_vector,
    make_header,
    pack,
    stamp_of,
    unit_quaternion,
    unpack,
    vector,
)


def detections_to_msg(d: Detections) -> DetectionArray:
    """Return the message of one scan's detections."""
    m = DetectionArray()
    m.header = make_header(d.stamp_ns, d.frame_id)
    m.sequence = int(d.sequence)
    m.sensor_id = d.sensor_id
    m.cartesian_accuracy = bool(d.cartesian_accuracy)
    m.has_pose = d.pose is not None
    if d.pose is not None:
        m.sensor_position = vector(Point, d.pose.position)
        x, y, z, w = Rotation.from_matrix(d.pose.rotation).as_quat()
        m.sensor_orientation = Quaternion(x=float(x), y=float(y), z=float(z), w=float(w))
        m.sensor_velocity = vector(Vector3, d.pose.velocity)
    m.id = pack("I", d.id)
    m.range = pack("d", d.range)
    m.azimuth = pack("d", d.azimuth)
    m.elevation = pack("d", d.elevation)
    m.range_rate = pack("d", d.range_rate)
    m.variance = pack("d", d.variance)
    m.snr_db = pack("f", d.snr_db)
    m.rcs_dbsm = pack("f", d.rcs_dbsm)
    m.noise_db = pack("f", d.noise_db)
    m.points = pack("H", np.minimum(d.points, 65535))
    m.class_id = pack("B", d.class_id)
    m.confidence = pack("f", d.confidence)
    m.class_probability = pack("f", d.class_probability)
    return m


def detections_from_msg(m: DetectionArray) -> Detections:
    """Return the detections of a message.

    Raises:
        ValueError: arrays of different lengths, or a pose that is none: not finite, or a quaternion not of length 1.
    """
    n = len(m.range)
    check_lengths(m, n, "id azimuth elevation range_rate snr_db rcs_dbsm noise_db points class_id confidence")
    pose = None
    if m.has_pose:
        orientation = unit_quaternion(m.sensor_orientation, "DetectionArray.sensor_orientation")
        pose = Pose(
            position=finite_vector(m.sensor_position, "DetectionArray.sensor_position"),
            rotation=Rotation.from_quat(orientation).as_matrix(),
            velocity=finite_vector(m.sensor_velocity, "DetectionArray.sensor_velocity"),
        )
    return Detections(
        stamp_ns=stamp_of(m),
        frame_id=m.header.frame_id,
        sequence=int(m.sequence),
        sensor_id=m.sensor_id,
        cartesian_accuracy=bool(m.cartesian_accuracy),
        id=unpack(m.id, "i8"),
        range=unpack(m.range),
        azimuth=unpack(m.azimuth),
        elevation=unpack(m.elevation),
        range_rate=unpack(m.range_rate),
        variance=unpack(m.variance, shape=(n, 4)),
        snr_db=unpack(m.snr_db),
        rcs_dbsm=unpack(m.rcs_dbsm),
        noise_db=unpack(m.noise_db),
        points=unpack(m.points, "i8"),
        class_id=unpack(m.class_id, "i8"),
        confidence=unpack(m.confidence),
        class_probability=unpack(m.class_probability, shape=(n, N_CLASSES)),
        pose=pose,
    )


def tracks_to_msg(t: Tracks) -> TrackArray:
    """Return the message of a picture."""
    m = TrackArray()
    m.header = make_header(t.stamp_ns, t.frame_id)
    m.sequence = int(t.sequence)
    m.sensor_id = t.sensor_id
    m.track_id = pack("I", t.track_id)
    m.status = pack("B", t.status)
    m.state = pack("d", t.state)
    m.covariance = pack("d", t.covariance)
    m.class_id = pack("B", t.class_id)
    m.class_probability = pack("f", t.class_probability)
    m.existence_probability = pack("f", t.existence_probability)
    m.rcs_dbsm = pack("f", t.rcs_dbsm)
    m.age = pack("d", t.age)
    m.time_since_update = pack("d", t.time_since_update)
    m.hits = pack("I", t.hits)
    return m


def tracks_from_msg(m: TrackArray) -> Tracks:
    """Return the picture of a message.

    Raises:
        ValueError: arrays of different lengths.
    """
    n = len(m.track_id)
    check_lengths(m, n, "status class_id existence_probability rcs_dbsm age time_since_update hits")
    return Tracks(
        stamp_ns=stamp_of(m),
        frame_id=m.header.frame_id,
        sequence=int(m.sequence),
        sensor_id=m.sensor_id,
        track_id=unpack(m.track_id, "i8"),
        status=unpack(m.status, "i8"),
        state=unpack(m.state, shape=(n, 6)),
        covariance=unpack(m.covariance, shape=(n, 6, 6)),
        class_id=unpack(m.class_id, "i8"),
        class_probability=unpack(m.class_probability, shape=(n, N_CLASSES)),
        existence_probability=unpack(m.existence_probability),
        rcs_dbsm=unpack(m.rcs_dbsm),
        age=unpack(m.age),
        time_since_update=unpack(m.time_since_update),
        hits=unpack(m.hits, "i8"),
    )


def threats_to_msg(t: Threats) -> ThreatArray:
    """Return the message of an assessment."""
    m = ThreatArray()
    m.header = make_header(t.stamp_ns, t.frame_id)
    m.sequence = int(t.sequence)
    m.sensor_id = t.sensor_id
    m.track_id = pack("I", t.track_id)
    m.level = pack("B", t.level)
    m.class_id = pack("B", t.class_id)
    m.score = pack("f", t.score)
    m.time_to_cpa = pack("d", t.time_to_cpa)
    m.cpa_distance = pack("d", t.cpa_distance)
    m.cpa_distance_sigma = pack("d", t.cpa_distance_sigma)
    m.time_to_impact = pack("d", t.time_to_impact)
    m.reason = [str(reason) for reason in t.reason]
    return m


def threats_from_msg(m: ThreatArray) -> Threats:
    """Return the assessment of a message.

    Raises:
        ValueError: arrays of different lengths.
    """
    n = len(m.track_id)
    check_lengths(m, n, "level class_id score time_to_cpa cpa_distance cpa_distance_sigma time_to_impact reason")
    return Threats(
        stamp_ns=stamp_of(m),
        frame_id=m.header.frame_id,
        sequence=int(m.sequence),
        sensor_id=m.sensor_id,
        track_id=unpack(m.track_id, "i8"),
        level=unpack(m.level, "i8"),
        class_id=unpack(m.class_id, "i8"),
        score=unpack(m.score),
        time_to_cpa=unpack(m.time_to_cpa),
        cpa_distance=unpack(m.cpa_distance),
        cpa_distance_sigma=unpack(m.cpa_distance_sigma),
        time_to_impact=unpack(m.time_to_impact),
        reason=list(m.reason),
    )


def class_info_to_msg(prior: Any, *, model: str, basis: str, stamp_ns: int) -> ClassInfo:
    """Return what the class numbers mean; `prior` is (N_CLASSES,)."""
    from aegis.core.types import ClassId

    m = ClassInfo()
    m.header = make_header(stamp_ns, "")
    m.class_id = pack("B", [int(c) for c in ClassId])
    m.name = [c.name for c in ClassId]
    m.prior = pack("f", prior)
    m.model = model
    m.basis = basis
    return m
