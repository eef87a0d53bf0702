# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The root of a function between two points."""

from __future__ import annotations

import math
from collections.abc import Callable

STEPS = 200  # halve any interval of numbers of one magnitude to nothing


def root_between(function: Callable[[float], float], low: float, high: float, tolerance: float) -> float:
    """Return where a continuous function is 0, to within a tolerance; it has different signs at the ends.

    Bisection, and inverse quadratic interpolation where that is safe: Chandrupatla, A new hybrid quadratic/bisection algorithm for
    finding the zero of a nonlinear function without using derivatives, Advances in Engineering Software 28(3), 1997.

    Raises:
        ValueError: the function has the same sign at both ends.
    """
    a, b = high, low
    at_a, at_b = function(a), function(b)
    if at_a * at_b > 0.0:
        raise ValueError(f"the function is {at_b:g} at {low:g} and {at_a:g} at {high:g}; different signs are expected")
    c, at_c = a, at_a
    share = 0.5
    for _ in range(STEPS):
        x = a + share * (b - a)
        at_x = function(x)
        if math.copysign(1.0, at_x) == math.copysign(1.0, at_a):
            c, at_c = a, at_a
        else:
            c, b, at_c, at_b = b, a, at_b, at_a
        a, at_a = x, at_x
        best, at_best = (a, at_a) if abs(at_a) < abs(at_b) else (b, at_b)
        least = tolerance / max(abs(b - a), 1e-300)
        if at_best == 0.0 or least >= 1.0:
            return best
        share = 0.5
        xi, phi = (a - b) / (c - b), (at_a - at_b) / (at_c - at_b)
        if phi * phi < xi and (1.0 - phi) * (1.0 - phi) < 1.0 - xi:
            share = at_a / (at_b - at_a) * at_c / (at_b - at_c)
            share += (c - a) / (b - a) * at_a / (at_c - at_a) * at_b / (at_c - at_b)
        share = min(max(share, 0.5 * least), 1.0 - 0.5 * least)
    return best
