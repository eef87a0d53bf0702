# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where protected assets are that move with the platform."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aegis.core.odometry import PlatformState
from aegis.core.rotation import matrix_of
from aegis.core.types import Floats

LONGEST_AGE_S = 2.0  # odometry that is older or newer by more says nothing of now


class AssetPlace(NamedTuple):
    """Where a protected asset is now, in `map`, and how it moves."""

    position: Floats  # (3,) [m]
    velocity: Floats  # (3,) [m/s]


def place_on(platform: PlatformState, lever: Floats, stamp_ns: int) -> AssetPlace | None:
    """Return where a point of the platform is at a time; None where the odometry is not of that time.

    Args:
        platform: its latest state; from there it goes on straight.
        lever: (3,) the point in the platform's frame [m].
        stamp_ns: the time [ns].
    """
    after_s = (stamp_ns - platform.stamp_ns) * 1e-9
    if abs(after_s) > LONGEST_AGE_S:
        return None
    turn = matrix_of(platform.orientation)
    velocity = turn @ (platform.velocity + np.cross(platform.turn_rate, lever))
    return AssetPlace(platform.position + turn @ lever + velocity * after_s, velocity)
