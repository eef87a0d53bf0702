"""Whether an object exists, as a probability: Bernoulli existence of tracks, and birth from what no track explains.

Williams, Marginal multi-Bernoulli filters: RFS derivation of MHT, JIPDA, and association-based MeMBer, IEEE Trans. AES 51 (2015),
eq. 33-42 and the track-oriented approximation of section V.
"""

from __future__ import annotations

import numpy as np

from aegis.core.compiled import compiled
from aegis.core.types import Floats, Ints

CERTAIN = 1e-3  # share of a miss below which a track's only pair is as good as sure; the update leaves it out as well


@compiled
def predict(
    existence: Floats, lasting: Floats, hidden: Floats, survival: float, brief: float, hide: float, show: float
) -> tuple[Floats, Floats, Floats]:
    """Return the three probabilities (N,) after a time in which these changes have these probabilities.

    An existing object is either lasting or transient, as a reflection or a wake is; the latter ends sooner, so that age tells. A
    lasting one in sight may be hidden behind something for a while, and then gives no detections.

    Args:
        existence: that the object exists; lasting: that an existing one is lasting; hidden: that an existing one is hidden.
        survival, brief: a lasting and a transient object survives the time.
        hide, show: a lasting one becomes hidden; a hidden one comes back to sight.
    """
    exists, lasts, out_of_sight = np.empty_like(existence), np.empty_like(existence), np.empty_like(existence)
    for t in range(len(existence)):
        stays = lasting[t] * survival + (1.0 - lasting[t]) * brief
        exists[t] = existence[t] * stays
        lasts[t] = lasting[t] * survival / stays
        out_of_sight[t] = hidden[t] * (1.0 - show) + (1.0 - hidden[t]) * hide * lasts[t]
    return exists, lasts, out_of_sight


@compiled
def pair_log_odds(
    start: Ints, detection: Ints, log_likelihood: Floats, existence: Floats, seen: Floats, shown: Floats,
    log_background: Floats,
) -> Floats:  # fmt: skip
    """Return (K,) ln of the weight of each pair over that of a miss of its track and a detection from the background.

    Args:
        start, detection: the pairs.
        log_likelihood: (K,) ln p(z | track).
        existence, seen: (N,) probability that the track exists; that an existing one is detected, 0 outside the view.
        shown: (N,) the latter if it were in view: a detection of a track thought just outside shows that it is inside.
        log_background: (D,) ln of the density of detections from false alarms and new objects.
    """
    out = np.empty(len(detection))
    for t in range(len(existence)):
        known = np.log(existence[t] * shown[t]) - np.log1p(-existence[t] * seen[t])
        for p in range(start[t], start[t + 1]):
            out[p] = known + log_likelihood[p] - log_background[detection[p]]
    return out


@compiled
def after_scan(
    start: Ints, probability: Floats, existence: Floats, seen: Floats, hidden: Floats, in_view: np.ndarray,
    detection_probability: float,
) -> tuple[Floats, Floats, Floats, Floats, Floats, Ints]:  # fmt: skip
    """Return what a scan leaves: existence and hidden (N,), share of each pair (K,) and of a miss (N,) given existence,
    probability of a hit (N,), most probable pair (N,), -1 for none.

    Args:
        start, probability: the pairs and their association probabilities.
        existence, seen: as in `pair_log_odds`; hidden: (N,) that an existing object is hidden.
        in_view: (N,); detection_probability: of an object in view that is not hidden.
    """
    N = len(existence)
    after, concealed = np.empty(N), np.empty(N)
    missed, hit, share = np.empty(N), np.empty(N), np.empty(len(probability))
    best = np.full(N, -1, np.int64)
    for t in range(N):
        total, most = 0.0, 0.0
        for p in range(start[t], start[t + 1]):
            total += probability[p]
            if probability[p] > most:
                most, best[t] = probability[p], p
        total = min(total, 1.0)
        unseen = existence[t] * (1.0 - seen[t]) / (1.0 - existence[t] * seen[t]) * (1.0 - total)
        after[t], hit[t] = total + unseen, total
        missed[t] = unseen / after[t]
        for p in range(start[t], start[t + 1]):
            share[p] = probability[p] / after[t]
        behind = hidden[t] / (1.0 - detection_probability * (1.0 - hidden[t])) if in_view[t] else hidden[t]
        concealed[t] = missed[t] * behind
    return after, concealed, share, missed, hit, best


@compiled
def sharpen(start: Ints, share: Floats, missed: Floats, exponent: float) -> tuple[Floats, Floats]:
    """Return the shares (K,) and (N,) of each track's hypotheses, raised to a power and normalised again.

    1 changes nothing; more leans towards the most probable hypothesis. The mean of all lets tracks of objects that move
    side by side flow together.
    """
    share, missed = share.copy(), missed.copy()
    for t in range(len(missed)):
        if start[t] == start[t + 1] or (missed[t] < CERTAIN and start[t] + 1 == start[t + 1]):
            continue
        missed[t] = missed[t] ** exponent
        total = missed[t]
        for p in range(start[t], start[t + 1]):
            share[p] = share[p] ** exponent
            total += share[p]
        missed[t] /= total
        for p in range(start[t], start[t + 1]):
            share[p] /= total
    return share, missed
