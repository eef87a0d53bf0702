# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Our classes in the taxonomy of BSI Flex 335, and that in ours.

Its classes and subclasses are those that Dstl's test harness checks (CommonValidator.cs).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from sapient_msg.bsi_flex_335_v2_0.detection_report_pb2 import DetectionReport

from aegis.core.types import N_CLASSES, ClassId, Floats

UNKNOWN = "Unknown"
LEAST = 0.005  # a class less likely is not reported
# Our class as (class, subclass, subclass of that). Clutter is no object of theirs: we do not know what it is.
OURS: dict[ClassId, tuple[str, ...]] = {
    ClassId.UNKNOWN: (UNKNOWN,),
    ClassId.DRONE: ("Air Vehicle", "UAV Rotary Wing"),
    ClassId.BIRD: ("Animal", "Bird"),
    ClassId.AIRCRAFT: ("Air Vehicle", "Manned Fixed Wing"),
    ClassId.HELICOPTER: ("Air Vehicle", "Manned Rotary Wing"),
    ClassId.MISSILE: ("Equipment", "Weapon", "Missile"),
    ClassId.VEHICLE: ("Land Vehicle",),
    ClassId.PERSON: ("Human",),
    ClassId.VESSEL: ("Sea Vessel",),
    ClassId.CLUTTER: (UNKNOWN,),
}
# Their classes in ours; of several, it may be any. What is not here is none of ours.
THEIRS: dict[tuple[str, ...], tuple[ClassId, ...]] = {
    ("human",): (ClassId.PERSON,),
    ("animal", "bird"): (ClassId.BIRD,),
    ("land vehicle",): (ClassId.VEHICLE,),
    ("sea vessel",): (ClassId.VESSEL,),
    ("air vehicle",): (ClassId.DRONE, ClassId.AIRCRAFT, ClassId.HELICOPTER),
    ("air vehicle", "manned rotary wing"): (ClassId.HELICOPTER,),
    ("air vehicle", "manned fixed wing"): (ClassId.AIRCRAFT,),
    ("air vehicle", "uav rotary wing"): (ClassId.DRONE,),
    ("air vehicle", "uav fixed wing"): (ClassId.DRONE,),
    ("equipment", "weapon", "missile"): (ClassId.MISSILE,),
}

Classification = DetectionReport.DetectionReportClassification


def classification_of(class_id: int, probability: Floats) -> list[Classification]:
    """Return what a track is taken for: every class with its probability; of a track of which nothing is known, Unknown alone."""
    if class_id == ClassId.UNKNOWN:
        return [Classification(type=UNKNOWN)]
    found: dict[str, Classification] = {}
    for one, p in zip(ClassId, probability.tolist(), strict=True):
        if not p >= LEAST:
            continue
        path = OURS[one]
        entry = found.setdefault(path[0], Classification(type=path[0], confidence=0.0))
        entry.confidence = min(entry.confidence + p, 1.0)
        if len(path) > 1:
            part = entry.sub_class.add(type=path[1], confidence=p, level=1)
            if len(path) > 2:
                part.sub_class.add(type=path[2], confidence=p, level=2)
    return sorted(found.values(), key=lambda entry: -entry.confidence) or [Classification(type=UNKNOWN)]


def probability_of(given: Iterable[Classification]) -> Floats:
    """Return (N_CLASSES,) the probabilities of a report's classes; what is left over, and what is none of ours, is UNKNOWN."""
    given = list(given)
    out = np.zeros(N_CLASSES)
    for entry in given:
        p = _confidence(entry, 1.0 / len(given))
        parts = [(sub, _confidence(sub, p / len(entry.sub_class))) for sub in entry.sub_class]
        within = sum(q for _, q in parts)
        scale = min(p / within, 1.0) if within > 0.0 else 0.0
        for sub, q in parts:
            deeper = [sub.sub_class[0].type] if len(sub.sub_class) == 1 else []
            _spread(out, (entry.type, sub.type, *deeper), q * scale)
        _spread(out, (entry.type,), max(p - within * scale, 0.0))
    total = float(out.sum())
    if total > 1.0:
        return out / total
    out[ClassId.UNKNOWN] += 1.0 - total
    return out


def _confidence(entry: Classification | DetectionReport.SubClass, unstated: float) -> float:
    p = entry.confidence if entry.HasField("confidence") else unstated
    return min(max(p, 0.0), 1.0) if p == p else 0.0  # NaN is nothing


def _spread(out: Floats, path: tuple[str, ...], p: float) -> None:
    """Give a class's probability to those of ours that it may be, by the most special name that is known."""
    names = tuple(name.strip().lower() for name in path)
    for length in range(len(names), 0, -1):
        if names[:length] in THEIRS:
            kinds = THEIRS[names[:length]]
            out[list(map(int, kinds))] += p / len(kinds)
            return
    out[ClassId.UNKNOWN] += p
