# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters that every node has which takes somebody else's objects; each has its own defaults."""

from __future__ import annotations

from aegis.core.params import param


def period(default_s: float) -> float:
    """Return the parameter `period_s`."""
    return param(
        default_s, "How often the objects of each source are handed to the fusion.", unit="s", ge=0.05, le=60.0
    )


def keep(default_s: float, why: str = "") -> float:
    """Return the parameter `keep_s`; `why` is a sentence on its default."""
    text = f"An object that its source has not reported for so long is dropped. {why}".rstrip()
    return param(default_s, text, unit="s", gt=0.0, le=600.0)


def clock_error(default_s: float) -> float:
    """Return the parameter `clock_error_s`."""
    text = "A report whose time differs from this machine's clock by more than this is refused."
    return param(default_s, text, unit="s", gt=0.0, le=3600.0)


def position_sigma(default_m: float) -> float:
    """Return the parameter `position_sigma_m`."""
    return param(default_m, "Error (one sigma) of a place whose source does not state it.", unit="m", gt=0.0)


def velocity_sigma(default_mps: float) -> float:
    """Return the parameter `velocity_sigma_mps`."""
    return param(default_mps, "Error (one sigma) of a velocity that is stated without one.", unit="m/s", gt=0.0)


def speed_sigma(default_mps: float) -> float:
    """Return the parameter `speed_sigma_mps`."""
    text = "Speeds (one sigma, along each axis) that an object may have whose source states no velocity."
    return param(default_mps, text, unit="m/s", gt=0.0)
