# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tracks as messages of other stacks: radar_msgs, vision_msgs, autoware_perception_msgs. Each is imported where it is made.

All are in the frame of the tracks (`map`, ENU), with their stamp, and over ground. What a track does not know is said as each
package says it: zeros with a covariance of zeros for what is not estimated (acceleration, size), and for an orientation that
nobody measured a rotation of none with the variance of an angle that may be anything, pi^2 / 3 (uniform over one turn).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from geometry_msgs.msg import Point, Pose, PoseWithCovariance, Quaternion, TwistWithCovariance, Vector3

from aegis.core.objects import ObjectsSettings, autoware_labels, identity, listed_classes, radar_class
from aegis.core.types import ClassId, Floats, Ints, Tracks
from aegis.ros.messages.fields import Message, make_header, vector

ANY_ANGLE_RAD2 = math.pi**2 / 3.0
_UPPER = np.triu_indices(3)  # xx xy xz yy yz zz
_DIAGONAL = (3, 4, 5)


def radar_tracks_to_msg(tracks: Tracks, rows: Ints, settings: ObjectsSettings, namespace: str) -> Message:
    """Return radar_msgs/RadarTracks. The correlation of position and velocity has no place there."""
    from radar_msgs.msg import RadarTrack, RadarTracks
    from unique_identifier_msgs.msg import UUID

    out = []
    for i in rows:
        state, covariance = tracks.state[i], tracks.covariance[i]
        out.append(
            RadarTrack(
                uuid=UUID(uuid=np.frombuffer(identity(namespace, int(tracks.track_id[i])).bytes, np.uint8)),
                position=vector(Point, state[:3]),
                velocity=vector(Vector3, state[3:]),
                classification=radar_class(int(tracks.class_id[i])),
                position_covariance=covariance[:3, :3][_UPPER].astype(np.float32),
                velocity_covariance=covariance[3:, 3:][_UPPER].astype(np.float32),
            )
        )
    message: Message = RadarTracks(header=make_header(tracks.stamp_ns, tracks.frame_id), tracks=out)
    return message


def detections_3d_to_msg(tracks: Tracks, rows: Ints, settings: ObjectsSettings, namespace: str) -> Message:
    """Return vision_msgs/Detection3DArray: a box of no size at each track, by classes. It has no velocity."""
    from vision_msgs.msg import BoundingBox3D, Detection3D, Detection3DArray, ObjectHypothesis, ObjectHypothesisWithPose

    header = make_header(tracks.stamp_ns, tracks.frame_id)
    out = []
    for i in rows:
        probability = tracks.class_probability[i]
        pose = _pose(tracks.state[i, :3], tracks.covariance[i, :3, :3], 0.0)
        out.append(
            Detection3D(
                header=header,
                results=[
                    ObjectHypothesisWithPose(
                        hypothesis=ObjectHypothesis(class_id=ClassId(c).name, score=float(probability[c])), pose=pose
                    )
                    for c in listed_classes(probability, settings.min_probability)
                ],
                bbox=BoundingBox3D(center=pose.pose),
                id=str(identity(namespace, int(tracks.track_id[i]))),
            )
        )
    message: Message = Detection3DArray(header=header, detections=out)
    return message


def tracked_objects_to_msg(tracks: Tracks, rows: Ints, settings: ObjectsSettings, namespace: str) -> Message:
    """Return autoware_perception_msgs/TrackedObjects: a cylinder of no size; the twist is along the object's own axes.

    These are turned into the direction of motion over ground where the object is fast enough to tell; else they are the frame's.
    """
    from autoware_perception_msgs.msg import (
        ObjectClassification,
        Shape,
        TrackedObject,
        TrackedObjectKinematics,
        TrackedObjects,
    )
    from unique_identifier_msgs.msg import UUID

    out = []
    for i in rows:
        state, covariance = tracks.state[i], tracks.covariance[i]
        moves = math.hypot(state[3], state[4]) >= settings.min_speed_mps
        yaw = math.atan2(state[4], state[3]) if moves else 0.0
        to_object = np.array([[math.cos(yaw), math.sin(yaw), 0.0], [-math.sin(yaw), math.cos(yaw), 0.0], [0, 0, 1.0]])
        twist = TwistWithCovariance(
            covariance=_six(to_object @ covariance[3:, 3:] @ to_object.T, ANY_ANGLE_RAD2),
        )
        twist.twist.linear = vector(Vector3, to_object @ state[3:])
        kinematics = TrackedObjectKinematics(
            pose_with_covariance=_pose(state[:3], covariance[:3, :3], yaw),
            twist_with_covariance=twist,
            orientation_availability=TrackedObjectKinematics.AVAILABLE
            if moves
            else TrackedObjectKinematics.UNAVAILABLE,
        )
        out.append(
            TrackedObject(
                object_id=UUID(uuid=np.frombuffer(identity(namespace, int(tracks.track_id[i])).bytes, np.uint8)),
                existence_probability=float(tracks.existence_probability[i]),
                classification=[
                    ObjectClassification(label=label, probability=float(value))
                    for label, value in autoware_labels(tracks.class_probability[i]).items()
                ],
                kinematics=kinematics,
                shape=Shape(type=Shape.CYLINDER),
            )
        )
    message: Message = TrackedObjects(header=make_header(tracks.stamp_ns, tracks.frame_id), objects=out)
    return message


MAKERS: dict[str, Callable[[Tracks, Ints, ObjectsSettings, str], Message]] = {
    "radar_msgs": radar_tracks_to_msg,
    "vision_msgs": detections_3d_to_msg,
    "autoware_perception_msgs": tracked_objects_to_msg,
}


def _pose(position: Floats, covariance: Floats, yaw: float) -> PoseWithCovariance:
    half = yaw / 2
    turned = Quaternion(x=0.0, y=0.0, z=math.sin(half), w=math.cos(half))
    pose = Pose(position=vector(Point, position), orientation=turned)
    return PoseWithCovariance(pose=pose, covariance=_six(covariance, ANY_ANGLE_RAD2))


def _six(covariance: Floats, of_rotation: float) -> Floats:
    """Return (36,), row major: x y z as in (3, 3), and rotations about the axes that nobody measured."""
    out = np.zeros((6, 6))
    out[:3, :3] = covariance
    out[_DIAGONAL, _DIAGONAL] = of_rotation
    return out.ravel()
