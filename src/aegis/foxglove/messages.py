# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Foxglove's messages made from a picture, a point cloud, threats and the sensor's pose: encoded, ready to send."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
from foxglove.messages import (
    ArrowPrimitive,
    Color,
    CylinderPrimitive,
    Duration,
    FrameTransform,
    PackedElementField,
    PackedElementFieldNumericType,
    PointCloud,
    Pose,
    Quaternion,
    SceneEntity,
    SceneEntityDeletion,
    SceneEntityDeletionType,
    SceneUpdate,
    SpherePrimitive,
    TextPrimitive,
    Timestamp,
    Vector3,
)

from aegis.core import rotation
from aegis.core.finite import finite_or_none
from aegis.core.odometry import PlatformState
from aegis.core.palette import Colour
from aegis.core.picture import (
    DISC_HEIGHT_M,
    ELLIPSE_ALPHA,
    MIN_ARROW_SPEED_MPS,
    Glyph,
    Picture,
    PictureSettings,
    pointing,
)
from aegis.core.sensor import SensorPose
from aegis.core.types import Floats, ThreatLevel, Threats

_LEVEL_NAMES = {int(level): level.name for level in ThreatLevel}


def scene(picture: Picture, settings: PictureSettings) -> bytes:
    """Return the SceneUpdate of a picture: one entity for each track, its id the track's."""
    stamp = timestamp_of(picture.stamp_ns)
    deletions = [
        SceneEntityDeletion(timestamp=stamp, type=SceneEntityDeletionType.MatchingId, id=str(track_id))
        for track_id in picture.gone
    ]
    if picture.clear:
        deletions = [SceneEntityDeletion(timestamp=stamp, type=SceneEntityDeletionType.All)]
    entities = [_entity(glyph, stamp, picture.frame_id, settings) for glyph in picture.glyphs]
    return SceneUpdate(deletions=deletions, entities=entities).encode()


def cloud(columns: dict[str, Floats], *, stamp_ns: int, frame_id: str) -> bytes:
    """Return the PointCloud of named float32 columns, each (points,); x, y and z [m] among them."""
    names = list(columns)
    table = np.column_stack([columns[name] for name in names]).astype("<f4")
    fields = [
        PackedElementField(name=name, offset=4 * i, type=PackedElementFieldNumericType.Float32)
        for i, name in enumerate(names)
    ]
    return PointCloud(
        timestamp=timestamp_of(stamp_ns),
        frame_id=frame_id,
        pose=pose_of((0.0, 0.0, 0.0)),
        point_stride=4 * len(names),
        fields=fields,
        data=table.tobytes(),
    ).encode()


def transform(pose: SensorPose, platform: PlatformState | None, *, stamp_ns: int, parent: str, child: str) -> bytes:
    """Return the FrameTransform from the picture's frame to the sensor's, which may be on a platform."""
    at, turned = pose.position(), pose.rotation()
    if platform is not None:
        turn = rotation.matrix_of(platform.orientation)
        at, turned = platform.position + turn @ at, turn @ turned
    x, y, z, w = rotation.quaternion_of(turned).tolist()
    return FrameTransform(
        timestamp=timestamp_of(stamp_ns),
        parent_frame_id=parent,
        child_frame_id=child,
        translation=Vector3(x=float(at[0]), y=float(at[1]), z=float(at[2])),
        rotation=Quaternion(x=x, y=y, z=z, w=w),
    ).encode()


THREATS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "stamp": {"type": "number", "description": "time of measurement [s]"},
        "threats": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "track_id": {"type": "integer"},
                    "level": {"type": "string"},
                    "score": {"type": "number"},
                    "time_to_cpa": {"type": ["number", "null"]},
                    "cpa_distance": {"type": ["number", "null"]},
                    "time_to_impact": {"type": ["number", "null"]},
                    "reason": {"type": "string"},
                },
            },
        },
    },
}


def threats(assessed: Threats) -> bytes:
    """Return the threats as JSON, most threatening first; unknown numbers are null."""
    rows = [threat(assessed, i) for i in range(len(assessed))]
    return json.dumps({"stamp": assessed.stamp_ns * 1e-9, "threats": rows}, allow_nan=False).encode()


def threat(assessed: Threats, i: int) -> dict[str, object]:
    """Return one threat for JSON; unknown numbers are null."""
    return {
        "track_id": int(assessed.track_id[i]),
        "level": _LEVEL_NAMES.get(int(assessed.level[i]), str(int(assessed.level[i]))),
        "score": finite_or_none(assessed.score[i]),
        "time_to_cpa": finite_or_none(assessed.time_to_cpa[i]),
        "cpa_distance": finite_or_none(assessed.cpa_distance[i]),
        "time_to_impact": finite_or_none(assessed.time_to_impact[i]),
        "reason": assessed.reason[i],
    }


def _entity(glyph: Glyph, stamp: Timestamp, frame_id: str, settings: PictureSettings) -> SceneEntity:
    x, y, z = glyph.position
    size = settings.track_size
    colour = colour_of(glyph.colour)
    arrows = []
    if glyph.speed > MIN_ARROW_SPEED_MPS:
        length = glyph.speed * settings.velocity_time
        head = min(size / 2, length / 2)
        arrows = [
            ArrowPrimitive(
                pose=pose_of(glyph.position, pointing(glyph.velocity)),
                shaft_length=length - head,
                shaft_diameter=size / 8,
                head_length=head,
                head_diameter=size / 4,
                color=colour,
            )
        ]
    discs = []
    if glyph.ellipse is not None:
        half = glyph.ellipse.yaw / 2
        discs = [
            CylinderPrimitive(
                pose=pose_of(glyph.position, (0.0, 0.0, math.sin(half), math.cos(half))),
                size=Vector3(x=2 * glyph.ellipse.semi_major, y=2 * glyph.ellipse.semi_minor, z=DISC_HEIGHT_M),
                bottom_scale=1.0,
                top_scale=1.0,
                color=colour_of(glyph.colour._replace(a=ELLIPSE_ALPHA * glyph.colour.a)),
            )
        ]
    seconds, fraction = divmod(settings.lifetime, 1.0)
    return SceneEntity(
        timestamp=stamp,
        frame_id=frame_id,
        id=str(glyph.track_id),
        lifetime=Duration(int(seconds), int(fraction * 1e9)),
        spheres=[SpherePrimitive(pose=pose_of(glyph.position), size=Vector3(x=size, y=size, z=size), color=colour)],
        arrows=arrows,
        cylinders=discs,
        texts=[
            TextPrimitive(
                pose=pose_of((x, y, z + 1.5 * size)), billboard=True, font_size=size, color=colour, text=glyph.label
            )
        ],
    )


def timestamp_of(stamp_ns: int) -> Timestamp:
    """Return a stamp."""
    return Timestamp(stamp_ns // 1_000_000_000, stamp_ns % 1_000_000_000)


def pose_of(at: tuple[float, float, float], turned: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)) -> Pose:
    """Return a pose [m], turned by a quaternion x, y, z, w."""
    qx, qy, qz, qw = turned
    return Pose(position=Vector3(x=at[0], y=at[1], z=at[2]), orientation=Quaternion(x=qx, y=qy, z=qz, w=qw))


def colour_of(colour: Colour) -> Color:
    """Return a colour."""
    return Color(r=colour.r, g=colour.g, b=colour.b, a=colour.a)
