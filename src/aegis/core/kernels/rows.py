# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Bookkeeping of tracks: after a scan, and what the picture shows of them."""

import cython
from cython.cimports.libc.math import isfinite, sqrt

PROBABLE = cython.declare(cython.double, 0.5)  # a scan has shown a track where it is more probable than not
APART = cython.declare(cython.double, 0.05)  # less probable to be in the same cell as another one: apart
NAN = cython.declare(cython.double, float("nan"))
TENTATIVE = cython.declare(cython.int, 1)
CONFIRMED = cython.declare(cython.int, 2)
COASTING = cython.declare(cython.int, 3)
EXISTENCE = cython.declare(cython.int, 0)  # from here on the rows of the tables, as in `tracking.rows`
LASTING = cython.declare(cython.int, 1)
RCS_SUM = cython.declare(cython.int, 3)
RCS_LOOKS = cython.declare(cython.int, 4)
ID = cython.declare(cython.int, 0)
BIRTH = cython.declare(cython.int, 1)
BORN_NS = cython.declare(cython.int, 2)
UPDATED_NS = cython.declare(cython.int, 3)
HITS = cython.declare(cython.int, 4)
CLASS = cython.declare(cython.int, 5)
LOOKED_NS = cython.declare(cython.int, 6)
APART_NS = cython.declare(cython.int, 7)
MISSED_NS = cython.declare(cython.int, 9)
IS_CONFIRMED = cython.declare(cython.int, 0)
HAS_HEIGHT = cython.declare(cython.int, 1)


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def note_hits(
    hit: cython.double[::1], close: cython.double[::1], best: cython.longlong[::1], detection: cython.longlong[::1],
    measured_ns: cython.longlong[::1], rcs: cython.double[::1], measured: cython.uchar[:, ::1],
    reals: cython.double[:, ::1], wholes: cython.longlong[:, ::1], flags: cython.uchar[:, ::1], found: cython.longlong[::1],
) -> cython.Py_ssize_t:  # fmt: skip
    """Bring the tables up to date; write the rows that the scan probably showed, and return their number; see `tracking.rows`."""
    n: cython.Py_ssize_t = 0
    for t in range(hit.shape[0]):
        if hit[t] <= PROBABLE or best[t] < 0:
            continue
        d = detection[best[t]]
        wholes[HITS, t] += 1
        wholes[UPDATED_NS, t] = wholes[LOOKED_NS, t] = wholes[MISSED_NS, t] = measured_ns[d]
        if close[t] < APART:
            wholes[APART_NS, t] = measured_ns[d]
        flags[HAS_HEIGHT, t] = flags[HAS_HEIGHT, t] or measured[d, 2]
        if isfinite(rcs[d]):
            reals[RCS_SUM, t] += rcs[d]
            reals[RCS_LOOKS, t] += 1.0
        found[n] = t
        n += 1
    return n


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def worth_keeping(
    existence: cython.double[:], updated_ns: cython.longlong[:], looked_ns: cython.longlong[:],
    stamp_ns: cython.longlong, begin_ns: cython.longlong, lowest: cython.double, max_coast_ns: cython.longlong,
    out: cython.longlong[::1],
) -> cython.Py_ssize_t:  # fmt: skip
    """Write the rows (N,) that stay, and return how many do; see `tracking.rows.worth_keeping`."""
    n: cython.Py_ssize_t = 0
    for t in range(existence.shape[0]):
        if updated_ns[t] >= begin_ns or (
            (existence[t] >= lowest or looked_ns[t] <= updated_ns[t]) and stamp_ns - updated_ns[t] <= max_coast_ns
        ):
            out[n] = t
            n += 1
    return n


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def put(
    index: cython.longlong[::1], old: cython.double[:, ::1], new: cython.double[:, ::1], out: cython.double[:, ::1]
) -> cython.void:  # fmt: skip
    """Write the rows `index` (K,) of a table, and all new ones after them, into one of K + B rows."""
    K, width = index.shape[0], out.shape[1]
    for i in range(K):
        t = index[i]
        for c in range(width):
            out[i, c] = old[t, c]
    for i in range(new.shape[0]):
        for c in range(width):
            out[K + i, c] = new[i, c]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def put_columns(
    index: cython.longlong[::1], old: cython.double[:, ::1], new: cython.double[:, ::1], out: cython.double[:, ::1]
) -> cython.void:  # fmt: skip
    """Write the columns `index` (K,) of a table, and all new ones after them, into one of K + B columns."""
    K = index.shape[0]
    for c in range(out.shape[0]):
        for i in range(K):
            out[c, i] = old[c, index[i]]
        for i in range(new.shape[1]):
            out[c, K + i] = new[c, i]


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def join(
    index: cython.longlong[::1],
    x: cython.double[:, ::1], P: cython.double[:, ::1], weight: cython.double[:, ::1], reals: cython.double[:, ::1],
    looks: cython.double[:, ::1], wholes: cython.longlong[:, ::1], flags: cython.uchar[:, ::1],
    x_new: cython.double[:, ::1], P_new: cython.double[:, ::1], weight_new: cython.double[:, ::1], reals_new: cython.double[:, ::1],
    looks_new: cython.double[:, ::1], wholes_new: cython.longlong[:, ::1], flags_new: cython.uchar[:, ::1],
    x_out: cython.double[:, ::1], P_out: cython.double[:, ::1], weight_out: cython.double[:, ::1], reals_out: cython.double[:, ::1],
    looks_out: cython.double[:, ::1], wholes_out: cython.longlong[:, ::1], flags_out: cython.uchar[:, ::1],
) -> cython.void:  # fmt: skip
    """Write the rows `index` (K,) of tracks, and all B new ones after them, into K + B rows.

    Args:
        index: ascending.
        x, P, weight: (N, .) all that belongs to a track in one row; reals, looks, wholes, flags: the tables, a track in a column.
        x_new to flags_new: the same of the new ones.
        x_out to flags_out: to be written.
    """
    K = index.shape[0]
    put(index, x, x_new, x_out)
    put(index, P, P_new, P_out)
    put(index, weight, weight_new, weight_out)
    put_columns(index, reals, reals_new, reals_out)
    put_columns(index, looks, looks_new, looks_out)
    for c in range(wholes.shape[0]):
        for i in range(K):
            wholes_out[c, i] = wholes[c, index[i]]
        for i in range(wholes_new.shape[1]):
            wholes_out[c, K + i] = wholes_new[c, i]
    for c in range(flags.shape[0]):
        for i in range(K):
            flags_out[c, i] = flags[c, index[i]]
        for i in range(flags_new.shape[1]):
            flags_out[c, K + i] = flags_new[c, i]


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def nameless(
    reals: cython.double[:, ::1], wholes: cython.longlong[:, ::1], visible: cython.uchar[::1], confirm_from: cython.double,
    out: cython.longlong[::1],
) -> cython.Py_ssize_t:  # fmt: skip
    """Write the rows (N,) that have no name and are to get one: sure or detected again; return how many."""
    n: cython.Py_ssize_t = 0
    for t in range(wholes.shape[1]):
        if wholes[ID, t] == 0 and (wholes[HITS, t] > 1 or (reals[EXISTENCE, t] >= confirm_from and visible[t] != 0)):
            out[n] = t
            n += 1
    return n


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def confirm(
    reals: cython.double[:, ::1], wholes: cython.longlong[:, ::1], flags: cython.uchar[:, ::1], visible: cython.uchar[::1],
    expected: cython.uchar[::1], confirm_from: cython.double, demote_below: cython.double,
) -> cython.void:  # fmt: skip
    """Bring up to date which rows (N,) are confirmed; see `tracking.lifecycle.settled`."""
    for t in range(wholes.shape[1]):
        sure: cython.bint = visible[t] != 0 and reals[EXISTENCE, t] >= confirm_from and wholes[ID, t] > 0
        stays: cython.bint = flags[IS_CONFIRMED, t] != 0 and expected[t] != 0 and reals[EXISTENCE, t] >= demote_below
        flags[IS_CONFIRMED, t] = sure or stays


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def listed(
    reals: cython.double[:, ::1], wholes: cython.longlong[:, ::1], flags: cython.uchar[:, ::1], out: cython.longlong[::1]
) -> tuple[cython.Py_ssize_t, cython.int]:  # fmt: skip
    """Write the rows (N,) that a picture shows; return how many, and whether their ids ascend. See `tracking.view.View.picture`."""
    n: cython.Py_ssize_t = 0
    ascend: cython.int = 1
    last: cython.longlong = 0
    for t in range(wholes.shape[1]):
        if wholes[ID, t] <= 0:
            continue
        unseen: cython.bint = wholes[MISSED_NS, t] > wholes[UPDATED_NS, t]
        if unseen and not flags[IS_CONFIRMED, t] and reals[EXISTENCE, t] < PROBABLE:
            continue
        if wholes[ID, t] < last:
            ascend = 0
        last = wholes[ID, t]
        out[n] = t
        n += 1
    return n, ascend


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def sort(
    wholes: cython.longlong[:, ::1], index: cython.longlong[::1], lowest: cython.longlong, place: cython.longlong[::1],
    out: cython.longlong[::1],
) -> cython.void:  # fmt: skip
    """Write the rows `index` (S,) in the order of their ids, by counting; see `tracking.rows.by_id`.

    Args:
        wholes: the table; index: rows whose ids are between `lowest` and `lowest` + L - 2.
        place: (L,) zeros.
        out: (S,) to be written.
    """
    for i in range(index.shape[0]):
        place[wholes[ID, index[i]] - lowest + 1] += 1
    for k in range(1, place.shape[0]):
        place[k] += place[k - 1]
    for i in range(index.shape[0]):
        k = wholes[ID, index[i]] - lowest
        out[place[k]] = index[i]
        place[k] += 1


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def clear(
    found: cython.longlong[::1], best: cython.longlong[::1], probability: cython.double[::1], wholes: cython.longlong[:, ::1],
    probability_from: cython.double, hits_from: cython.longlong, out: cython.longlong[::1],
) -> cython.Py_ssize_t:  # fmt: skip
    """Write which of the rows `found` (F,) have a clear pair, and hits enough; return how many. See `tracking.rows.clear`."""
    n: cython.Py_ssize_t = 0
    for i in range(found.shape[0]):
        t = found[i]
        out[n] = t
        n += probability[best[t]] > probability_from and wholes[HITS, t] >= hits_from
    return n


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def ready(
    mean: cython.double[:, ::1], covariance: cython.double[:, :, ::1], reals: cython.double[:, ::1],
    wholes: cython.longlong[:, ::1], flags: cython.uchar[:, ::1], by_class: cython.double[:, ::1], since_ns: cython.longlong,
    sure_from: cython.double, centre: cython.double[:, ::1], spread: cython.double[:, ::1], velocity: cython.double[:, ::1],
    noise: cython.double[:, ::1], sure: cython.uchar[::1],
) -> cython.void:  # fmt: skip
    """Write what a scan is held against, of N tracks.

    Args:
        mean, covariance: (N, 6), (N, 6, 6), predicted; reals, wholes, flags: the tables.
        by_class: (C, 2) horizontal and vertical spectral density of the acceleration of each class.
        since_ns: a track that was last seen apart from others before is not sure; nor one less probable than `sure_from`.
        centre, spread: (N, 3), velocity: (N, 2), noise: (N, 2), as in `tracking.association.Moved`, sure: (N,); to be written.
    """
    for t in range(mean.shape[0]):
        for i in range(3):
            centre[t, i], spread[t, i] = mean[t, i], covariance[t, i, i]
        velocity[t, 0], velocity[t, 1] = mean[t, 3], mean[t, 4]
        noise[t, 0] = by_class[wholes[CLASS, t], 0]
        noise[t, 1] = by_class[wholes[CLASS, t], 1] if flags[HAS_HEIGHT, t] != 0 else 0.0
        sure[t] = flags[IS_CONFIRMED, t] != 0 and reals[EXISTENCE, t] > sure_from and wholes[APART_NS, t] >= since_ns


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def worth_beginning(
    density: cython.double[:, ::1], alone: cython.double[::1], delete: cython.double, most: cython.double,
    index: cython.longlong[::1], existence: cython.double[::1],
) -> cython.Py_ssize_t:  # fmt: skip
    """Write the detections (D,) that new tracks begin with, and the probability that these exist; return how many.

    Args:
        density: (3, D) of false alarms, of new objects anywhere and of those that entered at known places.
        alone: (D,) probability that a detection belongs to no track.
        delete, most: existence probabilities, below which a track is deleted, and that it can reach.
        index, existence: (D,) to be written.
    """
    n: cython.Py_ssize_t = 0
    for d in range(alone.shape[0]):
        new = density[1, d] + density[2, d]
        first = new / (new + density[0, d])  # existence, were the detection alone
        if alone[d] * first >= min(delete, 0.5 * first):
            index[n], existence[n] = d, min(alone[d] * first, most)
            n += 1
    return n


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def begin(
    index: cython.longlong[::1], existence: cython.double[::1], lasting: cython.double, number: cython.longlong,
    measured: cython.uchar[:, ::1], measured_ns: cython.longlong[::1], rcs: cython.double[::1],
    reals: cython.double[:, ::1], wholes: cython.longlong[:, ::1], flags: cython.uchar[:, ::1],
) -> cython.void:  # fmt: skip
    """Write the columns of new tracks (B,), which hold zeros.

    Args:
        index: (B,) of each one's detection; existence: (B,) or more.
        lasting: probability that one is no transient; number: of the scan's first detection.
        measured: (D, 4), measured_ns: (D,), rcs: (D,) of the detections.
        reals, wholes, flags: the tables.
    """
    for i in range(index.shape[0]):
        d = index[i]
        reals[EXISTENCE, i], reals[LASTING, i] = existence[i], lasting
        if isfinite(rcs[d]):
            reals[RCS_SUM, i], reals[RCS_LOOKS, i] = rcs[d], 1.0
        wholes[BIRTH, i], wholes[HITS, i] = number + d, 1
        wholes[BORN_NS, i] = wholes[UPDATED_NS, i] = wholes[LOOKED_NS, i] = wholes[MISSED_NS, i] = measured_ns[d]
        flags[HAS_HEIGHT, i] = measured[d, 2]


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


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def speed_of(
    vx: cython.double, vy: cython.double, vz: cython.double, covariance: cython.double[:, :, ::1], i: cython.Py_ssize_t,
    has_height: cython.bint,
) -> tuple[cython.double, cython.double]:  # fmt: skip
    """Return the speed and its standard deviation; over ground, where the height is not observed.

    To second order, an error e of the velocity v changes its length by e along v and by e^2 / 2v across it; at rest, by any e.
    """
    if not has_height:
        vz = 0.0
    square = vx * vx + vy * vy + vz * vz
    total = covariance[i, 3, 3] + covariance[i, 4, 4]
    along = vx * vx * covariance[i, 3, 3] + vy * vy * covariance[i, 4, 4] + 2.0 * vx * vy * covariance[i, 3, 4]
    if has_height:
        total += covariance[i, 5, 5]
        along += vz * vz * covariance[i, 5, 5] + 2.0 * vz * (vx * covariance[i, 3, 5] + vy * covariance[i, 4, 5])
    if square <= 0.0:
        return 0.0, sqrt(total)
    along = min(along / square, total)
    across = total - along
    return sqrt(square), sqrt(along + across * min(across / square, 1.0))


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def shown_as(
    index: cython.longlong[::1], mean: cython.double[:, ::1], covariance: cython.double[:, :, ::1],
    reals: cython.double[:, ::1], wholes: cython.longlong[:, ::1], flags: cython.uchar[:, ::1],
    stamp_ns: cython.longlong, ground: cython.double, whole: cython.longlong[:, ::1], real: cython.double[:, ::1],
) -> cython.void:  # fmt: skip
    """Write what the picture shows of some rows; see `tracking.view.shown_as`.

    Args:
        index to ground: as there; reals, wholes, flags: the tables of all rows.
        whole: (3, S) id, hits, status; real: (9, S) existence, mean RCS, looks, speed and its sigma, height and its sigma, age
            and silence; to be written.
    """
    for i in range(index.shape[0]):
        t = index[i]
        silent_s = (stamp_ns - wholes[UPDATED_NS, t]) * 1e-9
        looks = reals[RCS_LOOKS, t]
        whole[0, i], whole[1, i] = wholes[ID, t], wholes[HITS, t]
        if flags[IS_CONFIRMED, t]:
            whole[2, i] = COASTING if wholes[MISSED_NS, t] > wholes[UPDATED_NS, t] else CONFIRMED
        else:
            whole[2, i] = TENTATIVE
        real[0, i] = reals[EXISTENCE, t]
        real[1, i] = reals[RCS_SUM, t] / looks if looks > 0.0 else NAN
        real[2, i] = looks
        real[3, i], real[4, i] = speed_of(mean[i, 3], mean[i, 4], mean[i, 5], covariance, i, flags[HAS_HEIGHT, t] != 0)
        real[5, i] = mean[i, 2] - ground if flags[HAS_HEIGHT, t] else NAN
        real[6, i] = sqrt(covariance[i, 2, 2])
        real[7, i] = (stamp_ns - wholes[BORN_NS, t]) * 1e-9
        real[8, i] = max(silent_s, 0.0)  # of a detection after the picture's time
