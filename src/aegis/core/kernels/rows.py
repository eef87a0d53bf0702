"""Existence and bookkeeping of tracks: over time, after a scan, and what the picture shows of them."""

import cython
from cython.cimports.libc.math import isfinite, sqrt

PROBABLE = cython.declare(cython.double, 0.5)  # a scan has shown a track where it is more probable than not
NAN = cython.declare(cython.double, float("nan"))
TENTATIVE, CONFIRMED, COASTING = (
    cython.declare(cython.int, 1),
    cython.declare(cython.int, 2),
    cython.declare(cython.int, 3),
)


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def predict(
    existence: cython.double[::1], lasting: cython.double[::1], hidden: cython.double[::1],
    survival: cython.double, brief: cython.double, hide: cython.double, show: cython.double, after: cython.double[:, ::1],
) -> cython.void:  # fmt: skip
    """Write the three probabilities (3, N) after a time; see `tracking.existence.predict`."""
    for t in range(existence.shape[0]):
        stays = lasting[t] * survival + (1.0 - lasting[t]) * brief
        after[0, t] = existence[t] * stays
        after[1, t] = lasting[t] * survival / stays
        after[2, t] = hidden[t] * (1.0 - show) + (1.0 - hidden[t]) * hide * after[1, t]


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def after_hits(
    hit: cython.double[::1], best: cython.longlong[::1], detection: cython.longlong[::1], stamp_ns: cython.longlong,
    rcs: cython.double[::1], measured: cython.uchar[:, ::1],
    hits: cython.longlong[::1], updated_ns: cython.longlong[::1], has_height: cython.uchar[::1],
    rcs_sum: cython.double[::1], rcs_looks: cython.double[::1], found: cython.longlong[::1],
) -> cython.Py_ssize_t:  # fmt: skip
    """Bring the columns `hits` to `rcs_looks` up to date; write the rows that the scan probably showed, and return their number."""
    n: cython.Py_ssize_t = 0
    for t in range(hit.shape[0]):
        if hit[t] <= PROBABLE or best[t] < 0:
            continue
        d = detection[best[t]]
        hits[t] += 1
        updated_ns[t] = stamp_ns
        has_height[t] = has_height[t] or measured[d, 2]
        if isfinite(rcs[d]):
            rcs_sum[t] += rcs[d]
            rcs_looks[t] += 1.0
        found[n] = t
        n += 1
    return n


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def worth_keeping(
    existence: cython.double[::1], updated_ns: cython.longlong[::1], stamp_ns: cython.longlong, lowest: cython.double,
    max_coast_ns: cython.longlong, out: cython.uchar[::1],
) -> cython.void:  # fmt: skip
    """Write (N,) which tracks stay; see `tracking.rows.worth_keeping`."""
    for t in range(existence.shape[0]):
        silent_ns = stamp_ns - updated_ns[t]
        out[t] = silent_ns <= 0 or (existence[t] >= lowest and silent_ns <= max_coast_ns)


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def changes(
    before: cython.longlong[::1], after: cython.longlong[::1], gained: cython.longlong[::1], lost: cython.longlong[::1]
) -> tuple[cython.Py_ssize_t, cython.Py_ssize_t]:
    """Write what is only in `after`, and what is only in `before`, both ascending; return how many of each."""
    i: cython.Py_ssize_t = 0
    j: cython.Py_ssize_t = 0
    g: cython.Py_ssize_t = 0
    k: cython.Py_ssize_t = 0
    while i < before.shape[0] or j < after.shape[0]:
        if j == after.shape[0] or (i < before.shape[0] and before[i] < after[j]):
            lost[k] = before[i]
            k, i = k + 1, i + 1
        elif i == before.shape[0] or after[j] < before[i]:
            gained[g] = after[j]
            g, j = g + 1, j + 1
        else:
            i, j = i + 1, j + 1
    return g, k


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def shown_as(
    index: cython.longlong[::1], mean: cython.double[:, ::1], covariance: cython.double[:, :, ::1],
    hits: cython.longlong[::1], updated_ns: cython.longlong[::1], has_height: cython.uchar[::1],
    rcs_sum: cython.double[::1], rcs_looks: cython.double[::1], name: cython.longlong[::1], existence: cython.double[::1],
    born_ns: cython.longlong[::1], confirmed: cython.uchar[::1], stamp_ns: cython.longlong, ground: cython.double,
    whole: cython.longlong[:, ::1], real: cython.double[:, ::1],
) -> cython.void:  # fmt: skip
    """Write what the picture shows of some rows; see `tracking.rows.shown_as`.

    Args:
        index to ground: as there.
        whole: (3, S) id, hits, status; real: (9, S) existence, mean RCS, looks, speed and its sigma, height and its sigma, age
            and silence; to be written.
    """
    for i in range(index.shape[0]):
        t = index[i]
        silent_s = (stamp_ns - updated_ns[t]) * 1e-9
        whole[0, i], whole[1, i] = name[t], hits[t]
        if confirmed[t]:
            whole[2, i] = COASTING if silent_s > 0.0 else CONFIRMED
        else:
            whole[2, i] = TENTATIVE
        real[0, i] = existence[t]
        real[1, i] = rcs_sum[t] / rcs_looks[t] if rcs_looks[t] > 0.0 else NAN
        real[2, i] = rcs_looks[t]
        real[3, i] = sqrt(mean[i, 3] * mean[i, 3] + mean[i, 4] * mean[i, 4] + mean[i, 5] * mean[i, 5])
        real[4, i] = sqrt(covariance[i, 3, 3] + covariance[i, 4, 4] + covariance[i, 5, 5])
        real[5, i] = mean[i, 2] - ground if has_height[t] else NAN
        real[6, i] = sqrt(covariance[i, 2, 2])
        real[7, i] = (stamp_ns - born_ns[t]) * 1e-9
        real[8, i] = silent_s
