# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is drawn beside the tracks for Foxglove: assets, zones, and where jamming comes from."""

from __future__ import annotations

import math
from collections.abc import Callable

from foxglove.messages import (
    Duration,
    LinePrimitive,
    LinePrimitiveLineType,
    Point3,
    SceneEntity,
    SceneEntityDeletion,
    SceneEntityDeletionType,
    SceneUpdate,
    TextPrimitive,
)

from aegis.core.palette import LEVEL_COLOURS, UNASSESSED, Colour
from aegis.core.threat.areas import AreaKind, ProtectedArea
from aegis.core.types import Signal, ThreatLevel
from aegis.foxglove.messages import colour_of, pose_of, timestamp_of

CIRCLE_CORNERS = 72
LINE_PX = 2.0
TEXT_PX = 12.0
STROBE_LIFETIME_S = 3  # a signal that is over is not in the next list; should none come, it goes by itself
STROBE = LEVEL_COLOURS[ThreatLevel.HIGH]


def areas(found: list[ProtectedArea], *, stamp_ns: int, frame_id: str) -> bytes:
    """Return the SceneUpdate of assets and zones, each at its floor and at its ceiling; what was drawn before goes."""
    entities = []
    for area in found:
        corners = area.outline or _circle(area)
        if area.kind is AreaKind.ASSET:
            heights = [0.0 if math.isnan(area.z) else area.z]
        else:
            limits = (area.floor_m, area.ceiling_m)
            heights = sorted({h for h in limits if math.isfinite(h)}) or [0.0]
        colour = UNASSESSED if area.kind is AreaKind.ZONE else STROBE
        middle_x = sum(x for x, _ in corners) / len(corners)
        middle_y = sum(y for _, y in corners) / len(corners)
        entities.append(
            SceneEntity(
                timestamp=timestamp_of(stamp_ns),
                frame_id=frame_id,
                id=f"{area.kind.name} {area.name}",
                lines=[_line([(x, y, h) for x, y in corners], colour, LinePrimitiveLineType.LineLoop) for h in heights],
                texts=[_text(area.name, (middle_x, middle_y, heights[0]), colour)],
            )
        )
    return _update(entities, stamp_ns)


def strobes(
    signals: list[Signal], length_m: float, *, stamp_ns: int, frame_of: Callable[[str], str], site_frame: str
) -> bytes:
    """Return the SceneUpdate of EW signals.

    Args:
        signals: those that are on.
        length_m: of the line along a bearing [m].
        stamp_ns: of them.
        frame_of: returns a sensor's frame, in which its bearings are.
        site_frame: in which the places are that strobes of several sensors give.
    """
    entities = []
    for signal in signals:
        name = f"{signal.kind.name} {signal.power_db:.0f} dB" if math.isfinite(signal.power_db) else signal.kind.name
        if math.isfinite(signal.bearing):
            c, s = math.cos(signal.bearing), math.sin(signal.bearing)
            far = (length_m * c, length_m * s, 0.0)
            lines = [_line([(0.0, 0.0, 0.0), far], STROBE, LinePrimitiveLineType.LineStrip)]
            if math.isfinite(signal.bearing_sigma):  # two standard deviations to either side
                for side in (-2.0, 2.0):
                    angle = signal.bearing + side * signal.bearing_sigma
                    edge = (length_m * math.cos(angle), length_m * math.sin(angle), 0.0)
                    lines.append(
                        _line([(0.0, 0.0, 0.0), edge], STROBE._replace(a=0.3), LinePrimitiveLineType.LineStrip)
                    )
            entities.append(
                _signal(
                    signal.id,
                    "bearing",
                    lines,
                    name,
                    (0.5 * far[0], 0.5 * far[1], 0.0),
                    stamp_ns,
                    frame_of(signal.sensor),
                )
            )
        if math.isfinite(signal.x) and math.isfinite(signal.y):
            place = (signal.x, signal.y, 0.0)
            entities.append(_signal(signal.id, "place", [], f"{name} here", place, stamp_ns, site_frame))
    return _update(entities, stamp_ns)


def _signal(
    number: int,
    what: str,
    lines: list[LinePrimitive],
    name: str,
    at: tuple[float, float, float],
    stamp_ns: int,
    frame_id: str,
) -> SceneEntity:
    return SceneEntity(
        timestamp=timestamp_of(stamp_ns),
        frame_id=frame_id,
        id=f"{what} {number}",
        lifetime=Duration(STROBE_LIFETIME_S, 0),
        lines=lines,
        texts=[_text(name, at, STROBE)],
    )


def _update(entities: list[SceneEntity], stamp_ns: int) -> bytes:
    before = SceneEntityDeletion(timestamp=timestamp_of(stamp_ns), type=SceneEntityDeletionType.All)
    return SceneUpdate(deletions=[before], entities=entities).encode()


def _circle(area: ProtectedArea) -> list[tuple[float, float]]:
    turns = [2.0 * math.pi * k / CIRCLE_CORNERS for k in range(CIRCLE_CORNERS)]
    return [(area.x + area.radius_m * math.cos(t), area.y + area.radius_m * math.sin(t)) for t in turns]


def _line(points: list[tuple[float, float, float]], colour: Colour, kind: LinePrimitiveLineType) -> LinePrimitive:
    return LinePrimitive(
        type=kind,
        pose=pose_of((0.0, 0.0, 0.0)),
        thickness=LINE_PX,
        scale_invariant=True,
        points=[Point3(x=x, y=y, z=z) for x, y, z in points],
        color=colour_of(colour),
    )


def _text(words: str, at: tuple[float, float, float], colour: Colour) -> TextPrimitive:
    return TextPrimitive(
        pose=pose_of(at), billboard=True, font_size=TEXT_PX, scale_invariant=True, color=colour_of(colour), text=words
    )
