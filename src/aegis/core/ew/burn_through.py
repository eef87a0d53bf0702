# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How far a jammed radar still sees: the radar equation against the one-way link of the jammer."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike


def burn_through_range(
    radar_eirp_w: float,
    rcs_m2: float,
    jammer_eirp_w: float,
    jammer_bandwidth_hz: float,
    radar_bandwidth_hz: float,
    jammer_to_signal: float = 1.0,
) -> float:
    """Return the range [m] at which a self-screening jammer is J / S over the echo of its carrier.

    R = sqrt(Pt Gt sigma B_J / (4 pi P_J G_J B_R) (J / S)), with B_J / B_R at least 1: a jammer of less bandwidth than the
    receiver puts all
    of its power into it (Adamy, EW 101, ch. 9; Skolnik, 3rd ed., ch. 10). Losses of transmission belong into `radar_eirp_w`;
    those of reception cancel.

    Raises:
        ValueError: a value that is not positive.
    """
    values = (radar_eirp_w, rcs_m2, jammer_eirp_w, jammer_bandwidth_hz, radar_bandwidth_hz, jammer_to_signal)
    if not all(math.isfinite(value) and value > 0.0 for value in values):
        raise ValueError(f"burn-through range of {values}; positive numbers are expected")
    share = max(1.0, jammer_bandwidth_hz / radar_bandwidth_hz)
    return math.sqrt(radar_eirp_w * rcs_m2 * share * jammer_to_signal / (4.0 * math.pi * jammer_eirp_w))


def range_share(jammer_to_noise: ArrayLike) -> np.float64:
    """Return the detection range beside a noise jammer that stays where it is, as a share of the quiet one: (1 + JNR)^(-1/4)."""
    return np.float64((1.0 + np.asarray(jammer_to_noise, dtype=np.float64)) ** -0.25)
