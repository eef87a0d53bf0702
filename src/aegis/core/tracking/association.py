"""Which detection belongs to which track: a gate, then the probabilities of all pairs, or the best assignment.

Pairs are kept in compressed rows: the pairs of track t are start[t]:start[t + 1], the index of the detection is in `detection`.
Tracks and detections fall into components that share no pair; each is solved by itself.
"""

from __future__ import annotations

import math

import numpy as np

from aegis.core.compiled import compiled
from aegis.core.tracking.measurement import AZIMUTH, expect, spread_of, wrapped
from aegis.core.types import Floats, Ints

LOG_2PI = math.log(2.0 * math.pi)
LARGEST_LOG_ODDS = 200.0  # exp of more could overflow in sums and products; it is certainty anyway
MAX_ITERATIONS = 500  # of belief propagation within one component
CONVERGED = 1e-7  # largest change of a message


@compiled
def mahalanobis(
    y: Floats, S: Floats, m: int, variance: Floats, measured: np.ndarray, d: int, L: Floats, w: Floats, index: Ints
) -> tuple[float, float, int]:
    """Return y' C^-1 y, ln det C and the number of components, with C = S[m] + diag(variance[d]), over what was measured.

    Args:
        y: (4,); S: (M, 4, 4); variance, measured: (D, 4).
        L, w, index: (4, 4), (4,), (4,) scratch for the Cholesky factor, L^-1 y and the components.
    """
    # What a radar without height and Doppler gives, by far the most common case, in closed form.
    if measured[d, 0] and measured[d, 1] and not (measured[d, 2] or measured[d, 3]):
        p, q, r = S[m, 0, 0] + variance[d, 0], S[m, 1, 0], S[m, 1, 1] + variance[d, 1]
        det = max(p * r - q * q, variance[d, 0] * variance[d, 1])  # never less in exact arithmetic
        return (r * y[0] * y[0] - 2.0 * q * y[0] * y[1] + p * y[1] * y[1]) / det, math.log(det), 2
    distance, det, k = 0.0, 1.0, 0
    for i in range(4):
        if not measured[d, i]:
            continue
        index[k] = i
        rest, value = S[m, i, i] + variance[d, i], y[i]
        for b in range(k):
            total = S[m, i, index[b]]
            for c in range(b):
                total -= L[k, c] * L[b, c]
            L[k, b] = total / L[b, b]
            rest -= L[k, b] * L[k, b]
            value -= L[k, b] * w[b]
        L[k, k] = math.sqrt(max(rest, variance[d, i]))  # never less in exact arithmetic
        w[k] = value / L[k, k]
        distance += w[k] * w[k]
        det *= L[k, k]
        k += 1
    return distance, 2.0 * math.log(det), k


@compiled
def strips(position: Floats) -> tuple[float, float, int]:
    """Return where strips along y begin [m], their height [m] and number, for detections (D, 3): about sqrt(D) in each."""
    count = max(1, int(math.sqrt(len(position))))
    if not len(position):
        return 0.0, 1.0, count
    low, high = position[0, 1], position[0, 1]
    for d in range(len(position)):
        low, high = min(low, position[d, 1]), max(high, position[d, 1])
    return low, max((high - low) / count, 1e-9), count


@compiled
def strip_of(y: float, low: float, height: float, count: int) -> int:
    """Return the number of the strip that y is in, or the nearest one."""
    return int(min(max((y - low) / height, 0.0), count - 1.0))


@compiled
def gate_keys(position: Floats) -> Floats:
    """Return (D,) keys whose order is by strip, and by x within each: the order that `gate` wants."""
    low, height, count = strips(position)
    keys = np.empty(len(position))
    if not len(position):
        return keys
    west, east = position[0, 0], position[0, 0]
    for d in range(len(position)):
        west, east = min(west, position[d, 0]), max(east, position[d, 0])
    width = 2.0 * (east - west) + 1.0
    for d in range(len(position)):
        keys[d] = strip_of(position[d, 1], low, height, count) * width + (position[d, 0] - west)
    return keys


