# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The association's kernels, one by one, with the arrays that they write made here; `associate` calls them in their order."""

import numpy as np

from aegis.core.kernels import association as kernels


def components(start, detection, detections):
    """Return the tracks that have pairs, by component, and where each component begins."""
    n = len(start) - 1
    member, begin = np.empty(n, np.int64), np.empty(n + 1, np.int64)
    found = kernels.components(
        start, detection, np.empty(n + detections, np.int64), np.empty(n, np.int64), member, begin
    )
    return member[: begin[found]], begin[: found + 1]


def marginals(start, detection, log_odds, detections, parts):
    """Return the probability of each pair, and of each detection that it belongs to no track."""
    pairs = len(detection)
    probability, alone = np.empty(pairs), np.empty(detections)
    row, pair = np.empty(detections + 1, np.int64), np.empty(pairs, np.int64)
    kernels.marginals(start, detection, log_odds, *parts, row, pair, *np.empty((4, pairs)), probability, alone)
    return probability, alone


def assign(start, detection, gain, detections, parts):
    """Return each track's pair, -1 for none."""
    n = len(start) - 1
    columns = detections + n
    chosen = np.empty(n, np.int64)
    kernels.assign(start, detection, gain, parts[0], np.empty(6 * columns, np.int64), np.empty(n + 2 * columns), chosen)
    return chosen


def pair_log_odds(start, detection, log_likelihood, existence, seen, shown, log_background):
    """Return ln of the weight of each pair."""
    out = np.empty(len(detection))
    kernels.pair_log_odds(start, detection, log_likelihood, existence, seen, shown, log_background, out)
    return out


def after_scan(start, probability, existence, seen, hidden, in_view, detection_probability):
    """Return existence, hidden, shares of pairs, share of a miss, probability of a hit, best pair."""
    after, share, best = np.empty((4, len(existence))), np.empty(len(probability)), np.empty(len(existence), np.int64)
    kernels.after_scan(start, probability, existence, seen, hidden, after, share, best)
    return after[0], after[1], share, after[2], after[3], best


def sharpen(start, share, missed, exponent):
    """Return the shares, sharpened."""
    share, missed = share.copy(), missed.copy()
    kernels.sharpen(start, share, missed, exponent)
    return share, missed
