# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tracks as other stacks take them: which of them, by which identity, and as which of their classes. No messages here."""

from __future__ import annotations

import uuid

import numpy as np
from pydantic import field_validator

from aegis.core.params import Settings, param
from aegis.core.types import ClassId, Floats, Ints, Tracks, TrackStatus

# The topic of each package's messages.
TOPIC_OF: dict[str, str] = {
    "radar_msgs": "objects/radar_tracks",
    "vision_msgs": "objects/detections",
    "autoware_perception_msgs": "objects/tracked",
}
_NAMES = uuid.UUID("0b7c3c1e-6a5b-5d0e-9c50-6d9b6c1f0a11")  # ours, for UUIDs made of names (RFC 9562, version 5)

# radar_msgs leaves numbers from 32000 on to us. Autoware reads 32000 + its own label there: a car is 32001, a pedestrian 32007. The
# classes that it does not know are above these, at 32100 + ours.
RADAR_NOTHING, RADAR_CAR, RADAR_PEDESTRIAN, RADAR_OURS = 0, 32001, 32007, 32100
# autoware_perception_msgs/ObjectClassification.
AUTOWARE_UNKNOWN, AUTOWARE_CAR, AUTOWARE_PEDESTRIAN, AUTOWARE_ANIMAL = 0, 1, 7, 8
AUTOWARE_LABEL = {
    ClassId.VEHICLE: AUTOWARE_CAR,
    ClassId.PERSON: AUTOWARE_PEDESTRIAN,
    ClassId.BIRD: AUTOWARE_ANIMAL,
}


class ObjectsSettings(Settings):
    """Parameters of the node `objects`."""

    packages: tuple[str, ...] = param(
        (), "Message packages in which the tracks are published: radar_msgs (RadarTracks on objects/radar_tracks), vision_msgs "
        "(Detection3DArray on objects/detections), autoware_perception_msgs (TrackedObjects on objects/tracked). Empty: this node "
        "does not run.",
    )  # fmt: skip
    show_tentative: bool = param(False, "Publish tracks that are not confirmed yet, too.")
    min_probability: float = param(
        0.05, "A class less probable than this is not listed; the most probable one always is.", ge=0.0, le=1.0
    )
    min_speed_mps: float = param(
        1.0, "From this speed over ground on, autoware_perception_msgs gets the direction of motion as the orientation.",
        unit="m/s", ge=0.0, le=1000.0,
    )  # fmt: skip

    @field_validator("packages")
    @classmethod
    def _known(cls, packages: tuple[str, ...]) -> tuple[str, ...]:
        for name in packages:
            if name not in TOPIC_OF:
                raise ValueError(f"'{name}' is none of {', '.join(TOPIC_OF)}")
        return packages

    @property
    def is_used(self) -> bool:
        """Tell whether anybody wants the tracks so."""
        return bool(self.packages)


def to_publish(tracks: Tracks, settings: ObjectsSettings) -> tuple[Ints, int]:
    """Return the indices (M,) of the tracks to publish, and how many were left out as their state is not finite."""
    finite = np.isfinite(tracks.state).all(axis=1) & np.isfinite(tracks.covariance).all(axis=(1, 2))
    wanted = (tracks.status != TrackStatus.TENTATIVE) | settings.show_tentative
    return np.flatnonzero(finite & wanted), int((wanted & ~finite).sum())


def identity(namespace: str, track_id: int) -> uuid.UUID:
    """Return the UUID of a track: the same in every message and after a restart, another in another graph's namespace."""
    return uuid.uuid5(_NAMES, f"{namespace.strip('/')}/{track_id}")


def radar_class(class_id: int) -> int:
    """Return the number of a class in radar_msgs/RadarTrack."""
    known = {ClassId.UNKNOWN: RADAR_NOTHING, ClassId.VEHICLE: RADAR_CAR, ClassId.PERSON: RADAR_PEDESTRIAN}
    return known.get(ClassId(class_id), RADAR_OURS + class_id)


def listed_classes(probability: Floats, least: float) -> list[int]:
    """Return the classes that are at least so probable, the most probable first; that one is always listed.

    Args:
        probability: (C,), by ClassId.
        least: of those that are listed.
    """
    order = np.argsort(-probability, kind="stable").tolist()
    return [order[0], *(c for c in order[1:] if probability[c] >= least and probability[c] > 0.0)]


def autoware_labels(probability: Floats) -> dict[int, float]:
    """Return Autoware's labels with their probabilities, which add up to that of ours; what it has no word for is UNKNOWN."""
    out: dict[int, float] = {}
    for class_id, value in enumerate(probability.tolist()):
        label = AUTOWARE_LABEL.get(ClassId(class_id), AUTOWARE_UNKNOWN)
        out[label] = out.get(label, 0.0) + value
    return {label: value for label, value in out.items() if value > 0.0} or {AUTOWARE_UNKNOWN: 0.0}
