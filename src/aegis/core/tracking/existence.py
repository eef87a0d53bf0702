# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether an object exists, as a probability: Bernoulli existence of tracks over time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.kernels import existence as kernels
from aegis.core.types import Floats, Ints

HIDDEN_LOOKS = (
    3.0  # that an object stays hidden, where that is longer than existence.mean_hidden_s: of sensors that look seldom
)


class Existence(NamedTuple):
    """Two probabilities of each track (N,)."""

    probability: Floats  # that the object exists
    lasting: Floats  # that an existing one is lasting, not transient as a reflection or a wake is


class Hiding(NamedTuple):
    """How objects hide behind something for a while, in which they give no detections: misses come in runs."""

    mean_visible_s: float  # 0: nothing hides
    mean_hidden_s: float
    hidden_looks: float  # as a sensor that looks seldom would else not notice


def predict(before: Existence, survival: float, brief: float) -> Existence:
    """Return the probabilities after a time that a lasting and a transient object survive with these probabilities.

    A transient object ends sooner than a lasting one, so that age tells.
    """
    after = np.empty((2, len(before.probability)))
    kernels.predict(*before, survival, brief, after)
    return Existence(*after)


def hide(
    hidden: Floats, lasting: Floats, since_ns: Ints, stamp_ns: int, in_view: NDArray[np.bool_], how: Hiding
) -> Floats:
    """Return the probability (N,) that an existing object is hidden, when it is looked at again: a Markov chain.

    Args:
        hidden: when it was last looked at; lasting: only lasting objects hide.
        since_ns: (N,) when that was; stamp_ns: now.
        in_view: (N,) whether it is looked at now; where it is not, nothing changes.
        how: they hide.
    """
    after = np.empty(len(hidden))
    kernels.hide(hidden, lasting, since_ns, stamp_ns, in_view.view(np.uint8), *how, after)
    return after


def expected(
    updated_ns: Ints, stamp_ns: int, in_view: NDArray[np.bool_], looks_s: float, how: Hiding
) -> NDArray[np.bool_]:
    """Return (N,) whether a track belongs into the confirmed picture as far as the sensor's view goes.

    A track in view does. One that has left it, where no miss counts against it, still does for as long as an object may be hidden.

    Args:
        updated_ns: (N,) when it was detected; stamp_ns: now.
        in_view: (N,) whether it is.
        looks_s: from one look of the sensor to the next; how: objects hide.
    """
    out, longest_s = np.empty(len(updated_ns), np.bool_), max(how.mean_hidden_s, how.hidden_looks * looks_s)
    kernels.expected(updated_ns, stamp_ns, in_view.view(np.uint8), longest_s, out.view(np.uint8))
    return out
