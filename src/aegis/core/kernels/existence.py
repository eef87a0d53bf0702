# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether objects exist and are hidden, over time."""

import cython
from cython.cimports.libc.math import exp, expm1


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def predict(
    existence: cython.double[:], lasting: cython.double[:], survival: cython.double, brief: cython.double,
    after: cython.double[:, ::1],
) -> cython.void:  # fmt: skip
    """Write both probabilities (2, N) after a time; see `tracking.existence.predict`."""
    for t in range(existence.shape[0]):
        stays = lasting[t] * survival + (1.0 - lasting[t]) * brief
        after[0, t] = existence[t] * stays
        after[1, t] = lasting[t] * survival / stays


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def hide(
    hidden: cython.double[:], lasting: cython.double[:], since_ns: cython.longlong[:], stamp_ns: cython.longlong,
    in_view: cython.uchar[::1], mean_visible_s: cython.double, mean_hidden_s: cython.double, hidden_looks: cython.double,
    after: cython.double[::1],
) -> cython.void:  # fmt: skip
    """Write (N,) the probability that an object is hidden; see `tracking.existence.hide`."""
    stays: cython.double = 1.0
    goes: cython.double = 0.0
    last: cython.double = 0.0  # most tracks were looked at by the same scan
    for t in range(hidden.shape[0]):
        dt = (stamp_ns - since_ns[t]) * 1e-9
        if not in_view[t] or dt <= 0.0:
            after[t] = hidden[t]
            continue
        if dt != last:
            last, stays = dt, exp(-dt / max(mean_hidden_s, hidden_looks * dt))
            goes = -expm1(-dt / mean_visible_s) if mean_visible_s > 0.0 else 0.0
        after[t] = hidden[t] * stays + (1.0 - hidden[t]) * (goes * lasting[t])


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def expected(
    updated_ns: cython.longlong[:], stamp_ns: cython.longlong, in_view: cython.uchar[::1], longest_s: cython.double,
    out: cython.uchar[::1],
) -> cython.void:  # fmt: skip
    """Write (N,) whether a track is in view, or was detected no longer ago than so; see `tracking.existence.expected`."""
    for t in range(updated_ns.shape[0]):
        out[t] = in_view[t] | ((stamp_ns - updated_ns[t]) * 1e-9 <= longest_s)
