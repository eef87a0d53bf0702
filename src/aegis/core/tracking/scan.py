"""What the detections of a scan do to the tracks: the compiled parts in their order, without a step back into Python."""

from __future__ import annotations

import numpy as np

from aegis.core.compiled import compiled
from aegis.core.tracking.association import assign, components, gate, marginals
from aegis.core.tracking.existence import after_scan, pair_log_odds, sharpen
from aegis.core.tracking.measurement import in_view
from aegis.core.tracking.update import update
from aegis.core.types import Floats, Ints


@compiled
def observe(
    x: Floats, P: Floats, weight: Floats, existence: Floats, hidden: Floats, has_height: np.ndarray, centre: Floats, spread: Floats,
    origin: Floats, R: Floats, platform: Floats, wanted: np.ndarray,
    near: float, far: float, azimuth: float, elevation: float, detection_probability: float,
    position: Floats, sigma: Floats, value: Floats, variance: Floats, measured: np.ndarray, polar: bool,
    bound: Floats, log_background: Floats, best_only: bool, sharpness: float,
) -> tuple[Ints, Ints, Floats, Floats, Floats, Floats, Floats, Floats, Ints]:  # fmt: skip
    """Update x, P and weight in place; return what else the scan leaves.

    Args:
        x, P, weight: (N, M, n), (N, M, n, n), (N, M) of the predicted tracks.
        existence, hidden: (N,) probabilities; has_height: (N,) whether height is known.
        centre, spread: (N, 3) mean and variance of their positions.
        origin, R, platform: of the sensor, as in `measurement.expect`; wanted: (4,) components that any detection has.
        near, far, azimuth, elevation: its view, as in `measurement.in_view`; detection_probability: within it.
        position to polar: the detections, as in `association.gate`.
        bound: (5,) of the gate; log_background: (D,) as in `existence.pair_log_odds`.
        best_only: states by the best assignment, else by all associations, sharpened as in `existence.sharpen`.

    Returns:
        The pairs: start (N + 1,), detection, probability (K,) and normalised distance (K, 2); of each detection the probability
        that it is no track's (D,); of each track existence, hidden, probability of a hit, most probable pair (N,).
    """
    start, detection, by_mode, total, distance = gate(
        centre,
        spread,
        x,
        P,
        weight,
        origin,
        R,
        platform,
        wanted,
        position,
        sigma,
        value,
        variance,
        measured,
        polar,
        bound,
    )
    visible = in_view(centre, has_height, origin, R, near, far, azimuth, elevation)
    shown = detection_probability * (1.0 - hidden)
    seen = np.where(visible, shown, 0.0)
    odds = pair_log_odds(start, detection, total, existence, seen, shown, log_background)
    member, begin = components(start, detection, len(sigma))
    probability, alone = marginals(start, detection, odds, len(sigma), member, begin)
    after, concealed, share, missed, hit, best = after_scan(
        start, probability, existence, seen, hidden, visible, detection_probability
    )
    if best_only:
        # Between tracks taken to exist: a new one would else never be worth its detection.
        gain = pair_log_odds(start, detection, total, np.ones(len(existence)), seen, shown, log_background)
        best = assign(start, detection, gain, len(sigma), member, begin)
        share[:] = 0.0
        for t in range(len(best)):
            missed[t] = 1.0
            if best[t] >= 0:
                missed[t], share[best[t]] = 0.0, 1.0
    elif sharpness != 1.0:
        share, missed = sharpen(start, share, missed, sharpness)
    update(
        x, P, weight, origin, R, platform, wanted, value, variance, measured, polar,
        start, detection, by_mode, total, share, missed,
    )  # fmt: skip
    return start, detection, probability, distance, alone, after, concealed, hit, best
