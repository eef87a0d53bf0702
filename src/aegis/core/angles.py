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


def compass_text(degrees: float, digits: int = 0) -> str:
    """Return a direction clockwise from north as it is read, from 0 and below 360: 359.97 with one digit is 0.0, not 360.0."""
    return f"{round(degrees, digits) % 360.0:.{digits}f}"
