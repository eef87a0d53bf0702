# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Window functions by the names of the parameters."""

from __future__ import annotations

import numpy as np
from scipy.signal import get_window

from aegis.core.signal.settings import WindowName
from aegis.core.types import Floats


def window(name: WindowName, n: int, sidelobe_db: float = 60.0) -> Floats:
    """Return (n,) a window for a DFT (periodic); `sidelobe_db` is for chebyshev."""
    if name == "none":
        return np.ones(n)
    out: Floats = get_window(("chebwin", sidelobe_db) if name == "chebyshev" else name, n)
    return out


def taper(name: WindowName, position: Floats, sidelobe_db: float = 60.0) -> Floats:
    """Return (M,) weights for elements at these places along one axis of an array [m]; all 1 where they are all at one place."""
    places = np.unique(np.round(position, 9))
    if name == "none" or len(places) == 1:
        return np.ones(len(position))
    pitch = float(np.diff(places).min())
    share = (position - places[0] + 0.5 * pitch) / (places[-1] - places[0] + pitch)  # elements fill the aperture
    fine = window(name, 1024, sidelobe_db)
    out: Floats = np.interp(share, np.arange(1025) / 1024.0, np.append(fine, fine[0]))
    return out