@compiled
def gate(
    centre: Floats, spread: Floats, x: Floats, P: Floats, weight: Floats,
    origin: Floats, R: Floats, platform: Floats, wanted: np.ndarray,
    position: Floats, sigma: Floats, value: Floats, variance: Floats, measured: np.ndarray, polar: bool, bound: Floats,
) -> tuple[Ints, Ints, Floats, Floats, Floats]:  # fmt: skip
    """Return the pairs within the gate of any mode: start (N + 1,), detection (K,), and ln p(z | track, mode) (K, M),
    ln p(z | track) (K,), and the distances of the most probable mode as (K, 2): squared, and components measured.

    Args:
        centre, spread: (N, 3) mean and variance of the tracks' positions in map.
        x, P, weight: (N, M, n), (N, M, n, n), (N, M) of the predicted tracks.
        origin, R, platform: of the sensor, as in `measurement.expect`; wanted: (4,) components that any detection has.
        position, sigma: (D, 3) detections in map, in the order of `gate_keys`, and (D,) their largest standard deviation.
        value, variance, measured: (D, 4).
        polar: component 1 is an angle.
        bound: (5,) largest squared distance for a measurement of so many components.
    """
    N, M = weight.shape
    widest = 0.0
    any_height = False
    for d in range(len(sigma)):
        widest = max(widest, sigma[d])
        any_height = any_height or measured[d, 2]
    start = np.zeros(N + 1, np.int64)
    capacity = max(64, 2 * len(sigma))
    detection = np.empty(capacity, np.int64)
    by_mode, total = np.empty((capacity, M)), np.empty(capacity)
    normalised = np.empty((capacity, 2))
    y, L, w, index = np.empty(4), np.empty((4, 4)), np.empty(4), np.empty(4, np.int64)
    plain = not polar and not wanted[3]  # the measurement is the position itself
    expected, H, S = np.zeros((M, 4)), np.zeros((M, 4, x.shape[2])), np.empty((M, 4, 4))
    low, height, n_strips = strips(position)
    begin = np.zeros(n_strips + 1, np.int64)
    for d in range(len(position)):
        begin[strip_of(position[d, 1], low, height, n_strips) + 1] += 1
    for k in range(n_strips):
        begin[k + 1] += begin[k]
    count = 0
    for t in range(N):
        reach = math.sqrt(bound[4] * (spread[t, 0] + widest * widest))
        reach_y = math.sqrt(bound[4] * (spread[t, 1] + widest * widest))
        west, east = centre[t, 0] - reach, centre[t, 0] + reach
        strip = strip_of(centre[t, 1] - reach_y, low, height, n_strips)
        last = strip_of(centre[t, 1] + reach_y, low, height, n_strips)
        d, known = _first(position, begin[strip], begin[strip + 1], west) - 1, False
        while True:
            d += 1
            if d >= begin[strip + 1] or position[d, 0] > east:
                strip += 1
                if strip > last:
                    break
                d = _first(position, begin[strip], begin[strip + 1], west) - 1
                continue
            dy = position[d, 1] - centre[t, 1]
            if dy * dy > bound[4] * (spread[t, 1] + sigma[d] * sigma[d]):
                continue
            if any_height and measured[d, 2]:
                dz = position[d, 2] - centre[t, 2]
                if dz * dz > bound[4] * (spread[t, 2] + sigma[d] * sigma[d]):
                    continue
            if not known:
                for m in range(M):
                    if plain:
                        for i in range(3):
                            expected[m, i] = x[t, m, i]
                            for j in range(3):
                                S[m, i, j] = P[t, m, i, j]
                    else:
                        expect(x[t, m], origin, R, platform, polar, expected[m], H[m])
                        spread_of(P[t, m], H[m], wanted, S[m])
                known = True
            if count == capacity:
                capacity *= 2
                detection = np.concatenate((detection, np.empty(capacity - count, np.int64)))
                by_mode = np.concatenate((by_mode, np.empty((capacity - count, M))))
                total = np.concatenate((total, np.empty(capacity - count)))
                normalised = np.concatenate((normalised, np.empty((capacity - count, 2))))
            inside, best, most = False, -1.0, -np.inf
            for m in range(M):
                for i in range(4):
                    y[i] = value[d, i] - expected[m, i]
                if polar:
                    y[AZIMUTH] = wrapped(y[AZIMUTH])
                distance, log_det, k = mahalanobis(y, S, m, variance, measured, d, L, w, index)
                inside = inside or distance <= bound[k]
                by_mode[count, m] = -0.5 * (distance + log_det + k * LOG_2PI)
                most = max(most, by_mode[count, m])
                if weight[t, m] > best:
                    best = weight[t, m]
                    normalised[count, 0], normalised[count, 1] = distance, k
            if not inside:
                continue
            total[count] = most
            if M > 1:
                likelihood = 0.0
                for m in range(M):
                    likelihood += weight[t, m] * math.exp(by_mode[count, m] - most)
                total[count] += math.log(likelihood)
            detection[count] = d
            count += 1
        start[t + 1] = count
    return start, detection[:count], by_mode[:count], total[:count], normalised[:count]


