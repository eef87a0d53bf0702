# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Rotations: unit quaternions (x y z w) and matrices that turn vectors of a frame into another."""

from __future__ import annotations

import numpy as np

from aegis.core.types import Floats

ALIGNED = 1.0 - 1e-12  # cosine between quaternions from which the arc between them is a straight line


def matrix_of(quaternion: Floats) -> Floats:
    """Return the (3, 3) matrix of a quaternion (4,) of length 1."""
    x, y, z, w = (float(c) for c in quaternion)
    return np.array([
        [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - z * w), 2.0 * (x * z + y * w)],
        [2.0 * (x * y + z * w), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - x * w)],
        [2.0 * (x * z - y * w), 2.0 * (y * z + x * w), 1.0 - 2.0 * (x * x + y * y)],
    ])  # fmt: skip


def quaternion_of(matrix: Floats) -> Floats:
    """Return the quaternion (4,) of length 1 of a rotation matrix (3, 3).

    Each row of the sum below is the quaternion times four times one of its own components: that of the largest one is taken
    (Shepperd, Quaternion from rotation matrix, J. Guidance and Control 1(3), 1978).
    """
    (a, b, c), (d, e, f), (g, h, i) = matrix
    rows = np.array([
        [1.0 + a - e - i, b + d, c + g, h - f],
        [b + d, 1.0 - a + e - i, f + h, c - g],
        [c + g, f + h, 1.0 - a - e + i, d - b],
        [h - f, c - g, d - b, 1.0 + a + e + i],
    ])  # fmt: skip
    row = rows[np.argmax(np.diagonal(rows))]
    out: Floats = row / np.linalg.norm(row)
    return out


def turned_by(vector: Floats) -> Floats:
    """Return the (3, 3) matrix of a turn about an axis (3,) by the axis' length [rad] (Rodrigues)."""
    angle = float(np.linalg.norm(vector))
    if angle == 0.0:
        return np.eye(3)
    x, y, z = (float(c) for c in vector / angle)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross)


def between(first: Floats, second: Floats, share: float) -> Floats:
    """Return the quaternion at a share, 0 to 1, of the shorter arc from one (4,) to another, by an even turn (slerp)."""
    cosine = float(first @ second)
    if cosine < 0.0:  # the same rotation, on the other side of the sphere
        second, cosine = -second, -cosine
    if cosine > ALIGNED:
        straight = first + share * (second - first)
        return np.asarray(straight / np.linalg.norm(straight))
    angle = np.arccos(cosine)
    return np.asarray((np.sin((1.0 - share) * angle) * first + np.sin(share * angle) * second) / np.sin(angle))
