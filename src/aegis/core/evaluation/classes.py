# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether the classes of tracks are those of the objects that they show, and whether their probabilities are true."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aegis.core.evaluation.matching import Pairs
from aegis.core.types import N_CLASSES, ClassId, Floats, Ints


@dataclass(frozen=True)
class Classes:
    """Of all scans in which a track shows an object of known class."""

    confusion: Ints  # (C, C) how often an object of the row's class was told to be of the column's
    confidence: list[tuple[float, float, float, int]]  # bins: from, mean confidence, share right, how many
    calibration_error: float  # mean distance of confidence and share right, by their number; NaN without any
    n: int

    @property
    def right(self) -> float:
        """Share told rightly; NaN of none."""
        return self._part(int(np.trace(self.confusion)))

    @property
    def unknown(self) -> float:
        """Share told to be UNKNOWN."""
        return self._part(int(self.confusion[:, int(ClassId.UNKNOWN)].sum()))

    @property
    def wrong(self) -> float:
        """Share told to be of another class."""
        known = self.confusion[:, int(ClassId.UNKNOWN) + 1 :]
        return self._part(int(known.sum()) - int(np.trace(self.confusion)))

    def _part(self, count: int) -> float:
        return count / self.n if self.n else float("nan")


def classes(pairs: Pairs, class_id: Ints, bins: int = 10) -> Classes:
    """Return the confusion, and the calibration of the most probable class.

    Expected calibration error: Guo et al., On calibration of modern neural networks (2017), eq. 3.

    Args:
        pairs: tracks and objects.
        class_id: (N,) of the objects; those of UNKNOWN class do not count.
        bins: of the confidence.
    """
    truth = class_id[pairs.truth]
    known = truth != int(ClassId.UNKNOWN)
    truth, told = truth[known], np.clip(pairs.class_id[known], 0, N_CLASSES - 1)
    confusion = np.zeros((N_CLASSES, N_CLASSES), dtype=np.int64)
    np.add.at(confusion, (truth, told), 1)
    rows, error = _calibration(pairs.class_probability[known], truth, bins)
    return Classes(confusion, rows, error, len(truth))


def _calibration(probability: Floats, truth: Ints, bins: int) -> tuple[list[tuple[float, float, float, int]], float]:
    if not len(truth):
        return [], float("nan")
    # UNKNOWN is the model's word for none of the others, not for not knowing: as an answer it counts like any.
    best = probability.argmax(axis=1)
    confidence = probability[np.arange(len(best)), best]
    which = np.clip((confidence * bins).astype(int), 0, bins - 1)
    rows, error = [], 0.0
    for k in range(bins):
        inside = which == k
        count = int(inside.sum())
        if count:
            mean, right = float(confidence[inside].mean()), float((best[inside] == truth[inside]).mean())
            rows.append((k / bins, mean, right, count))
            error += count / len(truth) * abs(mean - right)
    return rows, error
