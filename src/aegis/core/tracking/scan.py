"""What the detections of a scan do to the tracks: gate, association, existence, update, in their order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.tracking.association import Pairs, assign, components, gate, marginals
from aegis.core.tracking.existence import after_scan, pair_log_odds, sharpen
from aegis.core.tracking.measurement import Plots, SensorView, in_view
from aegis.core.tracking.motion import Kinematics
from aegis.core.tracking.update import update
from aegis.core.types import Floats, Ints


class Predicted(NamedTuple):
    """What a scan finds of N tracks."""

    tracks: Kinematics
    existence: Floats  # (N,) probability
    hidden: Floats  # (N,) probability
    has_height: NDArray[np.bool_]  # (N,) whether height is known
    centre: Floats  # (N, 3) mean and variance of their positions
    spread: Floats


class Association(NamedTuple):
    """How detections become hypotheses of tracks."""

    bound: Floats  # (5,) of the gate
    best_only: bool  # by the best assignment, else by all associations, sharpened as in `existence.sharpen`
    sharpness: float


class Observed(NamedTuple):
    """What the scan leaves, besides the tracks themselves: of K pairs, D detections, N tracks."""

    pairs: Pairs
    probability: Floats  # (K,)
    alone: Floats  # (D,) probability that a detection is no track's
    existence: Floats  # (N,)
    hidden: Floats  # (N,)
    hit: Floats  # (N,) probability of a hit
    best: Ints  # (N,) most probable pair, or the assigned one; -1 for none


def observe(before: Predicted, view: SensorView, plots: Plots, log_background: Floats, how: Association) -> Observed:
    """Update the tracks in place; return what else the scan leaves.

    Args:
        before: the tracks, predicted.
        view: of the sensor.
        plots: the detections, in the order of `association.gate_keys`.
        log_background: (D,) as in `existence.pair_log_odds`.
        how: to associate them.
    """
    existence, hidden = before.existence, before.hidden
    pairs = gate(before.tracks, before.centre, before.spread, view.pose, plots, how.bound)
    start, detection = pairs.start, pairs.detection
    visible = in_view(before.centre, before.has_height, view)
    shown = view.detection_probability * (1.0 - hidden)
    seen = np.where(visible, shown, 0.0)
    odds = pair_log_odds(start, detection, pairs.log_likelihood, existence, seen, shown, log_background)
    parts = components(start, detection, len(plots))
    probability, alone = marginals(start, detection, odds, len(plots), parts)
    after = after_scan(start, probability, existence, seen, hidden, visible, view.detection_probability)
    share, missed, best = after.share, after.missed, after.best
    if how.best_only:
        # Between tracks taken to exist: a new one would else never be worth its detection.
        certain = np.ones(len(existence))
        gain = pair_log_odds(start, detection, pairs.log_likelihood, certain, seen, shown, log_background)
        best = assign(start, detection, gain, len(plots), parts)
        missed, share = np.where(best >= 0, 0.0, 1.0), np.zeros(len(detection))
        share[best[best >= 0]] = 1.0
    elif how.sharpness != 1.0:
        share, missed = sharpen(start, share, missed, how.sharpness)
    update(before.tracks, pairs, plots, share, missed)
    return Observed(pairs, probability, alone, after.existence, after.hidden, after.hit, best)
