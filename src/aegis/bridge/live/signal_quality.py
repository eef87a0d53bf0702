# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How well the radar sees, from what its detections state of themselves."""

from __future__ import annotations

import numpy as np

from aegis.bridge.live.state import LiveState
from aegis.core.types import Floats


def signal_quality(state: LiveState) -> dict[str, object]:
    """Return the spread of signal, noise and claimed errors over the last scan; there is one."""
    assert state.detections is not None
    d = state.detections.data
    sigma = np.sqrt(d.variance)
    return {
        "detections": len(d),
        "snr_db": _spread(d.snr_db, 2),
        "noise_db": _spread(d.noise_db, 2),
        "rcs_dbsm": _spread(d.rcs_dbsm, 2),
        "range_sigma_m": _spread(sigma[:, 0], 3),
        "azimuth_sigma_deg": _spread(np.degrees(sigma[:, 1]), 4),
        "noise_floor": state.noise_floor(),
        "signals": state.ew()["signals"],
        "scans_lost": state.scans_lost,
    }


def _spread(values: Floats, digits: int) -> dict[str, float | None]:
    """Return median and tenths of the known values; null where none is known."""
    known = values[np.isfinite(values)]
    if not len(known):
        return {"median": None, "p10": None, "p90": None}
    p10, median, p90 = np.percentile(known, [10, 50, 90])
    return {"median": round(float(median), digits), "p10": round(float(p10), digits), "p90": round(float(p90), digits)}
