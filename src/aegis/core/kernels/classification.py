"""Class probabilities of many objects by the physical model's table."""

import cython
from cython.cimports.libc.math import erfc, exp, hypot, isnan, log, sqrt

# Standard deviation of 10 log10 of an exponential variable (Swerling 1): 10/ln(10) * pi/sqrt(6) dB; its mean lies
# 10/ln(10) * Euler's constant = 2.51 dB below the decibels of the mean.
SWERLING1_SIGMA_DB = cython.declare(cython.double, 5.57)
SWERLING1_BIAS_DB = cython.declare(cython.double, -2.51)

ROOT_2 = cython.declare(cython.double, 1.4142135623730951)
ROOT_2PI = cython.declare(cython.double, 2.5066282746310002)
SHARPEST = cython.declare(cython.double, 1e-3)  # no speed [m/s] and no height [m] is known better
# Of a class's highest speed: no speed is taken to be lower, as the density of range rates would have no bound there.
SLOWEST_SHARE = cython.declare(cython.double, 1e-2)
SATURATED = cython.declare(
    cython.double, 6.0
)  # sigmas from which the normal distribution is 0 or 1 to within the floor below
LIKELIHOOD_FLOOR = cython.declare(
    cython.double, 1e-9
)  # of one feature: one wild measurement must not exclude a class for ever


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def normal_cdf(x: cython.double) -> cython.double:
    """Return the distribution function of a standard normal variable."""
    if abs(x) > SATURATED:
        return 1.0 if x > 0.0 else 0.0
    return 0.5 * erfc(-x / ROOT_2)


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def radial_speed_density(radial_speed: cython.double, low: cython.double, high: cython.double) -> cython.double:
    """Return the density of abs(v_r), for speed uniform in [low, high] and direction uniform on the sphere.

    There abs(v_r) given the speed s is uniform on [0, s], so that the density is ln(high / max(low, abs(v_r))) / (high - low)
    below high.
    """
    lower = max(low, abs(radial_speed), SLOWEST_SHARE * high)
    return log(max(high / lower, 1.0)) / (high - low)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def uniform_density(
    c: cython.Py_ssize_t, above: cython.double[::1], edge: cython.longlong[:, ::1], bounds: cython.double[:, ::1]
) -> cython.double:
    """Return the density of a variable uniform on class c's bounds, measured with Gaussian error.

    Args:
        c: which.
        above: (E,) probability that the true value lies above each edge; edge: (C, 2) which edges the bounds (C, 2) are.
    """
    return (above[edge[c, 0]] - above[edge[c, 1]]) / (bounds[c, 1] - bounds[c, 0])


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def posterior(
    prior: cython.double[::1], rcs_mean: cython.double[::1], rcs_sigma: cython.double[::1],
    speed_bounds: cython.double[:, ::1], speed_edges: cython.double[::1], speed_edge: cython.longlong[:, ::1],
    height_bounds: cython.double[:, ::1], height_edges: cython.double[::1], height_edge: cython.longlong[:, ::1],
    rcs: cython.double[::1], looks: cython.double[::1], radial_speed: cython.double[::1],
    speed: cython.double[::1], speed_sigma: cython.double[::1], height: cython.double[::1], height_sigma: cython.double[::1],
    speed_above: cython.double[::1], height_above: cython.double[::1], out: cython.double[:, ::1],
) -> cython.void:  # fmt: skip
    """Write (n, C) probabilities; a feature that is NaN says nothing.

    Args:
        prior to rcs_sigma: (C,) of the classes.
        speed_bounds, height_bounds: (C, 2); their edges: (E,) all bounds, each once; their edge: (C, 2) which of them a bound is.
        rcs to height_sigma: (n,) as in `PhysicalModel.posterior`.
        speed_above, height_above: (E,) scratch.
        out: holds zeros.
    """
    classes = prior.shape[0]
    total: cython.double
    value: cython.double
    for i in range(rcs.shape[0]):
        # Classes share their bounds, many of them: each is looked up once.
        if not isnan(speed[i]):
            inverse = 1.0 / max(speed_sigma[i], SHARPEST)
            for e in range(speed_edges.shape[0]):
                speed_above[e] = normal_cdf((speed[i] - speed_edges[e]) * inverse)
        if not isnan(height[i]):
            inverse = 1.0 / max(height_sigma[i], SHARPEST)
            for e in range(height_edges.shape[0]):
                height_above[e] = normal_cdf((height[i] - height_edges[e]) * inverse)
        fluctuation = SWERLING1_SIGMA_DB / sqrt(max(looks[i], 1.0))
        total = 0.0
        for c in range(classes):
            # The product of a few densities, each at least the floor, is far from underflow.
            value = prior[c]
            if value <= 0.0:
                continue
            if not isnan(rcs[i]):
                sigma = hypot(rcs_sigma[c], fluctuation)
                z = (rcs[i] - rcs_mean[c] - SWERLING1_BIAS_DB) / sigma
                value *= max(exp(-0.5 * z * z) / (sigma * ROOT_2PI), LIKELIHOOD_FLOOR)
            if not isnan(radial_speed[i]):
                density = radial_speed_density(radial_speed[i], speed_bounds[c, 0], speed_bounds[c, 1])
                value *= max(density, LIKELIHOOD_FLOOR)
            if not isnan(speed[i]):
                value *= max(uniform_density(c, speed_above, speed_edge, speed_bounds), LIKELIHOOD_FLOOR)
            if not isnan(height[i]):
                value *= max(uniform_density(c, height_above, height_edge, height_bounds), LIKELIHOOD_FLOOR)
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
