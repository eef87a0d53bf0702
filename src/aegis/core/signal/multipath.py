# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Ghosts: what a sensor sees again in a flat, smooth reflector (the ground, a wall)."""

from __future__ import annotations

import numpy as np

from aegis.core.types import Floats


def height_above(points: Floats, plane_point: Floats, normal: Floats) -> Floats:
    """Return the distances of points (..., 3) from a plane, positive on the side that its unit normal (3,) points to [m]."""
    return np.asarray((points - plane_point) @ normal)


def mirrored(points: Floats, plane_point: Floats, normal: Floats) -> Floats:
    """Return the mirror images of points (..., 3) in a plane. Give the origin as `plane_point` to mirror velocities."""
    return np.asarray(points - 2.0 * height_above(points, plane_point, normal)[..., None] * normal)
