# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""A cube's samples under their windows, the power of its cells, and the echoes in them: where between the cells, from where."""

import cython
from cython.cimports.libc.math import cos, sin, sqrt

ITERATIONS = cython.declare(cython.int, 4)  # of scoring on the offset between cells
SCORING_STEPS = cython.declare(cython.int, 6)  # on the direction
NAN = cython.declare(cython.double, float("nan"))
HALF_PI = cython.declare(cython.double, 1.5707963267948966)
LEAST_COSINE = cython.declare(cython.double, 1e-6)  # of an elevation: at the zenith an azimuth has no meaning


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def weigh(
    data: cython.short[:, ::1], fast: cython.float[::1], slow: cython.float[::1], mean: cython.float[:, ::1], static: cython.bint,
    out: cython.float[:, ::1],
) -> cython.void:  # fmt: skip
    """Write (data - mean) times both windows; see `signal.range_doppler.weigh`."""
    columns = data.shape[1]
    K = mean.shape[1]
    if static:
        for s in range(data.shape[0]):
            for chirp in range(columns // K):
                for k in range(K):
                    j = chirp * K + k
                    out[s, j] = (data[s, j] - mean[s, k]) * (fast[s] * slow[j])
        return
    for s in range(data.shape[0]):
        for j in range(columns):
            out[s, j] = data[s, j] * (fast[s] * slow[j])


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def sum_power(z: cython.float[:, :, ::1], out: cython.float[:, ::1]) -> cython.void:
    """Write the sums of squares over the last axis. z: (R, D, 2 M); out: (R, D)."""
    n = z.shape[2]
    fours = n - n % 4
    a: cython.float
    b: cython.float
    c: cython.float
    e: cython.float
    for r in range(z.shape[0]):
        for d in range(z.shape[1]):
            a = b = c = e = 0.0  # four chains of additions, which need not wait for each other
            for i in range(0, fours, 4):
                a += z[r, d, i] * z[r, d, i]
                b += z[r, d, i + 1] * z[r, d, i + 1]
                c += z[r, d, i + 2] * z[r, d, i + 2]
                e += z[r, d, i + 3] * z[r, d, i + 3]
            for i in range(fours, n):
                a += z[r, d, i] * z[r, d, i]
            out[r, d] = (a + b) + (c + e)


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def locate(
    before: cython.doublecomplex, middle: cython.doublecomplex, after: cython.doublecomplex, reach: cython.double,
    p: cython.doublecomplex[:, ::1], q: cython.doublecomplex[:, ::1], gains: cython.double[::1], informations: cython.double[::1],
) -> tuple[cython.double, cython.doublecomplex, cython.double, cython.double]:  # fmt: skip
    """Return the offset [cells] from the middle cell, the amplitude at the peak, the middle cell's gain, the information.

    Args:
        before, middle, after: what the three cells hold.
        reach, p, q, gains, informations: of the `Response`, p its amplitude and q its offset.
    """
    last = gains.shape[0] - 1
    delta: cython.double = 0.0
    gain: cython.double = 1.0
    information: cython.double = 1.0
    amplitude: cython.doublecomplex = 0.0
    missing: cython.doublecomplex
    i: cython.Py_ssize_t
    for iteration in range(ITERATIONS + 1):
        at = (delta / reach + 1.0) * 0.5 * last
        i = min(cython.cast(cython.Py_ssize_t, at), last - 1)
        t = at - i
        amplitude = (
            before * ((1.0 - t) * p[i, 0] + t * p[i + 1, 0])
            + middle * ((1.0 - t) * p[i, 1] + t * p[i + 1, 1])
            + after * ((1.0 - t) * p[i, 2] + t * p[i + 1, 2])
        )
        gain = (1.0 - t) * gains[i] + t * gains[i + 1]
        information = (1.0 - t) * informations[i] + t * informations[i + 1]
        if iteration == ITERATIONS or amplitude == 0.0:
            break
        missing = (
            before * ((1.0 - t) * q[i, 0] + t * q[i + 1, 0])
            + middle * ((1.0 - t) * q[i, 1] + t * q[i + 1, 1])
            + after * ((1.0 - t) * q[i, 2] + t * q[i + 1, 2])
        )
        delta = min(max(delta + (missing / amplitude).real, -reach), reach)
    return delta, amplitude, gain, information


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def measure(
    z: cython.floatcomplex[:, :, ::1], rows: cython.longlong[::1], cols: cython.longlong[::1],
    weights: cython.doublecomplex[:, ::1], conjugated: cython.bint,
    range_spacing: cython.longlong, range_reach: cython.double, range_p: cython.doublecomplex[:, ::1],
    range_q: cython.doublecomplex[:, ::1], range_gains: cython.double[::1], range_informations: cython.double[::1],
    doppler_spacing: cython.longlong, doppler_reach: cython.double, doppler_p: cython.doublecomplex[:, ::1],
    doppler_q: cython.doublecomplex[:, ::1], doppler_gains: cython.double[::1], doppler_informations: cython.double[::1],
    out: cython.double[:, ::1],
) -> cython.void:  # fmt: skip
    """Write (K, 6) of the echo in each cell; see `signal.response.measure`."""
    D, M = z.shape[1], z.shape[2]
    w: cython.doublecomplex
    sample: cython.floatcomplex  # a variable of it makes Cython declare the type before the array's
    middle: cython.doublecomplex
    before: cython.doublecomplex
    after: cython.doublecomplex
    left: cython.doublecomplex
    right: cython.doublecomplex
    for i in range(rows.shape[0]):
        middle = before = after = left = right = 0.0
        r, d = rows[i], cols[i]
        d0, d1 = (d - doppler_spacing + D) % D, (d + doppler_spacing) % D
        r0, r1 = r - range_spacing, r + range_spacing
        for c in range(M):
            w = weights[i, c]
            if conjugated:
                w = w.conjugate()
            sample = z[r, d, c]
            middle += w * sample
            before += w * z[r0, d, c]
            after += w * z[r1, d, c]
            left += w * z[r, d0, c]
            right += w * z[r, d1, c]
        if conjugated:
            middle, before, after = middle.conjugate(), before.conjugate(), after.conjugate()
            left, right = left.conjugate(), right.conjugate()
        in_range, amplitude, range_gain, range_information = locate(
            before, middle, after, range_reach, range_p, range_q, range_gains, range_informations
        )
        in_doppler, _, doppler_gain, doppler_information = locate(
            left, middle, right, doppler_reach, doppler_p, doppler_q, doppler_gains, doppler_informations
        )
        out[i, 0], out[i, 1] = in_range, in_doppler
        # Each offset is taken across the line of cells nearest to the peak, which is not on it.
        range_loss, doppler_loss = range_gain * range_gain, doppler_gain * doppler_gain
        out[i, 2] = (amplitude.real * amplitude.real + amplitude.imag * amplitude.imag) / doppler_loss
        out[i, 3], out[i, 4] = range_information * doppler_loss, doppler_information * range_loss
        out[i, 5] = range_loss * doppler_loss


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def refine(
    snapshot: cython.doublecomplex[:, ::1], position: cython.double[:, ::1], weights: cython.double[::1], k: cython.double,
    horizontal: cython.bint, vertical: cython.bint, azimuth: cython.double[::1], elevation: cython.double[::1],
    p: cython.double[:, ::1], beam: cython.doublecomplex[::1], error: cython.double[:, :, ::1],
) -> cython.void:  # fmt: skip
    """Move directions to the maximum of their beam; write the beams (K,) and errors (K, 2, 2); see `Array.refine`.

    Scoring: beside a maximum, the difference beam over the beam is j k C (error), C as below.

    Args:
        snapshot: (K, M); position: (M, 3) of the channels; weights: (M,); k: the two-way wavenumber.
        horizontal, vertical: whether the array finds azimuths and elevations.
        azimuth, elevation: (K,), changed in place.
        p: (M, 2) scratch; beam, error: to be written, error holds NaN.
    """
    M = snapshot.shape[1]
    total: cython.double = 0.0
    squares: cython.double = 0.0
    for c in range(M):
        total += weights[c]
        squares += weights[c] * weights[c]
    a: cython.double
    e: cython.double
    ce: cython.double
    det: cython.double
    scale: cython.double
    mean_along: cython.double
    mean_up: cython.double
    c11: cython.double
    c12: cython.double
    c22: cython.double
    v11: cython.double
    v12: cython.double
    v22: cython.double
    y0: cython.doublecomplex
    d1: cython.doublecomplex
    d2: cython.doublecomplex
    value: cython.doublecomplex
    for i in range(snapshot.shape[0]):
        a, e = azimuth[i], elevation[i]
        for step in range(SCORING_STEPS + 1):
            ca, sa, ce, se = cos(a), sin(a), cos(e), sin(e)
            mean_along = mean_up = 0.0
            for c in range(M):
                x, y, z = position[c, 0], position[c, 1], position[c, 2]
                p[c, 0] = -sa * x + ca * y
                p[c, 1] = -se * ca * x - se * sa * y + ce * z
                mean_along += weights[c] * p[c, 0]
                mean_up += weights[c] * p[c, 1]
            mean_along, mean_up = mean_along / total, mean_up / total
            y0 = d1 = d2 = 0.0
            c11 = c12 = c22 = v11 = v12 = v22 = 0.0
            for c in range(M):
                phase = k * (ce * (ca * position[c, 0] + sa * position[c, 1]) + se * position[c, 2])
                value = weights[c] * snapshot[i, c] * (cos(phase) + 1j * sin(phase))
                along, up = p[c, 0] - mean_along, p[c, 1] - mean_up
                y0 += value
                d1 += along * value
                d2 += up * value
                w, ww = weights[c], weights[c] * weights[c]
                c11 += w * along * along
                c12 += w * along * up
                c22 += w * up * up
                v11 += ww * along * along
                v12 += ww * along * up
                v22 += ww * up * up
            if not horizontal:
                c11, c12, v12, d1 = 1.0, 0.0, 0.0, 0.0
            if not vertical:
                c22, c12, v12, d2 = 1.0, 0.0, 0.0, 0.0
            spread = (c11 if horizontal else 0.0) + (c22 if vertical else 0.0)
            det = c11 * c22 - c12 * c12
            if step == SCORING_STEPS or y0 == 0.0 or spread <= 0.0 or det <= 0.0:
                break
            g1, g2 = (d1 / y0).imag * total / k, (d2 / y0).imag * total / k
            widest = min(1.0 / (k * sqrt(spread / total)), 0.1)  # a fraction of a beam
            s1, s2 = -(c22 * g1 - c12 * g2) / det, -(c11 * g2 - c12 * g1) / det
            length = sqrt(s1 * s1 + s2 * s2)
            scale = min(1.0, widest / length) if length > 0.0 else 1.0
            a += scale * s1 / max(ce, LEAST_COSINE)
            e = min(max(e + scale * s2, -HALF_PI), HALF_PI)
        azimuth[i], elevation[i] = a, e
        beam[i] = y0 / total
        # cov = C^-1 V C^-1 / (2 k^2 SNR_channel), and SNR_channel = SNR squares / total^2
        scale = total * total / (2.0 * k * k * squares) if det > 0.0 else NAN
        i11, i12, i22 = c22 / det, -c12 / det, c11 / det
        m11, m12 = i11 * v11 + i12 * v12, i11 * v12 + i12 * v22
        m21, m22 = i12 * v11 + i22 * v12, i12 * v12 + i22 * v22
        if horizontal:
            error[i, 0, 0] = scale * (m11 * i11 + m12 * i12) / max(ce * ce, LEAST_COSINE * LEAST_COSINE)
        if vertical:
            error[i, 1, 1] = scale * (m21 * i12 + m22 * i22)
        if horizontal and vertical:
            error[i, 0, 1] = error[i, 1, 0] = scale * (m11 * i12 + m12 * i22) / max(ce, LEAST_COSINE)
