"""From the graph's arrays to objects for JSON: degrees and named units, unknown is NaN and becomes null.

`*_rows` are what the REST endpoints show; `*_brief` leave out what a live picture does not need, because every WebSocket
client gets every frame. Numbers are rounded to what they can mean (centimetres, 0.0001 degree), for the whole column at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from aegis.bridge.live.acknowledgements import Acknowledgement
from aegis.bridge.live.encoded import Rows
from aegis.core.finite import finite_or_none
from aegis.core.types import Advice, ClassId, Detections, Floats, Signal, ThreatLevel, Threats, Tracks, TrackStatus

_UNKNOWN = "UNKNOWN"


def _names(kinds: type[ClassId] | type[TrackStatus] | type[ThreatLevel]) -> list[str]:
    """Return the name of every uint8; of those that mean nothing, UNKNOWN."""
    names = [_UNKNOWN] * 256
    for kind in kinds:
        names[kind] = kind.name
    return names


CLASS_NAMES = _names(ClassId)
STATUS_NAMES = _names(TrackStatus)
LEVEL_NAMES = _names(ThreatLevel)
_CLASSES = [kind.name for kind in ClassId]


def _rounded(values: Floats, digits: int) -> Any:
    return (np.round(values, digits) + 0.0).tolist()


def rounded(values: Floats, digits: int) -> list[float]:
    """Return a list of the rounded values, (N,); zero has no sign."""
    out: list[float] = _rounded(values, digits)
    return out


def _degrees(radians: Floats) -> list[float]:
    return rounded(np.degrees(radians), 4)


def _compass(east: Floats, north: Floats) -> list[float]:
    """Return directions in degrees clockwise from north, 0 <= d < 360; NaN where there is none."""
    degrees = np.round(np.degrees(np.arctan2(east, north)), 4) % 360.0
    return rounded(np.where(np.hypot(east, north) > 0.0, degrees, np.nan), 4)


def _vectors(rows: Floats, digits: int) -> list[dict[str, float]]:
    return [{"x": x, "y": y, "z": z} for x, y, z in _rounded(rows, digits)]


def _probabilities(rows: Floats) -> list[dict[str, float]]:
    return [dict(zip(_CLASSES, row, strict=True)) for row in _rounded(rows, 4)]


def _class_confidence(class_id: Any, probability: Floats) -> list[float]:
    """Return the probability of each object's class; NaN where the class has no column."""
    known = class_id < probability.shape[1]
    column = np.where(known, class_id, 0)[:, None]
    return rounded(np.where(known, np.take_along_axis(probability, column, axis=1)[:, 0], np.nan), 4)


def _join(columns: dict[str, Sequence[Any]]) -> Rows:
    """Return one object per row."""
    names = tuple(columns)
    return Rows([dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)])


def _detection_columns(d: Detections) -> dict[str, Sequence[Any]]:
    return {
        "id": d.id.tolist(),
        "class": [CLASS_NAMES[i] for i in d.class_id.tolist()],
        "confidence": rounded(d.confidence, 4),
        "range_m": rounded(d.range, 2),
        "azimuth_deg": _degrees(d.azimuth),
        "elevation_deg": _degrees(d.elevation),
        "range_rate_mps": rounded(d.range_rate, 3),
        "snr_db": rounded(d.snr_db, 2),
        "rcs_dbsm": rounded(d.rcs_dbsm, 2),
    }


def detection_rows(d: Detections) -> Rows:
    """Return a scan's detections, all fields."""
    columns = _detection_columns(d)
    columns["noise_db"] = rounded(d.noise_db, 2)
    columns["points"] = d.points.tolist()
    columns["class_probability"] = _probabilities(d.class_probability)
    return _join(columns)


def detection_brief(d: Detections) -> Rows:
    """Return a scan's detections, for the live stream."""
    return _join(_detection_columns(d))


def motion_columns(state: Floats) -> dict[str, Sequence[Any]]:
    """Return where objects are, seen from the origin of `map`, and where they go, from (N, 6): x y z vx vy vz."""
    position, velocity = state[:, :3], state[:, 3:]
    distance = np.linalg.norm(position, axis=1)
    ground = np.hypot(position[:, 0], position[:, 1])
    return {
        "range_m": rounded(distance, 2),
        "bearing_deg": _compass(position[:, 0], position[:, 1]),
        "elevation_deg": _degrees(np.arctan2(position[:, 2], ground)),
        "velocity_mps": rounded(np.linalg.norm(velocity, axis=1), 3),
        "heading_deg": _compass(velocity[:, 0], velocity[:, 1]),
        "position_m": _vectors(position, 2),
        "velocity_vector_mps": _vectors(velocity, 3),
    }


