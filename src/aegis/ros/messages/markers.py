# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The MarkerArray of a picture: the one place where marker messages are made."""

from __future__ import annotations

import copy
import math

from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from aegis.core.palette import Colour
from aegis.core.picture import DISC_HEIGHT_M, ELLIPSE_ALPHA, MIN_ARROW_SPEED_MPS, Picture, PictureSettings, pointing
from aegis.ros.messages.fields import make_header

# One namespace for each part of a track's drawing, so that RViz can switch it; the id in each is the track's.
BODY, VELOCITY, COVARIANCE, LABEL = "track", "velocity", "covariance", "label"
NAMESPACES = (BODY, VELOCITY, COVARIANCE, LABEL)

MIN_HALF_AXIS_M = 0.05


def marker_id(track_id: int) -> int:
    """Return the marker id of a track: uint32 in the int32 that a Marker has, one to one."""
    return track_id - (1 << 32) if track_id >= 1 << 31 else track_id


def picture_to_msg(picture: Picture, settings: PictureSettings) -> MarkerArray:
    """Return the markers of a picture: four for each track at most, deletions first."""
    header = make_header(picture.stamp_ns, picture.frame_id)
    seconds, fraction = divmod(settings.lifetime, 1.0)
    lifetime = Duration(sec=int(seconds), nanosec=int(fraction * 1e9))
    size = settings.track_size

    body = _pattern(header, BODY, Marker.SPHERE, lifetime)
    body.scale = _vector(size, size, size)
    label = _pattern(header, LABEL, Marker.TEXT_VIEW_FACING, lifetime)
    label.scale = _vector(0.0, 0.0, size)
    velocity = _pattern(header, VELOCITY, Marker.ARROW, lifetime)
    covariance = _pattern(header, COVARIANCE, Marker.CYLINDER, lifetime)
    delete = {namespace: Marker(header=header, ns=namespace, action=Marker.DELETE) for namespace in NAMESPACES}

    markers = []
    if picture.clear:
        markers.append(Marker(header=header, action=Marker.DELETEALL))
    for track_id in picture.gone:
        markers += [_from_pattern(delete[namespace], track_id) for namespace in NAMESPACES]
    for glyph in picture.glyphs:
        x, y, z = glyph.position
        at = Point(x=float(x), y=float(y), z=float(z))
        colour = _colour(glyph.colour)

        marker = _from_pattern(body, glyph.track_id)
        marker.pose = Pose(position=at)
        marker.color = colour
        markers.append(marker)

        marker = _from_pattern(label, glyph.track_id)
        marker.pose = Pose(position=Point(x=float(x), y=float(y), z=float(z + 1.5 * size)))
        marker.color = colour
        marker.text = glyph.label
        markers.append(marker)

        if glyph.speed > MIN_ARROW_SPEED_MPS:
            marker = _from_pattern(velocity, glyph.track_id)
            marker.pose = Pose(position=at, orientation=_quaternion(*pointing(glyph.velocity)))
            marker.scale = _vector(glyph.speed * settings.velocity_time, size / 4, size / 4)
            marker.color = colour
        else:
            marker = _from_pattern(delete[VELOCITY], glyph.track_id)
        markers.append(marker)

        if glyph.ellipse is not None:
            half = glyph.ellipse.yaw / 2
            marker = _from_pattern(covariance, glyph.track_id)
            marker.pose = Pose(position=at, orientation=_quaternion(0.0, 0.0, math.sin(half), math.cos(half)))
            marker.scale = _vector(
                2 * glyph.ellipse.semi_major, 2 * max(glyph.ellipse.semi_minor, MIN_HALF_AXIS_M), DISC_HEIGHT_M
            )
            marker.color = _colour(glyph.colour._replace(a=ELLIPSE_ALPHA * glyph.colour.a))
        else:
            marker = _from_pattern(delete[COVARIANCE], glyph.track_id)
        markers.append(marker)
    return MarkerArray(markers=markers)


def _pattern(header: Header, namespace: str, kind: int, lifetime: Duration) -> Marker:
    return Marker(header=header, ns=namespace, type=kind, action=Marker.ADD, lifetime=lifetime)


def _from_pattern(pattern: Marker, track_id: int) -> Marker:
    """Return a shallow copy (a quarter of the cost of a new Marker): assign its fields, never change one inside."""
    marker = copy.copy(pattern)
    marker.id = marker_id(track_id)
    return marker


def _vector(x: float, y: float, z: float) -> Vector3:
    return Vector3(x=float(x), y=float(y), z=float(z))


def _quaternion(x: float, y: float, z: float, w: float) -> Quaternion:
    return Quaternion(x=float(x), y=float(y), z=float(z), w=float(w))


def _colour(colour: Colour) -> ColorRGBA:
    return ColorRGBA(r=float(colour.r), g=float(colour.g), b=float(colour.b), a=float(colour.a))
