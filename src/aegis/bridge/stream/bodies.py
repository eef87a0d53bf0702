# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The contents of the live stream's messages, whole or filtered."""

from __future__ import annotations

import math

import numpy as np

from aegis.bridge.live.columns import unlisted
from aegis.bridge.live.encoded import Body, EncodedPart
from aegis.bridge.live.frames import EwFrame, Frame, RadarFrame
from aegis.bridge.stream.delta import RadarBody
from aegis.bridge.stream.subscription import Filter
from aegis.core.sensor import SensorPose
from aegis.core.threat.areas import ProtectedArea
from aegis.core.types import Advice, Alarm, AlarmState, Detections, Floats, Ints, Signal, Threats, Tracks

USUAL_TURN_S = 8.0  # of an antenna that turns nobody knows how fast


def radar_frame(frame: RadarFrame, mounted: SensorPose, wanted: Filter) -> RadarBody:
    """Return a radar_frame message (a `RadarBody`): one scan's detections and the tracks after it.

    Args:
        frame: the scan.
        mounted: where the sensor stands, unless the detections have a pose.
        wanted: which objects.
    """
    detections, tracks = frame.detections, frame.tracks
    seen = held = None  # which are wanted
    if detections:
        seen = wanted.rows(lambda: positions_in_map(detections.data, mounted), detections.data.class_id)
    if tracks:
        held = wanted.rows(lambda: tracks.data.state, tracks.data.class_id)
    body: dict[str, object] = {
        **frame.main.head(),
        "sensor": sensor_of(mounted, detections.data if detections else None),
        "turn_s": _turn_s(detections.data) if detections else None,
        "detections": EncodedPart(detections.brief, seen) if detections else None,
        "tracks": EncodedPart(tracks.brief, held) if tracks else None,
    }
    return RadarBody(body, frame, seen, held)


def threats(frame: Frame[Threats], tracks: Frame[Tracks] | None, wanted: Filter) -> Body:
    """Return a threats message. A threat whose track is not in the picture is not left out for its place."""

    def places() -> Floats:
        return places_of_tracks(frame.data.track_id, tracks.data if tracks else None)

    index = wanted.rows(places, frame.data.class_id, unplaced=True)
    return {**frame.head(), "threats": EncodedPart(frame.rows, index), **unlisted(frame.data)}


def ew(signals: EwFrame[Signal] | None, advice: EwFrame[Advice] | None) -> Body:
    """Return an ew message: the active signals and all advice, each with its age; null before the first of its kind."""
    return {
        "signals": {**signals.head(), "items": signals.rows.items} if signals else None,
        "advice": {**advice.head(), "items": advice.rows.items} if advice else None,
    }


def alarms(frame: EwFrame[Alarm]) -> Body:
    """Return an alarms message: how many are on and heard, and all that are in the list."""
    heard = sum(a.state is AlarmState.ACTIVE and not a.shelved_until_ns for a in frame.items)
    return {**frame.head(), "active": heard, "items": EncodedPart(frame.rows)}


def protected(frame: EwFrame[ProtectedArea]) -> Body:
    """Return a protected message: the assets and the zones."""
    return {**frame.head(), "items": EncodedPart(frame.rows)}


def places_of_tracks(track_id: Ints, tracks: Tracks | None) -> Floats:
    """Return (N, 3) positions of tracks by number [m]; NaN where the picture does not have them."""
    out = np.full((len(track_id), 3), np.nan)
    if tracks is not None and len(tracks):
        at = np.minimum(np.searchsorted(tracks.track_id, track_id), len(tracks) - 1)  # they are in order
        known = tracks.track_id[at] == track_id
        out[known] = tracks.state[at[known], :3]
    return out


def positions_in_map(d: Detections, mounted: SensorPose) -> Floats:
    """Return (N, 3) positions of detections in map [m]; an elevation that is not measured counts as 0."""
    elevation = np.nan_to_num(d.elevation)
    ground = d.range * np.cos(elevation)
    seen = np.stack([ground * np.cos(d.azimuth), ground * np.sin(d.azimuth), d.range * np.sin(elevation)], axis=1)
    return mounted.to_map(seen) if d.pose is None else seen @ d.pose.rotation.T + d.pose.position


def _turn_s(detections: Detections) -> float | None:
    """Return how long a turn of the sensor's antenna takes [s], for as long as its plots are shown; None where it does not turn."""
    if detections.sector is None:
        return None
    rate = abs(detections.sector.rate)
    return round(2.0 * math.pi / rate, 3) if rate > 0.0 else USUAL_TURN_S  # NaN: nobody knows


def sensor_of(mounted: SensorPose, detections: Detections | None) -> dict[str, float]:
    """Return where the sensor is in `map`: detections are in its frame."""
    pose = detections.pose if detections is not None else None
    if pose is None:
        x, y, z = mounted.sensor_x, mounted.sensor_y, mounted.sensor_z
        yaw_deg = mounted.sensor_yaw_deg
    else:
        x, y, z = (round(float(v), 3) for v in pose.position)
        yaw_deg = math.degrees(math.atan2(pose.rotation[1, 0], pose.rotation[0, 0]))
    return {"x_m": x, "y_m": y, "z_m": z, "heading_deg": round(90.0 - yaw_deg, 4) % 360.0}
