# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which detection belongs to which track: components of pairs, the probabilities of all pairs, the best assignment; existence.

Pairs are kept in compressed rows: those of track t are start[t]:start[t + 1], the index of the detection is in `detection`. Tracks
and detections fall into components that share no pair; each is solved by itself.
Existence: Williams, Marginal multi-Bernoulli filters: RFS derivation of MHT, JIPDA, and association-based MeMBer, IEEE Trans. AES
51 (2015), eq. 33-42 and the track-oriented approximation of section V.
"""

import cython
from cython.cimports.libc.math import exp, log, log1p

LARGEST_LOG_ODDS = cython.declare(cython.double, 200.0)  # exp of more could overflow in sums; it is certainty anyway
MAX_ITERATIONS = cython.declare(cython.int, 500)  # of belief propagation within one component
CONVERGED = cython.declare(cython.double, 1e-7)  # largest change of a message
CERTAIN = cython.declare(cython.double, 1e-3)  # share of a miss below which a track's only pair is as good as sure
INFINITY = cython.declare(cython.double, float("inf"))


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def components(
    start: cython.longlong[::1], detection: cython.longlong[::1], root: cython.longlong[::1], number: cython.longlong[::1],
    member: cython.longlong[::1], begin: cython.longlong[::1],
) -> cython.Py_ssize_t:  # fmt: skip
    """Write the tracks that have pairs, ordered by component, and where each component begins in them; return their number C.

    Args:
        start, detection: the pairs of N tracks and D detections.
        root: (N + D,), number: (N,) scratch.
        member: (N,) and begin: (N + 1,) to be written up to begin[C] and C.
    """
    N = start.shape[0] - 1
    a: cython.longlong
    b: cython.longlong
    found: cython.Py_ssize_t = 0
    total: cython.longlong = 0
    for i in range(root.shape[0]):
        root[i] = i
    for t in range(N):
        for p in range(start[t], start[t + 1]):
            a, b = t, N + detection[p]
            while root[a] != a:
                root[a] = root[root[a]]
                a = root[a]
            while root[b] != b:
                root[b] = root[root[b]]
                b = root[b]
            if a < b:
                root[b] = a
            else:
                root[a] = b
    # A component's smallest member is a track, as tracks come first: it is the first that is met, and keeps the number.
    for t in range(N):
        begin[t] = 0
    for t in range(N):
        if start[t] == start[t + 1]:
            continue
        a = t
        while root[a] != a:
            a = root[a]
        if a == t:
            number[t] = found
            found += 1
        else:
            number[t] = number[a]
        begin[number[t]] += 1
    for c in range(found):
        size = begin[c]
        begin[c] = total
        total += size
    for t in range(N):
        if start[t] < start[t + 1]:
            member[begin[number[t]]] = t
            begin[number[t]] += 1
    for c in range(found, 0, -1):
        begin[c] = begin[c - 1]
    begin[0] = 0
    return found


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def by_detection(detection: cython.longlong[::1], row: cython.longlong[::1], pair: cython.longlong[::1]) -> cython.void:
    """Write the pairs of each detection in compressed rows: row (D + 1,), pair (K,)."""
    D = row.shape[0] - 1
    for d in range(D + 1):
        row[d] = 0
    for p in range(detection.shape[0]):
        row[detection[p]] += 1
    for d in range(D):
        row[d + 1] += row[d]
    for p in range(detection.shape[0] - 1, -1, -1):
        row[detection[p]] -= 1
        pair[row[detection[p]]] = p


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def marginals(
    start: cython.longlong[::1], detection: cython.longlong[::1], log_odds: cython.double[::1],
    member: cython.longlong[::1], begin: cython.longlong[::1], row: cython.longlong[::1], pair: cython.longlong[::1],
    odds: cython.double[::1], to_detection: cython.double[::1], to_track: cython.double[::1], others: cython.double[::1],
    probability: cython.double[::1], alone: cython.double[::1],
) -> cython.void:  # fmt: skip
    """Write the probability of each pair (K,), and of each detection that it belongs to no track (D,).

    Loopy belief propagation: Williams and Lau, Approximate evaluation of marginal association probabilities with belief
    propagation, IEEE Trans. AES 50 (2014), eq. 19-24. Exact in components without loops, so for all tracks that do not share
    two detections.

    Args:
        start, detection: the pairs.
        log_odds: (K,) ln of a pair's weight over that of leaving its track and its detection alone.
        member, begin: of `components`.
        row: (D + 1,), pair, odds, to_detection, to_track, others: (K,) scratch.
        probability, alone: to be written.
    """
    total: cython.double
    change: cython.double
    sent: cython.double
    by_detection(detection, row, pair)
    for d in range(alone.shape[0]):
        alone[d] = 1.0
    for p in range(detection.shape[0]):
        odds[p] = exp(min(log_odds[p], LARGEST_LOG_ODDS))
        to_track[p] = 1.0
    for c in range(begin.shape[0] - 1):
        t = member[begin[c]]
        if begin[c + 1] == begin[c] + 1 and start[t + 1] == start[t] + 1:  # a pair by itself
            p = start[t]
            probability[p] = odds[p] / (1.0 + odds[p])
            alone[detection[p]] = 1.0 / (1.0 + odds[p])
            continue
        for _ in range(MAX_ITERATIONS):
            # Sums over all pairs but one, from both ends: a difference of large numbers would lose the small ones.
            for k in range(begin[c], begin[c + 1]):
                t = member[k]
                total = 1.0
                for p in range(start[t], start[t + 1]):
                    others[p] = total
                    total += odds[p] * to_track[p]
                total = 0.0
                for p in range(start[t + 1] - 1, start[t] - 1, -1):
                    to_detection[p] = odds[p] / (others[p] + total)
                    total += odds[p] * to_track[p]
            change = 0.0
            for k in range(begin[c], begin[c + 1]):
                t = member[k]
                for q in range(start[t], start[t + 1]):
                    d = detection[q]
                    if pair[row[d]] != q:
                        continue  # each detection once, with its first track
                    total = 1.0
                    for i in range(row[d], row[d + 1]):
                        others[pair[i]] = total
                        total += to_detection[pair[i]]
                    alone[d] = 1.0 / total
                    total = 0.0
                    for i in range(row[d + 1] - 1, row[d] - 1, -1):
                        p = pair[i]
                        sent = 1.0 / (others[p] + total)
                        change = max(change, abs(sent - to_track[p]))
                        to_track[p] = sent
                        total += to_detection[p]
            if change < CONVERGED:
                break
        for k in range(begin[c], begin[c + 1]):
            t = member[k]
            total = 1.0
            for p in range(start[t], start[t + 1]):
                total += odds[p] * to_track[p]
            for p in range(start[t], start[t + 1]):
                probability[p] = odds[p] * to_track[p] / total


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def assign(
    start: cython.longlong[::1], detection: cython.longlong[::1], gain: cython.double[::1],
    member: cython.longlong[::1], whole: cython.longlong[::1], real: cython.double[::1], chosen: cython.longlong[::1],
) -> cython.void:  # fmt: skip
    """Write each track's pair (N,), -1 for none, in the assignment of the largest total gain.

    Shortest augmenting paths with potentials on the sparse graph (Jonker and Volgenant, Computing 38, 1987), a component at a
    time. A track may stay alone for a gain of 0, and a pair of less is never taken.

    Args:
        start, detection, gain: the pairs; member: of `components`.
        whole: (6 columns,), real: (N + 2 columns,) scratch, with D + N columns: the detections, and for each track to stay alone.
        chosen: to be written.
    """
    N = start.shape[0] - 1
    columns = whole.shape[0] // 6
    n_detections = columns - N
    holder: cython.longlong[::1] = whole[:columns]  # the track that holds a column
    holds: cython.longlong[::1] = whole[columns : 2 * columns]  # its pair
    via: cython.longlong[::1] = whole[2 * columns : 3 * columns]  # the column before, on the path
    by: cython.longlong[::1] = whole[3 * columns : 4 * columns]  # the pair by which the column was reached
    touched: cython.longlong[::1] = whole[4 * columns : 5 * columns]
    done: cython.longlong[::1] = whole[5 * columns :]
    u: cython.double[::1] = real[:N]
    v: cython.double[::1] = real[N : N + columns]
    shortest: cython.double[::1] = real[N + columns :]
    alone: cython.bint
    distance: cython.double
    n_touched: cython.Py_ssize_t
    column: cython.longlong
    t: cython.longlong
    d: cython.longlong
    for t in range(N):
        chosen[t], u[t] = -1, 0.0
    for d in range(columns):
        holder[d], holds[d], via[d], by[d], done[d] = -1, -1, -1, -1, False
        v[d], shortest[d] = 0.0, INFINITY
    for k in range(member.shape[0]):  # component by component: no path leaves its own
        first = member[k]
        n_touched, t, column, distance = 0, first, -1, 0.0
        while True:
            for p in range(start[t], start[t + 1] + 1):
                alone = p == start[t + 1]
                d = n_detections + t if alone else detection[p]
                if done[d]:
                    continue
                cost = distance + (0.0 if alone else -gain[p]) - u[t] - v[d]
                if shortest[d] == INFINITY:
                    touched[n_touched] = d
                    n_touched += 1
                if cost < shortest[d]:
                    shortest[d], via[d], by[d] = cost, column, -1 if alone else p
            column, distance = -1, INFINITY
            for i in range(n_touched):
                d = touched[i]
                if not done[d] and shortest[d] < distance:
                    column, distance = d, shortest[d]
            done[column] = True
            if holder[column] < 0:
                break
            t = holder[column]
        u[first] += distance
        for i in range(n_touched):
            d = touched[i]
            if done[d] and d != column:
                u[holder[d]] += distance - shortest[d]
                v[d] -= distance - shortest[d]
        while column >= 0:  # hand the columns on along the path
            before = via[column]
            holder[column] = first if before < 0 else holder[before]
            holds[column] = by[column]
            column = before
        for i in range(n_touched):
            d = touched[i]
            shortest[d], via[d], by[d], done[d] = INFINITY, -1, -1, False
    for d in range(n_detections):
        if holder[d] >= 0:
            chosen[holder[d]] = holds[d]


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def pair_log_odds(
    start: cython.longlong[::1], detection: cython.longlong[::1], log_likelihood: cython.double[::1],
    existence: cython.double[:], seen: cython.double[::1], shown: cython.double[::1], log_background: cython.double[::1],
    out: cython.double[::1],
) -> cython.void:  # fmt: skip
    """Write (K,) ln of the weight of each pair over that of a miss of its track and a detection from the background.

    Args:
        start, detection: the pairs; log_likelihood: (K,) ln p(z | track).
        existence, seen: (N,) probability that the track exists; that an existing one is detected, 0 outside the view.
        shown: (N,) the latter if it were in view: a detection of a track thought just outside shows that it is inside.
        log_background: (D,) ln of the density of detections from false alarms and new objects.
    """
    for t in range(existence.shape[0]):
        if start[t] == start[t + 1]:
            continue
        known = log(existence[t] * shown[t]) - log1p(-existence[t] * seen[t])
        for p in range(start[t], start[t + 1]):
            out[p] = known + log_likelihood[p] - log_background[detection[p]]


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def after_scan(
    start: cython.longlong[::1], probability: cython.double[::1], existence: cython.double[:], seen: cython.double[::1],
    hidden: cython.double[:], after: cython.double[:, ::1], share: cython.double[::1], best: cython.longlong[::1],
) -> cython.void:  # fmt: skip
    """Write what a scan leaves.

    Args:
        start, probability: the pairs and their association probabilities.
        existence, seen: as in `pair_log_odds`; hidden: (N,) that an existing object is hidden.
        after: (4, N) existence, hidden, share of a miss given existence, probability of a hit; share: (K,) of each pair, given
            existence; best: (N,) most probable pair, -1 for none; to be written.
    """
    total: cython.double
    most: cython.double
    for t in range(existence.shape[0]):
        total, most, best[t] = 0.0, 0.0, -1
        for p in range(start[t], start[t + 1]):
            total += probability[p]
            if probability[p] > most:
                most, best[t] = probability[p], p
        total = min(total, 1.0)
        unseen = existence[t] * (1.0 - seen[t]) / (1.0 - existence[t] * seen[t]) * (1.0 - total)
        after[0, t] = total + unseen
        behind = hidden[t] / (1.0 - seen[t])
        after[2, t], after[3, t] = unseen / after[0, t], total
        after[1, t] = after[2, t] * behind
        for p in range(start[t], start[t + 1]):
            share[p] = probability[p] / after[0, t]


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def sharpen(
    start: cython.longlong[::1], share: cython.double[::1], missed: cython.double[::1], exponent: cython.double
) -> cython.void:
    """Raise the shares (K,) and (N,) of each track's hypotheses to a power and normalise them again, in place.

    1 changes nothing; more leans towards the most probable hypothesis. The mean of all lets tracks of objects that move
    side by side flow together.
    """
    total: cython.double
    for t in range(missed.shape[0]):
        if start[t] == start[t + 1] or (missed[t] < CERTAIN and start[t] + 1 == start[t + 1]):
            continue
        missed[t] = missed[t] ** exponent
        total = missed[t]
        for p in range(start[t], start[t + 1]):
            share[p] = share[p] ** exponent
            total += share[p]
        missed[t] /= total
        for p in range(start[t], start[t + 1]):
            share[p] /= total


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def associate(
    start: cython.longlong[::1], detection: cython.longlong[::1], log_likelihood: cython.double[::1],
    existence: cython.double[:], hidden: cython.double[:], looked: cython.double[::1], in_vain: cython.double[::1],
    log_background: cython.double[::1],
    detection_probability: cython.double, best_only: cython.bint, sharpness: cython.double,
    whole: cython.longlong[::1], real: cython.double[::1], probability: cython.double[::1], alone: cython.double[::1],
    after: cython.double[:, ::1], share: cython.double[::1], best: cython.longlong[::1],
) -> cython.void:  # fmt: skip
    """Write the hypotheses of N tracks after a scan of D detections; see `tracking.association.associate`.

    Args:
        start to sharpness: as there.
        whole: (10 N + 8 D + K + 2,), real: (5 N + 2 D + 5 K,) scratch.
        probability, alone, after, share, best: as in `marginals` and `after_scan`; to be written.
    """
    N, D, K = existence.shape[0], alone.shape[0], detection.shape[0]
    seen: cython.double[::1] = real[:N]
    shown: cython.double[::1] = real[N : 2 * N]
    odds: cython.double[::1] = real[2 * N : 2 * N + K]
    rest: cython.double[::1] = real[2 * N + K :]
    root: cython.longlong[::1] = whole[: N + D]
    number: cython.longlong[::1] = whole[N + D : 2 * N + D]
    member: cython.longlong[::1] = whole[2 * N + D : 3 * N + D]
    begin: cython.longlong[::1] = whole[3 * N + D : 4 * N + D + 1]
    row: cython.longlong[::1] = whole[4 * N + D + 1 : 4 * N + 2 * D + 2]
    pair: cython.longlong[::1] = whole[4 * N + 2 * D + 2 : 4 * N + 2 * D + 2 + K]
    columns: cython.longlong[::1] = whole[4 * N + 2 * D + 2 + K :]
    for t in range(N):
        # What was looked at in vain before is less likely to be shown there, and more likely here.
        shown[t] = detection_probability / (1.0 - detection_probability * in_vain[t]) * (1.0 - hidden[t])
        seen[t] = shown[t] * looked[t]
    pair_log_odds(start, detection, log_likelihood, existence, seen, shown, log_background, odds)
    found = components(start, detection, root, number, member, begin)
    member = member[: begin[found]]
    begin = begin[: found + 1]
    marginals(
        start, detection, odds, member, begin, row, pair, rest[:K], rest[K : 2 * K], rest[2 * K : 3 * K], rest[3 * K : 4 * K],
        probability, alone,
    )  # fmt: skip
    after_scan(start, probability, existence, seen, hidden, after, share, best)
    if best_only:
        # Between tracks taken to exist: a new one would else never be worth its detection.
        for t in range(N):
            rest[t] = 1.0
        pair_log_odds(start, detection, log_likelihood, rest[:N], seen, shown, log_background, odds)
        assign(start, detection, odds, member, columns, rest[: 3 * N + 2 * D], best)
        for t in range(N):
            after[2, t] = 0.0 if best[t] >= 0 else 1.0
            for p in range(start[t], start[t + 1]):
                share[p] = 1.0 if p == best[t] else 0.0
    elif sharpness != 1.0:
        sharpen(start, share, after[2], sharpness)
