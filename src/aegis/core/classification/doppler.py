# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a recording of slow time shows: looks of half a second, those with a line joined to passages, a class for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aegis.core.classification.physical import decide
from aegis.core.classification.signature import SIGNATURE, signature, stands_out
from aegis.core.classification.track_model import Posterior
from aegis.core.types import ClassId, Floats

LOOK_S = 0.5
LEAST_SAMPLES = 32
EVIDENCE = 0.3  # weight of one look's log-probabilities beside those of the others: looks in a row are much alike
LONGEST_GAP_S = 0.8  # within one passage
LINE_SNR = SIGNATURE.index("line_snr")


@dataclass(frozen=True)
class Passage:
    """One object, from when to when [s], over some looks."""

    begin_s: float
    end_s: float
    looks: int
    class_id: ClassId
    probability: Floats  # (N_CLASSES,)


def fused(look: Floats, prior: Floats) -> Floats:
    """Return (N_CLASSES,) the probabilities after looks (L, N_CLASSES), each of which was made with the priors (N_CLASSES,)."""
    there = prior > 0.0
    out = np.zeros(len(prior))
    share = prior[there] / prior[there].sum()
    logs = np.log(share) + EVIDENCE * (np.log(np.maximum(look[:, there], 1e-6)) - np.log(share)).sum(axis=0)
    if len(look) < 1.0 / EVIDENCE:  # of one look, its own
        logs = np.log(np.maximum(look[:, there], 1e-6)).mean(axis=0)
    logs -= logs.max()
    out[there] = np.exp(logs)
    return np.asarray(out / out.sum())


def passages(
    x: NDArray[np.complex128] | Floats,
    prf_hz: float,
    wavelength_m: float,
    model: Posterior,
    prior: Floats,
    threshold: float,
) -> Iterator[Passage]:
    """Yield what passes.

    Args:
        x: (S,) samples, complex or real.
        prf_hz: samples a second; wavelength_m: of the carrier [m].
        model: of signatures; prior: (N_CLASSES,) relative to its own.
        threshold: of the probability, below which the class is UNKNOWN.

    Raises:
        ValueError: it is shorter than a look, or its rate too low.
    """
    samples = round(LOOK_S * prf_hz)
    if samples < LEAST_SAMPLES or len(x) < samples:
        raise ValueError(
            f"{len(x)} samples at {prf_hz:g} Hz; a look takes {LOOK_S} s and at least {LEAST_SAMPLES} samples"
        )
    looks = x[: len(x) // samples * samples].reshape(-1, samples)
    found = np.concatenate([signature(one[None], prf_hz, wavelength_m) for one in looks])
    shown = np.flatnonzero(stands_out(found[:, LINE_SNR], samples))
    if not len(shown):
        return
    each = model.posterior(found[shown], prior)
    breaks = np.flatnonzero(np.diff(shown) > 1 + LONGEST_GAP_S / LOOK_S) + 1
    for part in np.split(np.arange(len(shown)), breaks):
        probability = fused(each[part], prior)
        class_id, _ = decide(probability[None], threshold)
        begin, end = shown[part[0]] * LOOK_S, (shown[part[-1]] + 1) * LOOK_S
        yield Passage(float(begin), float(end), len(part), ClassId(int(class_id[0])), probability)


def together(found: list[Passage], threshold: float) -> Passage:
    """Return all passages, one at least, as one: their mean probabilities, by how many looks they had."""
    looks = np.array([one.looks for one in found], np.float64)
    probability: Floats = looks @ np.array([one.probability for one in found]) / looks.sum()
    class_id, _ = decide(probability[None], threshold)
    return Passage(found[0].begin_s, found[-1].end_s, int(looks.sum()), ClassId(int(class_id[0])), probability)
