# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""radar_msgs of ros-perception (RadarScan, RadarTracks) to the columns of a cloud. Reads fields only, so needs no such package.

What its definitions leave open, settings say: the sign of `doppler_velocity`, and whether elevation and Doppler are measured at
all (a 2D radar sends 0). Its frame is ours: radians, azimuth anticlockwise (REP-103), relative to the radar.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np

from aegis.core.objects import RADAR_OURS, RADAR_PEDESTRIAN
from aegis.core.params import Settings, param
from aegis.core.types import ClassId, Floats

# Of radar_msgs/RadarTrack.classification: as the objects node and Autoware write it, and how sure such a name is taken to be.
STATED_CLASS = 0.9
_CLASS_OF = {
    **{32_001 + label: ClassId.VEHICLE for label in range(6)},  # car, truck, bus, trailer, motorcycle, bicycle
    RADAR_PEDESTRIAN: ClassId.PERSON,
    **{RADAR_OURS + int(c): c for c in tuple(ClassId)[1:]},
}
_VARIANCES = ((0, 1, 2), (1, 3, 4), (2, 4, 5))  # where the upper triangle xx xy xz yy yz zz has each element


class XYZ(Protocol):
    """A Point or Vector3."""

    x: float
    y: float
    z: float


class RadarReturn(Protocol):
    """radar_msgs/RadarReturn."""

    range: float
    azimuth: float
    elevation: float
    doppler_velocity: float
    amplitude: float


class RadarScan(Protocol):
    """radar_msgs/RadarScan."""

    returns: Sequence[RadarReturn]


class RadarTrack(Protocol):
    """radar_msgs/RadarTrack; covariances as upper triangles."""

    position: XYZ
    velocity: XYZ
    position_covariance: Sequence[float]
    velocity_covariance: Sequence[float]
    classification: int


class RadarTracks(Protocol):
    """radar_msgs/RadarTracks."""

    tracks: Sequence[RadarTrack]


class RadarMsgsSettings(Settings):
    """Parameters of the node `radar_msgs`."""

    source: Literal["scan", "tracks"] = param(
        "scan", "Which topic is read. tracks: of a radar that gives nothing else; they are filtered by the radar itself, so that "
        "their errors go on from scan to scan and the tracker trusts them too much.",
    )  # fmt: skip
    has_elevation: bool = param(True, "False for a 2D radar, whose elevation (or z) is 0 and measured by nobody.")
    has_doppler: bool = param(True, "False where doppler_velocity (or a track's velocity) is not measured.")
    doppler_sign: Literal[1, -1] = param(
        1, "Sign of doppler_velocity: -1 where it is positive closing; the message's definition does not say."
    )


def scan_columns(message: RadarScan, settings: RadarMsgsSettings) -> dict[str, Floats]:
    """Return the columns of a radar_msgs/RadarScan, each (returns,): `power` is its amplitude [dB], of no stated reference."""
    rows = [(r.range, r.azimuth, r.elevation, r.doppler_velocity, r.amplitude) for r in message.returns]
    distance, azimuth, elevation, doppler, amplitude = np.array(rows, dtype=np.float64).reshape(-1, 5).T
    out = {"range": distance, "azimuth": azimuth}
    if settings.has_elevation:
        out["elevation"] = elevation
    if settings.has_doppler:
        out["range_rate"] = settings.doppler_sign * doppler
    return out | {"power": amplitude}


def track_columns(message: RadarTracks, settings: RadarMsgsSettings) -> dict[str, Floats]:
    """Return the columns of a radar_msgs/RadarTracks, each (tracks,): its positions as if they were measured.

    The range rate is the velocity along the line of sight: as a Doppler radar on the same platform would measure it where the
    radar's velocities are relative to it, as the definition has it. Errors follow from the covariances to first order; all zeros
    is none stated. A classification that is one of our classes is stated, with STATED_CLASS. Identity, acceleration and size stay
    behind: a cloud has no place for them.
    """
    tracks = message.tracks
    position = _vectors([t.position for t in tracks])
    velocity = _vectors([t.velocity for t in tracks])
    position_cov = _covariances([t.position_covariance for t in tracks])
    velocity_cov = _covariances([t.velocity_covariance for t in tracks])
    if not settings.has_elevation:
        position[:, 2] = velocity[:, 2] = 0.0
    x, y, z = position.T
    ground = np.hypot(x, y)
    distance = np.hypot(ground, z)
    with np.errstate(divide="ignore", invalid="ignore"):  # a track at the radar itself has no direction: NaN
        sight = position / distance[:, None]
        across = np.stack([-y, x, np.zeros_like(x)], axis=1) / (ground**2)[:, None]
        upwards = np.stack([-x * z / ground, -y * z / ground, ground], axis=1) / (distance**2)[:, None]
    out = {"range": distance, "azimuth": np.arctan2(y, x)}
    sigmas = {"range_sigma": _sigma(sight, position_cov), "azimuth_sigma": _sigma(across, position_cov)}
    if settings.has_elevation:
        out["elevation"] = np.arctan2(z, ground)
        sigmas["elevation_sigma"] = _sigma(upwards, position_cov)
    if settings.has_doppler:
        out["range_rate"] = (sight * velocity).sum(axis=1)
        sigmas["range_rate_sigma"] = _sigma(sight, velocity_cov)
    return out | sigmas | _classes([int(t.classification) for t in tracks])


def _classes(labels: list[int]) -> dict[str, Floats]:
    """Return the columns of class probabilities of tracks with these labels; none where no label is a class."""
    found = [_CLASS_OF.get(label) for label in labels]
    if not any(found):
        return {}
    out = {f"class_{c.name.lower()}": np.zeros(len(labels)) for c in tuple(ClassId)[1:]}
    for i, class_id in enumerate(found):
        if class_id is not None:
            out[f"class_{class_id.name.lower()}"][i] = STATED_CLASS
    return out


def _vectors(points: list[XYZ]) -> Floats:
    """Return (n, 3) of Points or Vector3s."""
    return np.array([(p.x, p.y, p.z) for p in points], dtype=np.float64).reshape(-1, 3)


def _covariances(triangles: list[Sequence[float]]) -> Floats:
    """Return (n, 3, 3) of upper triangles."""
    flat = np.array([np.asarray(t, dtype=np.float64) for t in triangles], dtype=np.float64).reshape(-1, 6)
    return flat[:, _VARIANCES]


def _sigma(gradient: Floats, covariance: Floats) -> Floats:
    """Return (n,) standard deviations of a quantity with this gradient (n, 3); NaN where the variance is not positive."""
    variance = np.einsum("ni,nij,nj->n", gradient, covariance, gradient)
    return np.sqrt(np.where(variance > 0.0, variance, np.nan))
