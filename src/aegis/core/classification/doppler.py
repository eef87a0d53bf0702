# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a recording of slow time shows: looks of half a second, those with a line joined to passages, a class for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aegis.core.classification.background import by_blocks, halved, is_empty_above, without_flicker, without_tones
from aegis.core.classification.physical import decide
from aegis.core.classification.signature import SIGNATURE, signature, stands_out
from aegis.core.classification.track_model import Posterior
from aegis.core.types import ClassId, Floats

LOOK_S = 0.5
LEAST_SAMPLES = 32
CORRELATION = 0.3  # of the errors of looks at one object: they are much alike
DOUBT = 0.15  # share of objects of whose kind the model says nothing, however many looks say the same
LARGEST_PRF_HZ = 5e4  # that the model was shown
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
    """Return (N_CLASSES,) the probabilities after looks (L, N_CLASSES), each of which was made with the priors (N_CLASSES,).

    So many looks count as L / (1 + (L - 1) CORRELATION), and a part of the answer is doubted, and shared by the priors.
    """
    there = prior > 0.0
    out = np.zeros(len(prior))
    share = prior[there] / prior[there].sum()
    counted = len(look) / (1.0 + (len(look) - 1) * CORRELATION)
    logs = np.log(share) + counted * (np.log(np.maximum(look[:, there], 1e-6)) - np.log(share)).mean(axis=0)
    logs -= logs.max()
    told = np.exp(logs)
    out[there] = (1.0 - DOUBT) * told / told.sum() + DOUBT * share
    return out


class Cleaned(NamedTuple):
    """A recording without the sensor's own tones, at a rate that the model knows."""

    samples: NDArray[np.complex128] | Floats
    prf_hz: float
    tones_hz: Floats  # that were taken out


def cleaned(x: NDArray[np.complex128] | Floats, prf_hz: float, wavelength_m: float) -> Cleaned:
    """Take out the sensor's own tones, and halve the rate while it is above LARGEST_PRF_HZ and nothing is in the upper half.

    Raises:
        ValueError: it is shorter than a look, or its rate too low.
    """
    samples = round(LOOK_S * prf_hz)
    if samples < LEAST_SAMPLES or len(x) < samples:
        raise ValueError(
            f"{len(x)} samples at {prf_hz:g} Hz; a look takes {LOOK_S} s and at least {LEAST_SAMPLES} samples"
        )
    tones: list[float] = []

    def toneless(part: NDArray[np.complex128] | Floats) -> NDArray[np.complex128] | Floats:
        rest, found = without_tones(part, prf_hz, wavelength_m, samples)
        tones.extend(found)
        return rest

    rate, x = prf_hz, by_blocks(toneless, x, samples)
    while rate > LARGEST_PRF_HZ and is_empty_above(x, round(LOOK_S * rate)):
        x, rate = halved(x), 0.5 * rate
    return Cleaned(x, rate, np.unique(tones))


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
        x: (S,) samples, complex or real, `cleaned`: a look at least.
        prf_hz: samples a second; wavelength_m: of the carrier [m].
        model: of signatures; prior: (N_CLASSES,) relative to its own.
        threshold: of the probability, below which the class is UNKNOWN.
    """
    samples = round(LOOK_S * prf_hz)
    moves = by_blocks(lambda block: without_flicker(block, prf_hz, wavelength_m, samples), x, samples)
    for part in (moves, x):
        looks = part[: len(part) // samples * samples].reshape(-1, samples)
        found = np.concatenate([signature(one[None], prf_hz, wavelength_m) for one in looks])
        shown = np.flatnonzero(stands_out(found[:, LINE_SNR], samples))
        if len(shown):
            break
    if not len(shown):
        return
    each = model.posterior(found[shown], prior)
    breaks = np.flatnonzero(np.diff(shown) > 1 + LONGEST_GAP_S / LOOK_S) + 1
    for row in np.split(np.arange(len(shown)), breaks):
        probability = fused(each[row], prior)
        class_id, _ = decide(probability[None], threshold)
        begin, end = shown[row[0]] * LOOK_S, (shown[row[-1]] + 1) * LOOK_S
        yield Passage(float(begin), float(end), len(row), ClassId(int(class_id[0])), probability)


def together(found: list[Passage], threshold: float) -> Passage:
    """Return all passages, one at least, as one: their mean probabilities, by how many looks they had."""
    looks = np.array([one.looks for one in found], np.float64)
    probability: Floats = looks @ np.array([one.probability for one in found]) / looks.sum()
    class_id, _ = decide(probability[None], threshold)
    return Passage(found[0].begin_s, found[-1].end_s, int(looks.sum()), ClassId(int(class_id[0])), probability)