@compiled
def _first(position: Floats, first: int, last: int, west: float) -> int:
    """Return the first index from `first` to `last` whose x is not west of `west`."""
    while first < last:
        middle = (first + last) // 2
        if position[middle, 0] < west:
            first = middle + 1
        else:
            last = middle
    return first


@compiled
def components(start: Ints, detection: Ints, n_detections: int) -> tuple[Ints, Ints]:
    """Return the tracks that have pairs, ordered by component (T,), and where each component begins in them (C + 1,)."""
    N = len(start) - 1
    root = np.arange(N + n_detections)
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
    label = np.full(N, -1, np.int64)  # a component's smallest member is a track: tracks come first
    size = np.zeros(N + 1, np.int64)
    found = 0
    number = np.empty(N, np.int64)
    for t in range(N):
        if start[t] == start[t + 1]:
            continue
        a = t
        while root[a] != a:
            a = root[a]
        if label[a] < 0:
            label[a] = found
            found += 1
        number[t] = label[a]
        size[label[a] + 1] += 1
    begin = np.zeros(found + 1, np.int64)
    for c in range(found):
        begin[c + 1] = begin[c] + size[c + 1]
    member = np.empty(begin[found], np.int64)
    at = begin[:found].copy()
    for t in range(N):
        if start[t] < start[t + 1]:
            member[at[number[t]]] = t
            at[number[t]] += 1
    return member, begin


@compiled
def _by_detection(start: Ints, detection: Ints, n_detections: int) -> tuple[Ints, Ints]:
    """Return the pairs of each detection in compressed rows: begin (D + 1,), pair (K,)."""
    begin = np.zeros(n_detections + 1, np.int64)
    for p in range(len(detection)):
        begin[detection[p] + 1] += 1
    for d in range(n_detections):
        begin[d + 1] += begin[d]
    at = begin[:n_detections].copy()
    pair = np.empty(len(detection), np.int64)
    for p in range(len(detection)):
        pair[at[detection[p]]] = p
        at[detection[p]] += 1
    return begin, pair


