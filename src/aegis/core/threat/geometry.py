"""Closest point of approach and impact, in closed form, batched. Positions are relative to the asset."""

from __future__ import annotations

import numpy as np

from aegis.core.types import Floats

AT_REST_MPS = 1e-9
NO_DISTANCE_M = 1e-9
# A course passes through the asset where it misses it by less than this share of the error across the course.
THROUGH_SHARE = 1e-3


def closest_approach(position: Floats, velocity: Floats) -> tuple[Floats, Floats]:
    """Return the time to the closest point of approach [s], 0 when it is past, and the distance there [m], each (N,).

    Args:
        position, velocity: (N, 3) of straight motion, relative to the asset.
    """
    speed2 = np.einsum("ni,ni->n", velocity, velocity)
    closing = -np.einsum("ni,ni->n", position, velocity)
    time = np.where(speed2 > AT_REST_MPS**2, np.maximum(closing, 0.0) / np.maximum(speed2, AT_REST_MPS**2), 0.0)
    return time, np.linalg.norm(position + velocity * time[:, None], axis=1)


def cpa_distance_sigma(position: Floats, velocity: Floats, covariance: Floats, time: Floats) -> Floats:
    """Return the standard deviation (N,) [m] of the distance at the closest point of approach.

    First order: at the minimum over time, the distance does not change with the time, so that only the position at that time
    counts. On a course through the asset the direction is undefined, and the largest principal axis across the course is taken.

    Args:
        covariance: (N, 6, 6) of position and velocity; time: (N,) of the closest approach.
    """
    t = time[:, None, None]
    cross = covariance[:, :3, 3:]
    there = covariance[:, :3, :3] + t * (cross + cross.swapaxes(1, 2)) + t**2 * covariance[:, 3:, 3:]
    miss = position + velocity * time[:, None]
    distance = np.linalg.norm(miss, axis=1)
    direction = miss / np.maximum(distance, NO_DISTANCE_M)[:, None]
    variance = np.einsum("ni,nij,nj->n", direction, there, direction)
    speed = np.linalg.norm(velocity, axis=1)
    course = velocity / np.maximum(speed, AT_REST_MPS)[:, None]
    across = np.eye(3) - course[:, :, None] * course[:, None, :]
    widest = np.linalg.eigvalsh(across @ there @ across)[:, -1] if len(position) else np.empty(0)
    through = distance < np.sqrt(np.maximum(widest, 0.0)) * THROUGH_SHARE
    return np.sqrt(np.maximum(np.where(through, widest, variance), 0.0))


def time_to_impact(position: Floats, velocity: Floats, radius: float) -> Floats:
    """Return (N,) seconds until straight motion enters the sphere of `radius` [m] about the asset; NaN on a course that misses.

    0 inside it. The smaller root of |position + velocity t| = radius.
    """
    a = np.einsum("ni,ni->n", velocity, velocity)
    b = np.einsum("ni,ni->n", position, velocity)
    c = np.einsum("ni,ni->n", position, position) - radius**2
    discriminant = b * b - a * c
    hits = (discriminant >= 0.0) & (b < 0.0) & (a > AT_REST_MPS**2)
    # c / (-b + sqrt(disc)) is the smaller root without the cancellation of (-b - sqrt(disc)) / a.
    root = c / np.where(hits, -b + np.sqrt(np.maximum(discriminant, 0.0)), 1.0)
    # By the distance itself: on the sphere, the difference of squares can come out either way.
    inside = np.linalg.norm(position, axis=1) <= radius
    return np.where(inside, 0.0, np.where(hits, root, np.nan))
