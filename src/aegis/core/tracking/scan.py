# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the detections of a scan do to the tracks: gate, association, existence, update, in their order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.tracking.association import How, Hypotheses, Known, Moved, Pairs, associate, gate, in_one_cell, without
from aegis.core.tracking.measurement import Plots, SensorView
from aegis.core.tracking.motion import Kinematics
from aegis.core.tracking.update import update
from aegis.core.types import Floats

CELL_MOST = 0.95  # probability that two objects at one place give one detection


class Predicted(NamedTuple):
    """What a scan finds of N tracks."""

    tracks: Kinematics
    existence: Floats  # (N,) probability
    hidden: Floats  # (N,) probability
    visible: NDArray[np.bool_]  # (N,) whether it is in the sensor's view
    centre: Floats  # (N, 3) mean and variance of their positions
    spread: Floats
    moved: Moved
    known: Known


class Observed(NamedTuple):
    """What the scan leaves, besides the updated tracks."""

    pairs: Pairs
    hypotheses: Hypotheses
    close: Floats  # (N,) probability that another sure track is in the same cell of the sensor


class Part(NamedTuple):
    """What of its view a sensor has looked at, where that is not all."""

    covered: Floats  # (N,) probability that it was a track's place
    taken: NDArray[np.bool_]  # (N,) whether it has shown the track in this pass already
    in_vain: Floats  # (N,) probability that it has looked at its place in this pass already, and not shown it


def observe(
    before: Predicted, view: SensorView, plots: Plots, log_background: Floats, how: How, part: Part | None = None
) -> Observed:
    """Update the tracks in place; return what else the scan leaves.

    Args:
        before: the tracks, predicted.
        view: of the sensor.
        plots: the detections, in the order of `association.gate_keys`.
        log_background: (D,) as in `association.associate`.
        how: to associate them.
        part: of the view; None: all of it.
    """
    pairs = gate(before.tracks, before.centre, before.spread, view.pose, plots, how.bound, before.moved)
    visible = before.visible
    hidden, close = before.hidden, np.zeros((2, len(visible)))
    if how.cell_sigmas > 0.0:
        close = in_one_cell(pairs, before.centre, plots.position_sigma, before.known, how.cell_sigmas)
        hidden = np.maximum(hidden, CELL_MOST * close[1])
    looked, in_vain = visible.astype(np.float64), np.zeros(len(visible))
    if part is not None:
        looked *= np.where(part.taken, 0.0, np.minimum(part.covered, 1.0 - part.in_vain))
        in_vain = np.where(visible, part.in_vain, 0.0)
        if part.taken.any():
            pairs = without(pairs, part.taken)
    hypotheses = associate(
        pairs, before.existence, hidden, looked, in_vain, view.detection_probability, log_background, how
    )
    update(before.tracks, pairs, plots, hypotheses.share, hypotheses.missed, before.moved)
    return Observed(pairs, hypotheses, close[0])
