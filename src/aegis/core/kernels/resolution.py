# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which tracks are so close that the sensor may give one detection of two objects."""

import cython
from cython.cimports.libc.math import exp


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def in_one_cell(
    start: cython.longlong[::1], detection: cython.longlong[::1], centre: cython.double[:, ::1], sigma: cython.double[::1],
    sure: cython.uchar[:], born_ns: cython.longlong[:], apart_ns: cython.longlong[:], cell_sigmas: cython.double,
    row: cython.longlong[::1], track: cython.longlong[::1], out: cython.double[:, ::1],
) -> cython.void:  # fmt: skip
    """Write (2, N) the probability that a track and another one gave one detection; see `tracking.association.in_one_cell`.

    Args:
        start to cell_sigmas: as there.
        row: (D + 1,), track: (K,) scratch: those that surely exist, by detection, in compressed rows.
        out: to be written.
    """
    a: cython.longlong
    b: cython.longlong
    square: cython.double
    N, D = start.shape[0] - 1, sigma.shape[0]
    for d in range(D + 1):
        row[d] = 0
    for t in range(N):
        out[0, t] = out[1, t] = 0.0
        if sure[t]:
            for p in range(start[t], start[t + 1]):
                row[detection[p]] += 1
    for d in range(D):
        row[d + 1] += row[d]
    for t in range(N):
        if sure[t]:
            for p in range(start[t], start[t + 1]):
                row[detection[p]] -= 1
                track[row[detection[p]]] = t
    for d in range(D):
        for i in range(row[d], row[d + 1]):
            a = track[i]
            for j in range(row[d], row[d + 1]):
                b = track[j]
                if a == b:
                    continue
                dx, dy = centre[a, 0] - centre[b, 0], centre[a, 1] - centre[b, 1]
                square = (dx * dx + dy * dy) / (cell_sigmas * cell_sigmas * sigma[d] * sigma[d])
                close = exp(-0.5 * square)
                out[0, a] = max(out[0, a], close)
                # Of two that have never been seen side by side, one may be a mistake for the other.
                if apart_ns[a] > born_ns[b] and apart_ns[b] > born_ns[a]:
                    out[1, a] = max(out[1, a], close)
