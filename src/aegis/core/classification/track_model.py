# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""What gives tracks their classes: the trained network, or the stated table where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from aegis.core.classification import physical
from aegis.core.classification.physical import PhysicalModel
from aegis.core.classification.track_memory import WINDOW_LOOKS, features
from aegis.core.types import N_CLASSES, ClassId, Floats, Ints

LOOKS_TO_RENAME = 3.0  # in a row, that have to say so before a track that had a class gets another one


class Measured(NamedTuple):
    """What is known of S tracks now; arrays (S,), NaN where something was not measured."""

    rcs_dbsm: Floats  # mean over `looks`
    looks: Floats
    speed: Floats  # [m/s]
    speed_sigma: Floats
    height: Floats  # above ground [m]
    height_sigma: Floats


class TrackModel(Protocol):
    """Class probabilities of tracks."""

    @property
    def name(self) -> str:
        """Return the model's name and version."""

    @property
    def basis(self) -> str:
        """Return what it rests on, in words."""

    @property
    def prior(self) -> Floats:
        """Return the priors (N_CLASSES,), up to a factor."""

    @property
    def remembers(self) -> bool:
        """Tell whether it needs the tracks' memory of looks."""

    def probability(self, tracks: Measured, memory: Floats) -> Floats:
        """Return (S, N_CLASSES) probabilities of tracks with this memory (M, S); rows sum to 1."""


class Posterior(Protocol):
    """Whatever turns features into probabilities."""

    def posterior(self, features: Floats, prior: Floats) -> Floats:
        """Return (n, N_CLASSES) probabilities of features (n, F) by priors (N_CLASSES,) relative to its own."""


class TableModel:
    """The stated table of RCS, speeds and heights (physical.py)."""

    name, basis, remembers = physical.NAME, physical.BASIS, False

    def __init__(self, classes: tuple[ClassId, ...] = tuple(ClassId), priors: Mapping[ClassId, float] | None = None):
        """Restrict the answer to `classes`; `priors` are relative to those of the table."""
        self.model = PhysicalModel(classes, priors)
        self.prior = self.model.prior

    def probability(self, tracks: Measured, memory: Floats) -> Floats:
        """Return (S, N_CLASSES) probabilities."""
        return self.model.posterior(len(tracks.speed), **tracks._asdict())


class NetworkModel:
    """The trained network on the features of a track's looks."""

    remembers = True

    def __init__(
        self,
        network: Posterior,
        name: str,
        basis: str,
        classes: tuple[ClassId, ...] = tuple(ClassId),
        priors: Mapping[ClassId, float] | None = None,
    ) -> None:
        """Make it; `priors` are relative to those of the training, 1 where none is given."""
        self._network, self.name, self.basis = network, name, basis
        self.prior = relative_priors(classes, priors)
        self._unlooked = self.prior / self.prior.sum()

    def probability(self, tracks: Measured, memory: Floats) -> Floats:
        """Return (S, N_CLASSES) probabilities; those of tracks without a look that counted are the priors."""
        out = np.tile(self._unlooked, (memory.shape[1], 1))
        looked = np.flatnonzero(memory[0] > 0.0)
        if len(looked):
            out[looked] = self._network.posterior(features(memory[:, looked]), self.prior)
        return out


def relative_priors(classes: tuple[ClassId, ...], priors: Mapping[ClassId, float] | None) -> Floats:
    """Return (N_CLASSES,) factors of the priors: 0 for classes that cannot be met; UNKNOWN can always be."""
    considered = {ClassId.UNKNOWN, *classes}
    given = priors or {}
    return np.array([given.get(c, 1.0) if c in considered else 0.0 for c in ClassId])


def kept(class_id: Ints, probability: Floats, before: Ints, looks: Floats, threshold: float) -> Ints:
    """Return the classes (S,), where a track keeps the one that it was told to be of while that is still the most probable one.

    What wavers about a single threshold would have a name in one scan and none in the next. It does once the window of looks
    is full; before, each look adds to what is known, and what was told early may have to be taken back.

    Args:
        class_id: (S,) that the probabilities (S, N_CLASSES) give, UNKNOWN where none of them suffices.
        before: (S,) what was told in the scan before.
        looks: (S,) that there were.
        threshold: as probable the class has to be.
    """
    best, most = probability.argmax(axis=1), probability.max(axis=1, initial=0.0)
    stays = (class_id == ClassId.UNKNOWN) & (best == before) & (most >= threshold) & (looks >= WINDOW_LOOKS)
    return np.where(stays, before, class_id)


class Named(NamedTuple):
    """The class that is told of S tracks, and what was told before."""

    class_id: Ints
    named: Floats  # the last class that was one
    rival: Floats  # looks in a row since that would have named another one


def named(class_id: Ints, before: Floats, rival: Floats, looked: NDArray[np.bool_]) -> Named:
    """Return what is told: another class than before only after `LOOKS_TO_RENAME` looks that say so, until then UNKNOWN.

    Args:
        class_id: (S,) that the probabilities give.
        before, rival: (S,) as in `Named`, of the scan before.
        looked: (S,) which tracks had a new look.
    """
    other = (class_id != ClassId.UNKNOWN) & (before != ClassId.UNKNOWN) & (class_id != before)
    rival = np.where(other, rival + looked, 0.0)
    waits = other & (rival < LOOKS_TO_RENAME)
    told = np.where(waits, int(ClassId.UNKNOWN), class_id)
    after = np.where(told != ClassId.UNKNOWN, told, before)
    return Named(told, after.astype(np.float64), np.where(waits, rival, 0.0))


assert len(ClassId) == N_CLASSES
