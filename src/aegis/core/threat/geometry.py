# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Closest point of approach, impact and the probability of it, in closed form, batched. Positions are relative to the asset."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from aegis.core.types import Floats

AT_REST_MPS = 1e-9
NO_DISTANCE_M = 1e-9
# A course passes through the asset where it misses it by less than this share of the error across the course.
THROUGH_SHARE = 1e-3
_LEAST_SIGMA_M = 1e-6  # nothing is divided by less
_FAR_SIGMAS = 8.0  # beyond, a Gaussian has nothing
_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(32)


def closest_approach(position: Floats, velocity: Floats) -> tuple[Floats, Floats]:
    """Return the time to the closest point of approach [s], 0 when it is past, and the distance there [m], each (N,).

    Args:
        position, velocity: (N, 3) of straight motion, relative to the asset.
    """
    speed2 = np.einsum("ni,ni->n", velocity, velocity)
    closing = -np.einsum("ni,ni->n", position, velocity)
    time = np.where(speed2 > AT_REST_MPS**2, np.maximum(closing, 0.0) / np.maximum(speed2, AT_REST_MPS**2), 0.0)
    return time, np.linalg.norm(position + velocity * time[:, None], axis=1)


def position_covariance(covariance: Floats, time: Floats, noise: tuple[float, float] = (0.0, 0.0)) -> Floats:
    """Return (N, 3, 3) of the position after `time` (N,) [s] of nearly constant velocity.

    Args:
        covariance: (N, 6, 6) of position and velocity now.
        time: (N,) [s].
        noise: spectral density of the white acceleration, horizontal and vertical [m^2/s^3]; it adds q t^3 / 3 (Bar-Shalom, Li
            and Kirubarajan, Estimation with Applications to Tracking and Navigation, eq. 6.2.2-12).
    """
    t = time[:, None, None]
    cross = covariance[:, :3, 3:]
    there = covariance[:, :3, :3] + t * (cross + cross.swapaxes(1, 2)) + t**2 * covariance[:, 3:, 3:]
    return np.asarray(there + t**3 / 3.0 * np.diag([noise[0], noise[0], noise[1]]))


def cpa_distance_sigma(
    position: Floats, velocity: Floats, covariance: Floats, time: Floats, noise: tuple[float, float] = (0.0, 0.0)
) -> Floats:
    """Return the standard deviation (N,) [m] of the distance at the closest point of approach.

    First order: at the minimum over time, the distance does not change with the time, so that only the position at that time
    counts. On a course through the asset the direction is undefined, and the largest principal axis across the course is taken.

    Args:
        covariance: (N, 6, 6) of position and velocity; time: (N,) of the closest approach; noise: see `position_covariance`.
    """
    there = position_covariance(covariance, time, noise)
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


def entry_probability(
    position: Floats, velocity: Floats, covariance: Floats, radius: float, noise: tuple[float, float] = (0.0, 0.0)
) -> Floats:
    """Return (N,) the probability that a track enters the sphere of `radius` [m] about the asset; 1 inside it, 0 receding.

    The integral of the position's Gaussian at the closest approach over the disc in the plane across the course, as is done for
    satellites (Foster and Estes, A parametric analysis of orbital debris collision probability, NASA JSC-25898, 1992); times the
    probability that it comes closer at all. It holds where the course is known: the speed is several of its standard deviations.

    Args:
        position, velocity: (N, 3) relative to the asset.
        covariance: (N, 6, 6) of both.
        radius: of the sphere [m].
        noise: see `position_covariance`.
    """
    if not len(position):
        return np.empty(0)
    time, _ = closest_approach(position, velocity)
    there = position_covariance(covariance, time, noise)
    first, second = _across(velocity)
    miss = position + velocity * time[:, None]
    plane = np.stack([first, second], axis=1)  # (N, 2, 3)
    spread = plane @ there @ plane.swapaxes(1, 2)
    axes, sigma = _principal(spread)
    centre = np.einsum("nij,nj->ni", axes, np.einsum("nij,nj->ni", plane, miss))
    enters = _over_disc(centre, sigma, radius)
    distance = np.maximum(np.linalg.norm(position, axis=1), NO_DISTANCE_M)
    line = -position / distance[:, None]
    closing = np.einsum("ni,ni->n", line, velocity)
    closing_sigma = np.sqrt(np.maximum(np.einsum("ni,nij,nj->n", line, covariance[:, 3:, 3:], line), AT_REST_MPS**2))
    out = np.where(closing > 0.0, enters * ndtr(closing / closing_sigma), 0.0)
    return np.where(distance <= radius, 1.0, out)


def _across(velocity: Floats) -> tuple[Floats, Floats]:
    """Return two unit vectors (N, 3) across the course and each other; the first one is horizontal."""
    flat = np.hypot(velocity[:, 0], velocity[:, 1])
    level = flat > AT_REST_MPS
    safe = np.where(level, flat, 1.0)
    first = np.stack(
        [
            np.where(level, -velocity[:, 1] / safe, 1.0),
            np.where(level, velocity[:, 0] / safe, 0.0),
            np.zeros(len(flat)),
        ],
        axis=1,
    )
    speed = np.linalg.norm(velocity, axis=1)
    course = np.where(
        (speed > AT_REST_MPS)[:, None], velocity / np.maximum(speed, AT_REST_MPS)[:, None], np.array([0.0, 1.0, 0.0])
    )
    return first, np.cross(course, first)


def _principal(spread: Floats) -> tuple[Floats, Floats]:
    """Return the axes (N, 2, 2), as rows, and standard deviations (N, 2), the larger first, of covariances (N, 2, 2)."""
    a, b, c = spread[:, 0, 0], spread[:, 0, 1], spread[:, 1, 1]
    mean, half = (a + c) / 2.0, np.hypot((a - c) / 2.0, b)
    angle = np.arctan2(2.0 * b, a - c) / 2.0
    cosine, sine = np.cos(angle), np.sin(angle)
    axes = np.stack([np.stack([cosine, sine], axis=1), np.stack([-sine, cosine], axis=1)], axis=1)
    variance = np.stack([mean + half, mean - half], axis=1)
    return axes, np.sqrt(np.maximum(variance, _LEAST_SIGMA_M**2))


def _over_disc(centre: Floats, sigma: Floats, radius: float) -> Floats:
    """Return (N,) integrals of Gaussians over the disc about the origin; `centre`, `sigma`: (N, 2) along their axes."""
    # In the sine of the angle on the disc's edge: its half chord has no infinite slope there, which would cost accuracy.
    low = np.clip((centre[:, 0] - _FAR_SIGMAS * sigma[:, 0]) / radius, -1.0, 1.0)
    high = np.clip((centre[:, 0] + _FAR_SIGMAS * sigma[:, 0]) / radius, -1.0, 1.0)
    low, high = np.arcsin(low), np.arcsin(high)
    half = (high - low)[:, None] / 2.0
    angle = (high + low)[:, None] / 2.0 + half * _NODES
    x, chord = radius * np.sin(angle), radius * np.cos(angle)
    z = (x - centre[:, :1]) / sigma[:, :1]
    density = np.exp(-0.5 * z * z) / (np.sqrt(2.0 * np.pi) * sigma[:, :1])
    strip = ndtr((chord - centre[:, 1:]) / sigma[:, 1:]) - ndtr((-chord - centre[:, 1:]) / sigma[:, 1:])
    return np.asarray(np.clip((density * strip * chord * half) @ _NODE_WEIGHTS, 0.0, 1.0))