def _track_columns(t: Tracks) -> dict[str, Sequence[Any]]:
    return {
        "track_id": t.track_id.tolist(),
        "status": [STATUS_NAMES[i] for i in t.status.tolist()],
        "class": [CLASS_NAMES[i] for i in t.class_id.tolist()],
        "confidence": _class_confidence(t.class_id, t.class_probability),
        **motion_columns(t.state),
        "time_since_update_s": rounded(t.time_since_update, 3),
    }


def track_rows(t: Tracks) -> Rows:
    """Return the picture's tracks, all fields."""
    columns = _track_columns(t)
    position, velocity = t.state[:, :3], t.state[:, 3:]
    distance = np.linalg.norm(position, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        columns["range_rate_mps"] = rounded(np.einsum("ij,ij->i", position, velocity) / distance, 3)
        sigma = np.sqrt(np.diagonal(t.covariance, axis1=1, axis2=2)[:, :3])
    columns["position_sigma_m"] = _vectors(sigma, 3)
    columns["rcs_dbsm"] = rounded(t.rcs_dbsm, 2)
    columns["existence_probability"] = rounded(t.existence_probability, 4)
    columns["class_probability"] = _probabilities(t.class_probability)
    columns["age_s"] = rounded(t.age, 3)
    columns["hits"] = t.hits.tolist()
    return _join(columns)


def track_brief(t: Tracks) -> Rows:
    """Return the picture's tracks, for the live stream."""
    return _join(_track_columns(t))


def threat_rows(t: Threats, acknowledged: Mapping[int, Acknowledgement] = MappingProxyType({})) -> Rows:
    """Return the assessed tracks, most threatening first, and who has acknowledged them at their level or above."""
    known = [acknowledged.get(track_id) for track_id in t.track_id.tolist()]
    holds = [
        a if a is not None and a.level >= level else None for a, level in zip(known, t.level.tolist(), strict=True)
    ]
    return _join(
        {
            "track_id": t.track_id.tolist(),
            "level": [LEVEL_NAMES[i] for i in t.level.tolist()],
            "class": [CLASS_NAMES[i] for i in t.class_id.tolist()],
            "score": rounded(t.score, 4),
            "time_to_cpa_s": rounded(t.time_to_cpa, 2),
            "cpa_distance_m": rounded(t.cpa_distance, 2),
            "cpa_distance_sigma_m": rounded(t.cpa_distance_sigma, 2),
            "time_to_impact_s": rounded(t.time_to_impact, 2),
            "reason": list(t.reason),
            "acknowledged_by": [a.who if a else None for a in holds],
            "acknowledged_s": [round(a.at_s, 3) if a else None for a in holds],
        }
    )


def signal_rows(signals: Sequence[Signal]) -> Rows:
    """Return the active signals; bearings are anticlockwise from the sensor's forward axis, as the azimuths of targets."""
    return Rows(
        [
            {
                "id": s.id,
                "kind": s.kind.name,
                "azimuth_deg": finite_or_none(math.degrees(s.bearing), 3),
                "azimuth_sigma_deg": finite_or_none(math.degrees(s.bearing_sigma), 3),
                "power_db": finite_or_none(s.power_db, 2),
                "frequency_hz": finite_or_none(s.frequency, 0),
                "confidence": finite_or_none(s.confidence, 6),
                "evidence": s.evidence,
            }
            for s in signals
        ]
    )


def advice_rows(advice: Sequence[Advice]) -> Rows:
    """Return the advice that is not forgotten, open and decided."""
    return Rows(
        [
            {
                "id": a.id,
                "track_id": a.track_id or None,
                "signal_id": a.signal_id or None,
                "technique": a.technique,
                "priority": a.priority,
                "rationale": a.rationale,
                "expected_benefit_db": finite_or_none(a.expected_benefit_db, 2),
                "valid_until_s": round(a.valid_until_ns / 1e9, 3),
                "state": a.state.name,
                "decided_by": a.decided_by or None,
            }
            for a in advice
        ]
    )
