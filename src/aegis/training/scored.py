# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""How well class probabilities fit the truth: macro F1, calibration, confusion, and whether strangers are known as such."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aegis.core.types import ClassId, Floats, Ints

KNOWN = tuple(c for c in ClassId if c not in (ClassId.UNKNOWN, ClassId.CLUTTER))  # of which F1 is the mean
BINS = 15
SURE = 0.9


class Score(NamedTuple):
    """Of N examples."""

    n: int
    macro_f1: float  # over KNOWN; an answer of UNKNOWN is a miss
    right: float  # share
    unknown: float
    ece: float  # expected calibration error of the most probable class, 15 bins
    surely_wrong: float  # share with more than .9 for another class that is one


def told(probability: Floats, threshold: float) -> Ints:
    """Return (N,) the class that is told, UNKNOWN below the threshold."""
    best: Ints = probability.argmax(axis=1)
    return np.where(probability.max(axis=1) >= threshold, best, int(ClassId.UNKNOWN))


def score(probability: Floats, class_id: Ints, threshold: float) -> Score:
    """Score probabilities (N, N_CLASSES) against classes (N,); every class counts alike in the mean F1."""
    answer = told(probability, threshold)
    f1 = []
    for c in KNOWN:
        here, said = class_id == c, answer == c
        if here.any():
            f1.append(2.0 * (here & said).sum() / (here.sum() + said.sum()))
    best, confidence = probability.argmax(axis=1), probability.max(axis=1)
    which = np.minimum((confidence * BINS).astype(int), BINS - 1)
    ece = 0.0
    for k in np.unique(which):
        inside = which == k
        ece += inside.mean() * abs(confidence[inside].mean() - (best[inside] == class_id[inside]).mean())
    wrong = (best != class_id) & (best != ClassId.UNKNOWN) & (confidence > SURE)
    return Score(
        len(class_id), float(np.mean(f1)), float((answer == class_id).mean()), float((answer == ClassId.UNKNOWN).mean()),
        float(ece), float(wrong.mean()),
    )  # fmt: skip


def auroc(known: Floats, strange: Floats) -> float:
    """Return the probability that a stranger's score (M,) is above a known object's (N,), ties by half (Mann-Whitney)."""
    both = np.concatenate((known, strange))
    order = np.argsort(both, kind="stable")
    rank = np.empty(len(both))
    rank[order] = np.arange(1.0, len(both) + 1.0)
    _, place, counts = np.unique(both, return_inverse=True, return_counts=True)
    rank = (np.bincount(place, rank) / counts)[place]
    n, m = len(known), len(strange)
    return float((rank[n:].sum() - m * (m + 1) / 2.0) / (n * m))


def confusion(answer: Ints, class_id: Ints) -> dict[str, dict[str, int]]:
    """Return how often each class was told to be which, those that were."""
    return {
        c.name: {
            a.name: int(((class_id == c) & (answer == a)).sum())
            for a in ClassId
            if ((class_id == c) & (answer == a)).any()
        }
        for c in ClassId
        if (class_id == c).any()
    }
