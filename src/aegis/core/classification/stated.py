# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""Class probabilities that detections state, accumulated over a track's looks and fused with what its motion and echo say.

A look states p_c of each class c; of its own priors pi_c, p_c / pi_c is the likelihood ratio of class c against any object. What it
leaves open, u, says nothing: r_c = (1 - e) ((1 - u) p_c / pi_c + u) + e, where e is the share of looks that are simply wrong, so
that no single one excludes a class.

Looks at one track are no independent evidence: what makes an object look like another class in one look is there in the next. Of n
looks with correlated errors (rho) n / (1 + (n - 1) rho) count, as of a mean with correlated errors (Kish, Survey Sampling, 1965,
eq. 5.4.1, the design effect); their log-likelihood ratios are averaged and count so many times, 1 / rho at most. Of the looks the
last 32 or so count (`FADE`). And an object can be one of which all that is stated is wrong: that share is doubted, so that
L_c = (1 - d) q_c / pi_c + d, with q the probabilities after all looks. The track's are then in proportion to p_c L_c.

Where the track's model says UNKNOWN, motion and echo are unlike all that it was shown, and say nothing of the class: its share goes
over to the classes as far as what is stated is not what would be stated of anything, pi_c (L_c - 1) to those above 1. Where nothing
is stated, nothing changes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aegis.core.classification.settings import StatedClassesSettings
from aegis.core.classification.track_memory import FADE
from aegis.core.types import N_CLASSES, ClassBasis, ClassId, Detections, Floats

NAMED = tuple(ClassId)[1:]  # the classes; UNKNOWN is none
# The rows of a table with a column a track: the weight of the looks that stated anything, and sums of their log-likelihood ratios.
STATED = ("stated_looks", *(f"stated_{c.name.lower()}" for c in NAMED))
LOOK_STATED = tuple(f"look_{c.name.lower()}" for c in NAMED)  # of the last detection; NaN: it stated nothing
WRONG = 0.02  # share of single looks that are simply wrong
TOLERANCE = 1e-3  # of a probability, for what float32 and rounded texts make of it


def refused(d: Detections) -> int:
    """Return of how many detections the stated class probabilities are none, below 0 or above 1, or have no basis that there is."""
    stated = d.class_basis == int(ClassBasis.STATED)
    unheard_of = ~np.isin(d.class_basis, [int(basis) for basis in ClassBasis])
    p = d.class_probability
    return int((unheard_of | (stated & ((p < -TOLERANCE) | (p > 1.0 + TOLERANCE)).any(axis=1))).sum())


def scaled(d: Detections) -> int:
    """Return how many detections state class probabilities that are more than 1 together: scores, not of classes that exclude
    each other; they are scaled to 1.
    """
    p = np.nan_to_num(d.class_probability)
    together = (d.class_basis == int(ClassBasis.STATED)) & (p.sum(axis=1) > 1.0 + N_CLASSES * TOLERANCE)
    return int((together & ((p >= -TOLERANCE) & (p <= 1.0 + TOLERANCE)).all(axis=1)).sum())


def log_ratios(d: Detections, settings: StatedClassesSettings) -> Floats:
    """Return (len(NAMED), D) logarithms of likelihood ratios that detections state; columns of NaN: nothing stated."""
    out = np.full((len(NAMED), len(d)), np.nan)
    p = d.class_probability
    with np.errstate(invalid="ignore"):
        valid = (np.isnan(p) | ((p >= -TOLERANCE) & (p <= 1.0 + TOLERANCE))).all(axis=1)
        valid &= (d.class_basis == int(ClassBasis.STATED)) & (np.nansum(p, axis=1) > TOLERANCE)
    found = np.flatnonzero(valid)
    if not len(found) or settings.doubt >= 1.0:
        return out
    known = np.isfinite(p[found, 1:])
    named = np.where(known, np.clip(p[found, 1:], 0.0, 1.0), 0.0)
    total = named.sum(axis=1)
    nobody = np.clip(np.nan_to_num(p[found, 0]), 0.0, 1.0)
    # Classes that exclude each other sum to 1 at most; a list of scores that do not is scaled.
    open_share = np.where(total + nobody > 1.0, nobody / (total + nobody), 1.0 - total)
    prior = np.where(known, settings.prior_of_named(), 0.0)
    prior /= np.maximum(prior.sum(axis=1, keepdims=True), 1e-300)
    share = named / np.maximum(total, 1e-300)[:, None]
    ratio = np.where(known, share / np.where(prior > 0.0, prior, 1.0), 1.0)
    ratio = (1.0 - open_share)[:, None] * ratio + open_share[:, None]
    out[:, found] = np.log((1.0 - WRONG) * ratio + WRONG).T
    return out


def remembered(memory: Floats, looks: Floats) -> Floats:
    """Return the sums (len(STATED), F) after new looks (len(NAMED), F); of one that stated nothing nothing changes."""
    said: NDArray[np.bool_] = np.isfinite(looks[0])
    if not said.any():
        return memory
    new = np.concatenate((np.ones((1, looks.shape[1])), looks))
    out: Floats = np.where(said, FADE * memory + np.nan_to_num(new), memory)
    return out


def one_look(d: Detections, settings: StatedClassesSettings) -> Floats:
    """Return (len(STATED), D) what is remembered of objects after one look each."""
    return remembered(np.zeros((len(STATED), len(d))), log_ratios(d, settings))


def likelihood(memory: Floats, settings: StatedClassesSettings) -> Floats:
    """Return (S, len(NAMED)) the likelihood ratios of what the looks at S tracks stated; 1 where they stated nothing."""
    weight, sums = memory[0], memory[1:]
    prior = settings.prior_of_named()
    rho = settings.correlation
    counted = sums / np.maximum(1.0 - rho + rho * weight, 1e-9)
    q = prior[:, None] * np.exp(counted - counted.max(axis=0, initial=0.0))
    q /= q.sum(axis=0)
    out: Floats = np.where(weight > 0.0, (1.0 - settings.doubt) * q / prior[:, None] + settings.doubt, 1.0).T
    return out


def fused(probability: Floats, memory: Floats, prior: Floats, settings: StatedClassesSettings) -> Floats:
    """Return (S, N_CLASSES) what tracks are, by their model and by what detections stated of them.

    Args:
        probability: (S, N_CLASSES) by the model.
        memory: (len(STATED), S) what was stated.
        prior: (N_CLASSES,) of the model, 0 for classes that cannot be met.
        settings: how far it counts.
    """
    said = np.flatnonzero(memory[0] > 0.0)
    share = prior[1:] / max(prior[1:].sum(), 1e-300)
    if not len(said) or not share.any():
        return probability
    out = probability.copy()
    ratio = likelihood(memory[:, said], settings)
    ratio /= ratio @ share[:, None]
    unlike = probability[said, :1]
    gained = unlike * share * np.maximum(ratio - 1.0, 0.0)
    out[said, 1:] = probability[said, 1:] * ratio + gained
    out[said, 0] -= gained.sum(axis=1)
    out[said] /= out[said].sum(axis=1, keepdims=True)
    return out
