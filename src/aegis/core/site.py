# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""From `map` to the Earth: WGS-84 places and local velocities of tracks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pymap3d

from aegis.core.types import Floats

# A coordinate or speed of a track beyond this [m, m/s] is none of this Earth.
FARTHEST = 1e7


@dataclass(frozen=True)
class Placed:
    """Tracks on Earth, arrays of N. Vectors are in east, north, up at the track's own place. NaN: without a sensible state."""

    latitude_deg: Floats
    longitude_deg: Floats
    altitude_m: Floats  # above the ellipsoid
    velocity: Floats  # (N, 3) [m/s]
    position_covariance: Floats  # (N, 3, 3) [m^2]
    velocity_covariance: Floats  # (N, 3, 3) [m^2/s^2]

    @property
    def ground_speed(self) -> Floats:
        """Speed over ground [m/s]."""
        return np.hypot(self.velocity[:, 0], self.velocity[:, 1])

    @property
    def course_deg(self) -> Floats:
        """Course over ground to 0.0001 degree, clockwise from true north, 0 <= c < 360; NaN for a track at rest."""
        degrees = np.round(np.degrees(np.arctan2(self.velocity[:, 0], self.velocity[:, 1])), 4) % 360.0
        return np.where(self.ground_speed > 0.0, degrees, np.nan)

    @property
    def horizontal_sigma(self) -> Floats:
        """One-sigma error over ground in its worst direction [m]: half the major axis of the error ellipse; NaN where unknown.

        The largest eigenvalue of a symmetric 2 x 2 matrix in closed form.
        """
        covariance = self.position_covariance
        a, b, c = covariance[:, 0, 0], covariance[:, 0, 1], covariance[:, 1, 1]
        with np.errstate(invalid="ignore"):
            return sigma_of((a + c) / 2.0 + np.hypot((a - c) / 2.0, b))

    @property
    def position_sigma(self) -> Floats:
        """One-sigma errors east, north, up, (N, 3) [m]; NaN where unknown."""
        return sigma_of(np.diagonal(self.position_covariance, axis1=1, axis2=2))

    @property
    def velocity_sigma(self) -> Floats:
        """The same of the velocity, (N, 3) [m/s]."""
        return sigma_of(np.diagonal(self.velocity_covariance, axis1=1, axis2=2))


@dataclass(frozen=True)
class Site:
    """Where the origin of `map` is."""

    latitude_deg: float
    longitude_deg: float
    altitude_m: float  # above the ellipsoid

    @classmethod
    def of(cls, numbers: tuple[float, ...]) -> Self | None:
        """Return the site that the parameter `site` names; None where it is empty."""
        return cls(*numbers) if numbers else None

    def place(self, state: Floats, covariance: Floats) -> Placed:
        """Place tracks on Earth.

        East, north and up are directions of a place: 100 km from the site they have turned by about a degree, and near a pole by
        any angle. Velocities and covariances are therefore turned from the site's axes into those of each track, through the axes
        of the Earth (ECEF).

        Args:
            state: (N, 6) x y z vx vy vz in `map` [m, m/s].
            covariance: (N, 6, 6) of it.
        """
        sensible = np.all(np.abs(state) < FARTHEST, axis=1, keepdims=True)
        state = np.where(sensible, state, np.nan)
        east, north, up = state[:, :3].T
        latitude, longitude, altitude = pymap3d.enu2geodetic(
            east, north, up, self.latitude_deg, self.longitude_deg, self.altitude_m
        )
        turn = np.swapaxes(self.turns(latitude, longitude), 1, 2)
        back = np.swapaxes(turn, 1, 2)
        with np.errstate(
            invalid="ignore", over="ignore"
        ):  # an infinite covariance stays one that is not finite: unknown
            return Placed(
                latitude_deg=latitude,
                longitude_deg=longitude,
                altitude_m=altitude,
                velocity=np.einsum("nij,nj->ni", turn, state[:, 3:]),
                position_covariance=turn @ covariance[:, :3, :3] @ back,
                velocity_covariance=turn @ covariance[:, 3:, 3:] @ back,
            )

    def positions(self, latitude_deg: Floats, longitude_deg: Floats, altitude_m: Floats) -> Floats:
        """Return (N, 3) in `map` of places on Earth [m], their altitudes above the ellipsoid."""
        site = (self.latitude_deg, self.longitude_deg, self.altitude_m)
        return np.stack(pymap3d.geodetic2enu(latitude_deg, longitude_deg, altitude_m, *site), axis=-1)

    def turns(self, latitude_deg: Floats, longitude_deg: Floats) -> Floats:
        """Return (N, 3, 3) that turn vectors in east, north, up of places on Earth into those of `map`."""
        site = _axes(np.array([self.latitude_deg]), np.array([self.longitude_deg]))
        return np.asarray(site @ np.swapaxes(_axes(latitude_deg, longitude_deg), 1, 2))


def _axes(latitude_deg: Floats, longitude_deg: Floats) -> Floats:
    """Return (N, 3, 3) whose rows are east, north and up in ECEF (Groves, Principles of GNSS, 2nd ed., eq. 2.150, as ENU)."""
    sin_lat, cos_lat = np.sin(np.radians(latitude_deg)), np.cos(np.radians(latitude_deg))
    sin_lon, cos_lon = np.sin(np.radians(longitude_deg)), np.cos(np.radians(longitude_deg))
    zero = np.zeros_like(sin_lat)
    return np.stack(
        [
            np.stack([-sin_lon, cos_lon, zero], axis=-1),
            np.stack([-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat], axis=-1),
            np.stack([cos_lat * cos_lon, cos_lat * sin_lon, sin_lat], axis=-1),
        ],
        axis=-2,
    )


def sigma_of(variance: Floats) -> Floats:
    """Return the standard deviation; NaN of what is no variance."""
    return np.sqrt(np.where(np.isfinite(variance) & (variance >= 0.0), variance, np.nan))
