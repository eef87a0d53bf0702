"""What the detections of a scan do to the tracks: gate, association, existence, update, in their order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.tracking.association import How, Hypotheses, Moved, Pairs, associate, gate
from aegis.core.tracking.measurement import Plots, SensorView
from aegis.core.tracking.motion import Kinematics
from aegis.core.tracking.update import update
from aegis.core.types import Floats


class Predicted(NamedTuple):
    """What a scan finds of N tracks."""

    tracks: Kinematics
    existence: Floats  # (N,) probability
    hidden: Floats  # (N,) probability
    visible: NDArray[np.bool_]  # (N,) whether it is in view
    centre: Floats  # (N, 3) mean and variance of their positions
    spread: Floats
    moved: Moved


class Observed(NamedTuple):
    """What the scan leaves, besides the updated tracks."""

    pairs: Pairs
    hypotheses: Hypotheses


def observe(before: Predicted, view: SensorView, plots: Plots, log_background: Floats, how: How) -> Observed:
    """Update the tracks in place; return what else the scan leaves.

    Args:
        before: the tracks, predicted.
        view: of the sensor.
        plots: the detections, in the order of `association.gate_keys`.
        log_background: (D,) as in `association.associate`.
        how: to associate them.
    """
    pairs = gate(before.tracks, before.centre, before.spread, view.pose, plots, how.bound, before.moved)
    hypotheses = associate(
        pairs, before.existence, before.hidden, before.visible, view.detection_probability, log_background, how
    )
    update(before.tracks, pairs, plots, hypotheses.share, hypotheses.missed, before.moved)
    return Observed(pairs, hypotheses)
