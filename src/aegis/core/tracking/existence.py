"""Whether an object exists, as a probability: Bernoulli existence of tracks, and birth from what no track explains.

Williams, Marginal multi-Bernoulli filters: RFS derivation of MHT, JIPDA, and association-based MeMBer, IEEE Trans. AES 51 (2015),
eq. 33-42 and the track-oriented approximation of section V.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.kernels import association as kernels
from aegis.core.kernels import rows as row_kernels
from aegis.core.types import Floats, Ints


class Existence(NamedTuple):
    """Three probabilities of each track (N,)."""

    probability: Floats  # that the object exists
    lasting: Floats  # that an existing one is lasting, not transient as a reflection or a wake is
    hidden: Floats  # that an existing one is hidden


class AfterScan(NamedTuple):
    """What a scan leaves of N tracks and K pairs."""

    existence: Floats  # (N,)
    hidden: Floats  # (N,)
    share: Floats  # (K,) of each pair, given existence
    missed: Floats  # (N,) share of a miss, given existence
    hit: Floats  # (N,) probability that the track gave a detection
    best: Ints  # (N,) most probable pair, -1 for none


def predict(before: Existence, survival: float, brief: float, hide: float, show: float) -> Existence:
    """Return the probabilities after a time in which these changes have these probabilities.

    A transient object ends sooner than a lasting one, so that age tells. A lasting one in sight may be hidden behind something
    for a while, and then gives no detections.

    Args:
        before: the probabilities.
        survival, brief: a lasting and a transient object survives the time.
        hide, show: a lasting one becomes hidden; a hidden one comes back to sight.
    """
    after = np.empty((3, len(before.probability)))
    row_kernels.predict(*before, survival, brief, hide, show, after)
    return Existence(*after)


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
    kernels.pair_log_odds(start, detection, log_likelihood, existence, seen, shown, log_background, out)
    return out


def after_scan(
    start: Ints, probability: Floats, existence: Floats, seen: Floats, hidden: Floats, in_view: NDArray[np.bool_],
    detection_probability: float,
) -> AfterScan:  # fmt: skip
    """Return what a scan leaves.

    Args:
        start, probability: the pairs and their association probabilities.
        existence, seen: as in `pair_log_odds`; hidden: (N,) that an existing object is hidden.
        in_view: (N,); detection_probability: of an object in view that is not hidden.
    """
    after, share, best = np.empty((4, len(existence))), np.empty(len(probability)), np.empty(len(existence), np.int64)
    kernels.after_scan(
        start, probability, existence, seen, hidden, in_view.view(np.uint8), detection_probability, after, share, best
    )
    return AfterScan(after[0], after[1], share, after[2], after[3], best)


def sharpen(start: Ints, share: Floats, missed: Floats, exponent: float) -> tuple[Floats, Floats]:
    """Return the shares (K,) and (N,) of each track's hypotheses, raised to a power and normalised again.

    1 changes nothing; more leans towards the most probable hypothesis. The mean of all lets tracks of objects that move
    side by side flow together.
    """
    share, missed = share.copy(), missed.copy()
    kernels.sharpen(start, share, missed, exponent)
    return share, missed
