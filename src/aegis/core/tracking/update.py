# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measurement update of all tracks: an extended Kalman filter a mode and detection, and the mixture of what may have happened."""

from __future__ import annotations

import numpy as np

from aegis.core.kernels import update as kernels
from aegis.core.tracking.association import Moved, Pairs
from aegis.core.tracking.measurement import Plots
from aegis.core.tracking.motion import Kinematics
from aegis.core.types import Floats


def update(
    tracks: Kinematics, pairs: Pairs, plots: Plots, share: Floats, missed: Floats, moved: Moved | None = None
) -> None:
    """Update the tracks by a scan, in place.

    In each mode the hypotheses that the track was missed or gave one of its detections become one Gaussian with the same mean and
    covariance.

    Args:
        tracks: predicted.
        pairs: as from `association.gate`, of these tracks; plots: the detections.
        share: (K,) probability of each pair, missed: (N,) of no detection, both given that the track exists; they add up to 1.
        moved: how the tracks came here, for detections that are older; None: not at all.
    """
    moved = moved or Moved.not_at_all(tracks)
    _, modes, n = tracks.x.shape
    kernels.update(
        *tracks, pairs.start, pairs.detection, pairs.by_mode, pairs.log_likelihood, pairs.innovation, pairs.jacobian, pairs.slope,
        plots.polar, plots.variance, plots.measured.view(np.uint8), plots.age, *moved, share, missed,
        np.empty((1, modes, n)), np.empty((1, modes, n, n)), np.empty((n, n)),
    )  # fmt: skip
