# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where strobes of several sites cross: the place of a jammer that no single site knows the range of."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from aegis.core.types import Floats

STEPS = 20
FARTHEST_M = 1e6
LEAST_SIGMA = 1e-4  # [rad] of a bearing: no site's heading is known better
LEAST_CROSSING = math.radians(1.0)  # lines of sight that are nearer to one another do not cross anywhere
LEAST_PROBABILITY = 1e-3  # strobes that fit one place so badly are of several jammers


@dataclass(frozen=True)
class Fix:
    """A place, its covariance, and how well the strobes agree."""

    position: Floats  # (2,) [m]
    covariance: Floats  # (2, 2) [m^2]
    chi_square: float  # of the bearings' errors
    freedom: int  # sites less two


def cross_fix(sites: Floats, bearings: Floats, sigmas: Floats) -> Fix | None:
    """Return the most likely place of one jammer; None where the strobes do not cross in front of all sites, or not in one place.

    Gauss-Newton on the bearings, from the least squares of the distances from the lines (Stansfield, J. IEE 94:762, 1947). The
    covariance is the inverse of the Fisher information.

    Args:
        sites: (S, 2) [m].
        bearings: (S,) from x towards y [rad].
        sigmas: (S,) standard deviations [rad].
    """
    sigma = np.maximum(sigmas, LEAST_SIGMA)
    apart = np.sin(bearings[:, None] - bearings[None, :])
    if len(sites) < 2 or not np.isfinite([*bearings, *sigma, *sites.ravel()]).all():
        return None
    if float(np.abs(apart).max()) < math.sin(LEAST_CROSSING):
        return None
    normal = np.stack([-np.sin(bearings), np.cos(bearings)], axis=1)
    place = np.linalg.lstsq(normal / sigma[:, None], (normal * sites).sum(axis=1) / sigma, rcond=None)[0]
    for _ in range(STEPS):
        error, jacobian = _linearised(sites, bearings, sigma, place)
        step = np.linalg.lstsq(jacobian, error, rcond=None)[0]
        place = place + step
        if not np.isfinite(place).all() or np.abs(place).max() > FARTHEST_M:
            return None
        if float(np.hypot(*step)) < 1e-3:
            break
    error, jacobian = _linearised(sites, bearings, sigma, place)
    ahead = ((place - sites) * np.stack([np.cos(bearings), np.sin(bearings)], axis=1)).sum(axis=1)
    chi_square, freedom = float((error**2).sum()), len(sites) - 2
    if not (ahead > 0.0).all() or (freedom and chdtrc(freedom, chi_square) < LEAST_PROBABILITY):
        return None
    return Fix(place, np.asarray(np.linalg.inv(jacobian.T @ jacobian), dtype=np.float64), chi_square, freedom)


def _linearised(sites: Floats, bearings: Floats, sigma: Floats, place: Floats) -> tuple[Floats, Floats]:
    """Return the errors of the bearings (S,) and their change with the place (S, 2), both in standard deviations."""
    away = place - sites
    square = np.maximum((away**2).sum(axis=1), 1e-6)
    error = (bearings - np.arctan2(away[:, 1], away[:, 0]) + np.pi) % (2 * np.pi) - np.pi
    jacobian = np.stack([-away[:, 1], away[:, 0]], axis=1) / square[:, None]
    return error / sigma, jacobian / sigma[:, None]