@compiled
def marginals(
    start: Ints, detection: Ints, log_odds: Floats, n_detections: int, member: Ints, begin: Ints
) -> tuple[Floats, Floats]:
    """Return the probability of each pair (K,), and of each detection that it belongs to no track (D,).

    Loopy belief propagation: Williams and Lau, Approximate evaluation of marginal association probabilities with belief
    propagation, IEEE Trans. AES 50 (2014), eq. 19-24. Exact in components without loops, so for all tracks that do not share
    two detections.

    Args:
        start, detection: the pairs.
        log_odds: (K,) ln of a pair's weight over that of leaving its track and its detection alone.
        n_detections: D.
        member, begin: of `components`.
    """
    probability, alone = np.empty(len(detection)), np.ones(n_detections)
    odds = np.empty(len(detection))
    for p in range(len(detection)):
        odds[p] = math.exp(min(log_odds[p], LARGEST_LOG_ODDS))
    row, pair = _by_detection(start, detection, n_detections)
    to_detection, to_track, others = np.empty(len(odds)), np.ones(len(odds)), np.empty(len(odds))
    for c in range(len(begin) - 1):
        tracks = member[begin[c] : begin[c + 1]]
        if len(tracks) == 1 and start[tracks[0] + 1] == start[tracks[0]] + 1:  # a pair by itself
            p = start[tracks[0]]
            probability[p] = odds[p] / (1.0 + odds[p])
            alone[detection[p]] = 1.0 / (1.0 + odds[p])
            continue
        for _ in range(MAX_ITERATIONS):
            # Sums over all pairs but one, from both ends: a difference of large numbers would lose the small ones.
            for t in tracks:
                total = 1.0
                for p in range(start[t], start[t + 1]):
                    others[p] = total
                    total += odds[p] * to_track[p]
                total = 0.0
                for p in range(start[t + 1] - 1, start[t] - 1, -1):
                    to_detection[p] = odds[p] / (others[p] + total)
                    total += odds[p] * to_track[p]
            change = 0.0
            for t in tracks:
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
                        message = 1.0 / (others[pair[i]] + total)
                        change = max(change, abs(message - to_track[pair[i]]))
                        to_track[pair[i]] = message
                        total += to_detection[pair[i]]
            if change < CONVERGED:
                break
        for t in tracks:
            total = 1.0
            for p in range(start[t], start[t + 1]):
                total += odds[p] * to_track[p]
            for p in range(start[t], start[t + 1]):
                probability[p] = odds[p] * to_track[p] / total
    return probability, alone


@compiled
def assign(start: Ints, detection: Ints, gain: Floats, n_detections: int, member: Ints, begin: Ints) -> Ints:
    """Return each track's pair (N,) in the assignment of the largest total gain, -1 for none.

    Shortest augmenting paths with potentials on the sparse graph (Jonker and Volgenant, Computing 38, 1987), a component at a
    time. A track may stay alone for a gain of 0, and a pair of less is never taken.
    """
    N = len(start) - 1
    chosen = np.full(N, -1, np.int64)
    columns = n_detections + N  # a detection each, and for each track the choice to stay alone
    holder, holds = np.full(columns, -1, np.int64), np.full(columns, -1, np.int64)  # track, and its pair
    u, v = np.zeros(N), np.zeros(columns)
    shortest, via = np.full(columns, np.inf), np.full(columns, -1, np.int64)
    by = np.full(columns, -1, np.int64)  # the pair by which a column was reached
    done = np.zeros(columns, np.bool_)
    touched = np.empty(columns, np.int64)
    for c in range(len(begin) - 1):
        for first in member[begin[c] : begin[c + 1]]:
            n_touched, t, column, distance = 0, first, -1, 0.0
            while True:
                for p in range(start[t], start[t + 1] + 1):
                    alone = p == start[t + 1]
                    d = n_detections + t if alone else detection[p]
                    if done[d]:
                        continue
                    cost = distance + (0.0 if alone else -gain[p]) - u[t] - v[d]
                    if shortest[d] == np.inf:
                        touched[n_touched] = d
                        n_touched += 1
                    if cost < shortest[d]:
                        shortest[d], via[d], by[d] = cost, column, -1 if alone else p
                column, distance = -1, np.inf
                for i in range(n_touched):
                    d = touched[i]
                    if not done[d] and (shortest[d] < distance):
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
                shortest[d], via[d], by[d], done[d] = np.inf, -1, -1, False
    for d in range(n_detections):
        if holder[d] >= 0:
            chosen[holder[d]] = holds[d]
    return chosen
