# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Class probabilities of many objects by the physical model's table."""

import cython
from cython.cimports.libc.math import exp, isnan, sqrt

# Standard deviation of 10 log10 of an exponential variable (Swerling 1): 10/ln(10) * pi/sqrt(6) dB; its mean lies
# 10/ln(10) * Euler's constant = 2.51 dB below the decibels of the mean.
SWERLING1_SIGMA_DB = cython.declare(cython.double, 5.57)
SWERLING1_BIAS_DB = cython.declare(cython.double, -2.51)

SHARPEST = cython.declare(cython.double, 1e-3)  # no speed [m/s] and no height [m] is known better
# Of one feature: one wild measurement must not exclude a class for ever. The product of a few is far from underflow.
LEAST_FIT = cython.declare(cython.double, 1e-9)
FARTHEST = cython.declare(cython.double, 7.0)  # standard deviations, at which the fit is less


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def fit(value: cython.double, sigma: cython.double, low: cython.double, high: cython.double) -> cython.double:
    """Return how well the best value from low to high explains a measured one: 1 within, exp(-z^2 / 2) at z sigmas outside.

    The likelihood of the best value over that of a perfect one (a generalised likelihood ratio). How wide the range is has no
    influence: that a class can do more than others is no evidence against it.
    """
    outside = max(low - value, value - high)
    if outside <= 0.0 or isnan(outside):
        return 1.0
    sigma = max(sigma, SHARPEST)
    if outside >= FARTHEST * sigma:
        return LEAST_FIT
    z = outside / sigma
    return max(exp(-0.5 * z * z), LEAST_FIT)


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def posterior(
    prior: cython.double[::1], rcs_mean: cython.double[::1], rcs_sigma: cython.double[::1],
    speed_range: cython.double[:, ::1], height_range: cython.double[:, ::1],
    rcs: cython.double[::1], looks: cython.double[::1],
    radial_speed: cython.double[::1], radial_speed_sigma: cython.double[::1],
    speed: cython.double[::1], speed_sigma: cython.double[::1], height: cython.double[::1], height_sigma: cython.double[::1],
    out: cython.double[:, ::1],
) -> cython.void:  # fmt: skip
    """Write (n, C) probabilities; a feature that is NaN says nothing.

    Args:
        prior to rcs_sigma: (C,) of the classes; speed_range, height_range: (C, 2) lowest and highest.
        rcs to height_sigma: (n,) as in `PhysicalModel.posterior`.
        out: holds zeros.
    """
    classes = prior.shape[0]
    total: cython.double
    value: cython.double
    sigma: cython.double
    fluctuation: cython.double
    for i in range(rcs.shape[0]):
        stated, radial, whole, high = (
            not isnan(rcs[i]),
            not isnan(radial_speed[i]),
            not isnan(speed[i]),
            not isnan(height[i]),
        )
        fluctuation = SWERLING1_SIGMA_DB / sqrt(max(looks[i], 1.0)) if stated else 0.0
        total = 0.0
        for c in range(classes):
            value = prior[c]
            if value <= 0.0:
                continue
            # Spreads add as variances. No density: a class of wide spread is not less likely for it.
            if stated:
                sigma = sqrt(rcs_sigma[c] * rcs_sigma[c] + fluctuation * fluctuation)
                mean = rcs_mean[c] + SWERLING1_BIAS_DB
                value *= fit(rcs[i], sigma, mean, mean)
            if radial:  # any speed at or above it can be behind it
                value *= fit(radial_speed[i], radial_speed_sigma[i], 0.0, speed_range[c, 1])
            if whole:
                value *= fit(speed[i], speed_sigma[i], speed_range[c, 0], speed_range[c, 1])
            if high:
                value *= fit(height[i], height_sigma[i], height_range[c, 0], height_range[c, 1])
            out[i, c] = value
            total += value
        for c in range(classes):
            out[i, c] /= total


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def decide(
    probability: cython.double[:, ::1],
    threshold: cython.double,
    class_id: cython.longlong[::1],
    confidence: cython.double[::1],
) -> cython.void:
    """Write the most probable class (n,), 0 where it does not reach the threshold, and its probability (n,)."""
    best: cython.Py_ssize_t
    for i in range(probability.shape[0]):
        best = 0
        for c in range(1, probability.shape[1]):
            if probability[i, c] > probability[i, best]:
                best = c
        confidence[i] = probability[i, best]
        class_id[i] = best if confidence[i] >= threshold else 0
