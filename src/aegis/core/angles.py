# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Angles as arrays; the tracker's kernels have their own of one angle at a time (`tracking.measurement.wrapped`)."""

from __future__ import annotations

import numpy as np

from aegis.core.types import Floats


def wrapped(angle: Floats) -> Floats:
    """Return angles in [-pi, pi) [rad]."""
    out: Floats = (angle + np.pi) % (2.0 * np.pi) - np.pi
    return out
