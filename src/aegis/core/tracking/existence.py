"""Whether an object exists, as a probability: Bernoulli existence of tracks over time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aegis.core.kernels import rows as kernels
from aegis.core.types import Floats


class Existence(NamedTuple):
    """Three probabilities of each track (N,)."""

    probability: Floats  # that the object exists
    lasting: Floats  # that an existing one is lasting, not transient as a reflection or a wake is
    hidden: Floats  # that an existing one is hidden


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
    kernels.predict(*before, survival, brief, hide, show, after)
    return Existence(*after)
