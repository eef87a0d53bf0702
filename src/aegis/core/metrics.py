# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How good a picture is, against truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from aegis.core.types import Floats


@dataclass(frozen=True)
class Gospa:
    """GOSPA with alpha = 2, and what it is made of; `total`^p is the sum of the three parts."""

    total: float
    localisation: float  # sum of distance^p over assigned pairs
    missed: float  # c^p / 2 for each
    false: float  # c^p / 2 for each


def gospa(truth: Floats, estimate: Floats, *, c: float, p: float = 2.0) -> Gospa:
    """Return the generalised optimal sub-pattern assignment metric, alpha = 2.

    Rahmathullah, Garcia-Fernandez, Svensson, Generalized optimal sub-pattern assignment metric (FUSION 2017), eq. 1 and
    proposition 1.

    Args:
        truth: (N, D) positions; estimate: (M, D) positions.
        c: distance beyond which a pair counts as one missed and one false object.
        p: order.
    """
    squares = np.zeros((len(truth), len(estimate)))
    for axis in range(truth.shape[1]):
        squares += (truth[:, None, axis] - estimate[None, :, axis]) ** 2
    return gospa_of(np.sqrt(squares), c=c, p=p)


def gospa_of(distance: Floats, *, c: float, p: float = 2.0) -> Gospa:
    """Return the same of the distances (N, M) of objects and tracks."""
    n, m = distance.shape
    cost = np.minimum(distance, c)
    cost **= p  # in place: memory takes longer than the sums
    i, j = np.divmod(np.flatnonzero(cost < c**p), max(m, 1))
    # Where no two compete, all of these are assigned.
    if (np.diff(i) == 0).any() or (np.bincount(j) > 1).any():
        i, j = linear_sum_assignment(cost)
    pairs = cost[i, j]
    assigned = pairs < c**p
    localisation = float(pairs[assigned].sum())
    missed = (n - int(assigned.sum())) * c**p / 2.0
    false = (m - int(assigned.sum())) * c**p / 2.0
    return Gospa((localisation + missed + false) ** (1.0 / p), localisation, missed, false)
